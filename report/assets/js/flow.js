// What AIM does now and after the plan, as a picture. The table under it says the
// same in words.

function flowPicture(kind, width) {
  const flows = head.flows.filter((f) => f.kind === kind);
  if (flows.length === 0) return nothing;
  const names = head.outcomes;
  const nodes = [], at = new Map();
  const node = (side, outcome) => {
    const id = side + outcome;
    if (!at.has(id)) { at.set(id, nodes.length); nodes.push({ side, outcome, order: names.indexOf(outcome) }); }
    return at.get(id);
  };
  const total = flows.reduce((sum, f) => sum + f.count, 0);
  // What is rare must still be seen: no flow is drawn thinner than this share.
  const least = total / 90;
  const links = flows.map((f) => ({ source: node('now', f.now), target: node('after', f.after), value: Math.max(f.count, least), count: f.count, now: f.now, after: f.after }));
  const rowsNow = nodes.filter((n) => n.side === 'now').length, rowsAfter = nodes.length - rowsNow;
  const height = Math.max(120, Math.max(rowsNow, rowsAfter) * 52 + 60);
  const label = Math.min(150, width * 0.34);
  // A label is two lines high, and as near to the next as the padding lets it.
  const graph = lib.sankey().nodeWidth(10).nodePadding(36).extent([[label, 36], [width - label, height - 24]])
    .nodeSort((a, b) => a.order - b.order).linkSort((a, b) => names.indexOf(a.after) - names.indexOf(b.after) || names.indexOf(a.now) - names.indexOf(b.now))({ nodes, links });
  const path = lib.sankeyLinkHorizontal();
  const sums = (n) => flows.reduce((sum, f) => sum + (f[n.side] === n.outcome ? f.count : 0), 0);
  const what = kind === 'users' ? 'Users' : 'Groups';
  const says = flows.map((f) => `${count(f.count)} ${f.now === f.after ? 'stay ' + f.now : 'go from ' + f.now + ' to ' + f.after}`).join(', ');
  return html`<figure><figcaption>${what}</figcaption>
    <svg viewBox="0 0 ${width} ${height}" width=${width} height=${height} role="img" aria-label="${what} from now to after the plan: ${says}">
      ${svg`<text x=${label} y="14" text-anchor="end" class="axis">now</text><text x=${width - label} y="14" class="axis">after the plan</text>
      ${graph.links.map((l) => svg`<path d=${path(l)} class="flow ${l.now}" stroke-width=${Math.max(1.5, l.width)}><title>${count(l.count)}: ${l.now} → ${l.after}</title></path>`)}
      ${graph.nodes.map((n) => svg`<rect x=${n.x0} y=${n.y0} width=${n.x1 - n.x0} height=${Math.max(1, n.y1 - n.y0)} class="node ${n.outcome}"></rect>
        <text x=${n.side === 'now' ? n.x0 - 6 : n.x1 + 6} y=${(n.y0 + n.y1) / 2} dy="-0.1em" text-anchor=${n.side === 'now' ? 'end' : 'start'}><tspan class="figure">${count(sums(n))}</tspan><tspan x=${n.side === 'now' ? n.x0 - 6 : n.x1 + 6} dy="1.15em" class="outcome">${n.outcome}</tspan></text>`)}`}
    </svg></figure>`;
}

function drawFlows() {
  const box = document.getElementById('flows');
  if (!box || head.flows.length === 0) return;
  box.hidden = false;
  const width = box.clientWidth;
  if (width === 0) return;
  const both = width > 760 && head.flows.some((f) => f.kind === 'groups');
  const each = both ? Math.floor((width - 32) / 2) : width;
  render(html`${flowPicture('users', each)}${flowPicture('groups', each)}`, box);
}

// domains shows where the affected identities are.
function drawDomains() {
  const counts = new Map();
  const seen = new Uint8Array(subjects.id.length);
  for (let f = 0; f < findings.n; f++) {
    if (findings.waived[f]) continue;
    for (const s of findings.subjects[f]) {
      if (seen[s]) continue;
      seen[s] = 1;
      const kind = head.kinds[subjects.kind[s]];
      if (kind !== 'okta:user' && kind !== 'databricks:user') continue;
      const name = subjects.name[s], at = name.lastIndexOf('@');
      const domain = at < 0 ? '' : folded(name.slice(at + 1).trim());
      counts.set(domain, (counts.get(domain) ?? 0) + 1);
    }
  }
  const all = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  if (all.length === 0) return;
  const shown = all.slice(0, 8), rest = all.slice(8);
  const most = shown[0][1];
  render(html`<section aria-labelledby="domains-h"><h2 id="domains-h">Where they are</h2>
    <table class="numbers tally"><caption class="sr">Users with a finding that was not waived, by the domain of their name</caption>
    <thead><tr><th scope="col">Domain</th><th scope="col">Users with findings</th><th scope="col" class="barcol"><span class="sr">As a bar</span></th></tr></thead>
    <tbody>${shown.map(([domain, n]) => html`<tr><th scope="row">${domain === '' ? html`<span class="blank">no address</span>` : html`<a href="#/findings?q=${encodeURIComponent('@' + domain)}&waived=no">${text(domain, 60)}</a>`}</th><td>${count(n)}</td>
      <td class="barcol"><svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width=${(100 * n) / most} height="8"></rect></svg></td></tr>`)}</tbody></table>
    ${rest.length ? html`<p class="small">and ${counted(rest.length, 'more domain')} with ${count(rest.reduce((sum, [, n]) => sum + n, 0))} users.</p>` : nothing}</section>`, document.getElementById('domains'));
}
