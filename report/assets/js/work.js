// What is sent to whom.

const ownersSeen = [...document.querySelectorAll('.owners > li')].map((li) => ({
  key: li.querySelector('h3 a').getAttribute('href').replace('#/tasks/', ''),
  name: li.querySelector('h3').textContent,
  does: li.dataset.does,
  file: li.dataset.file,
  items: [...li.querySelectorAll('li')],
}));

async function workPage(key) {
  const shown = ownersSeen.filter((o) => !key || o.key === key);
  if (ownersSeen.length === 0) return () => html`<h1 tabindex="-1">Who does what</h1><p>Nothing is left for anybody.</p>`;
  if (shown.length === 0) return missing('Nobody here is called ' + key + '.', '#/tasks', 'Who does what');
  for (const o of shown) if (o.file) o.text ??= await file(o.file);
  return () => html`<h1 tabindex="-1">Who does what</h1>
    <p class="tabs">${[{ key: '', name: 'Everybody' }, ...ownersSeen].map((o) => html`<a href=${o.key ? '#/tasks/' + o.key : '#/tasks'} aria-current=${o.key === (key ?? '') ? 'page' : 'false'}>${o.name}</a>`)}</p>
    ${shown.map((o) => html`<section class="card owner" aria-labelledby="owner-${o.key}"><h2 id="owner-${o.key}">${o.name}</h2>
      <p class="means">${o.does}</p>
      <ul>${o.items.map((li) => html`<li>${[...li.childNodes].map((n) => n.cloneNode(true))}</li>`)}</ul>
      ${o.text ? html`<p><button type="button" class="primary" data-file=${o.file} @click=${() => download(o.file, o.file.endsWith('.csv') ? 'text/csv' : 'text/markdown', o.text)}>Download ${o.file}</button>
        <span class="means">to send: ${counted(o.text.split('\n').length - 1, 'line')}</span></p>
        <details><summary>Look at it</summary><pre tabindex="0" role="region" aria-label=${o.file}>${shownLines(o.text)}</pre></details>` : nothing}
    </section>`)}`;
}

function shownLines(s) {
  const lines = cut(s, 20_000).split('\n');
  return html`${lines.map((l) => html`${l === '' ? '' : text(l, 2000)}\n`)}${s.length > 20_000 ? '…' : ''}`;
}
