// Texts that a directory holds are shown as text: what can't be seen, or would
// move what is seen, is written out, and every name keeps its direction to itself.
const { html, svg, render, nothing, live } = lib;

const unseen = /[\p{C}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]|^ +| +$/gu;
const anyUnseen = new RegExp(unseen.source, 'u');

function escaped(s) {
  let out = '';
  for (const c of s) {
    const code = c.codePointAt(0);
    out += code > 0xffff ? '\\U' + code.toString(16).padStart(8, '0') : '\\u' + code.toString(16).padStart(4, '0');
  }
  return out;
}

// cut returns the first letters of a long text, never half of one.
function cut(s, longest) {
  if (s.length <= longest) return s;
  const end = s.charCodeAt(longest - 1) >= 0xd800 && s.charCodeAt(longest - 1) < 0xdc00 ? longest - 1 : longest;
  return s.slice(0, end);
}

// text shows a text of a directory in a line.
function text(s, longest = 160) {
  if (s === '') return html`<span class="blank">(blank)</span>`;
  const short = cut(s, longest);
  const more = short.length < s.length ? html`<span class="blank" title="${count(s.length)} characters">… ${count(s.length)} characters</span>` : nothing;
  if (!anyUnseen.test(short)) return html`<bdi>${short}</bdi>${more}`;
  const parts = [];
  let from = 0;
  for (const m of short.matchAll(unseen)) {
    parts.push(short.slice(from, m.index), html`<span class="esc" title="a character that is not seen">${escaped(m[0])}</span>`);
    from = m.index + m[0].length;
  }
  return html`<bdi>${parts}${short.slice(from)}</bdi>${more}`;
}

// whole shows all of a text: a long one when it is asked for.
function whole(s) {
  if (s.length <= 400) return text(s, 400);
  return html`${text(s, 160)}<details><summary>Show all of it</summary><div class="long">${text(s, s.length)}</div></details>`;
}

const count = (n) => n.toLocaleString('en-US');
const counted = (n, noun) => count(n) + ' ' + noun + (n === 1 ? '' : 's');

// folded is the text as the search compares it. Latin-1 is in NFC.
const folded = (s) => (/[^\u0000-\u00ff]/.test(s) ? s.normalize('NFC') : s).toLowerCase();

const severityTag = (name) => html`<span class="sev ${name}">${name}</span>`;
const outcomeTag = (name) => (name ? html`<span class="out ${name}">${name}</span>` : html`<span class="blank">not known</span>`);

// download hands a file to the reader. Nothing leaves the page.
function download(name, type, body) {
  const a = document.createElement('a');
  a.href = URL.createObjectURL(new Blob([body], { type }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 60_000);
}
