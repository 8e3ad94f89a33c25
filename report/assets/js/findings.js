// The table of findings, and the page of one.

const does = {
  automatic: 'the plan mends it', choose: 'somebody must say which identity is meant', okta: 'an Okta admin mends it in Okta',
  support: 'Databricks Support changes a username', review: 'somebody must look at it',
};

const lifeStates = ['new', 'open', 'reopened'];

const severityOf = (f) => head.severities[findings.severity[f]];
const ruleOf = (f) => head.rules[findings.rule[f]];
const remedyOf = (f) => head.remedies[findings.remedy[f]];

// whoActs numbers who acts on a finding; nobody does on what is waived, or what the plan mends.
const actors = ['databricks', 'okta', 'support', 'groups'];
const actorNames = ['Databricks admin', 'Okta admin', 'Databricks Support', 'group owners'];
function whoActs(f) {
  if (findings.waived[f]) return -1;
  switch (remedyOf(f)) {
    case 'automatic': return -1;
    case 'okta': return 1;
    case 'support': return 2;
    case 'review': return ruleOf(f).group ? 3 : 0;
  }
  return 0;
}

const identityLink = (s, longest) => html`<a href="#/identity/${encodeURIComponent(subjectText(s))}">${text(subjects.name[s] || subjects.id[s], longest)}</a>`;
const findingLink = (f) => html`<a href="#/finding/${findingId(f)}">${text(findings.message[f], 240)}</a>`;
const ruleLink = (name) => html`<a href="#/rules/${name}">${name}</a>`;

function present(n, of, values) {
  const seen = new Array(values.length).fill(false);
  for (let i = 0; i < n; i++) seen[of(i)] = true;
  return values.map((v, i) => (seen[i] ? v : undefined));
}

const findingsTable = once(() => {
  const n = findings.n;
  const names = head.rules.map((r) => r.name);
  return new Table({
    name: 'findings', title: 'Findings', noun: 'finding', n, main: 1,
    hint: 'a name, an id, a word', none: 'There are no findings.',
    text: (f) => findings.message[f] + '\n' + findingId(f) + '\n' + findings.key[f] + '\n' +
      findings.subjects[f].map((s) => subjects.name[s] + ' ' + subjectText(s)).join('\n'),
    facets: [
      { key: 'severity', label: 'Severity', values: present(n, (f) => findings.severity[f], head.severities), of: (f) => findings.severity[f] },
      { key: 'rule', label: 'Rule', values: present(n, (f) => findings.rule[f], names), of: (f) => findings.rule[f] },
      { key: 'remedy', label: 'Remedy', values: present(n, (f) => findings.remedy[f], head.remedies), of: (f) => findings.remedy[f] },
      { key: 'for', label: 'For', values: actors, labels: actorNames, of: whoActs },
      { key: 'waived', label: 'Waived', values: ['no', 'yes'], of: (f) => findings.waived[f] },
      ...(head.history ? [{ key: 'state', label: 'State', values: lifeStates, of: (f) => lifeStates.indexOf(findings.state[f]) }] : []),
    ],
    columns: [
      { key: 'severity', label: 'Severity', cell: (f) => html`${severityTag(severityOf(f))}${findings.waived[f] ? html` <span class="tag">waived</span>` : nothing}`, rank: (f) => -findings.severity[f] },
      { key: 'finding', label: 'Finding', cell: findingLink, rank: (f) => folded(findings.message[f]) },
      { key: 'rule', label: 'Rule', cell: (f) => ruleLink(ruleOf(f).name), rank: (f) => ruleOf(f).name },
      { key: 'about', label: 'About', cell: (f) => aboutCell(findings.subjects[f]), rank: (f) => findings.subjects[f].length },
      { key: 'remedy', label: 'Remedy', cell: (f) => html`<span title=${does[remedyOf(f)]}>${remedyOf(f)}</span>`, rank: (f) => findings.remedy[f] },
      ...(head.history ? [{ key: 'since', label: 'Since', cell: (f) => html`${findings.since[f]}${findings.state[f] === 'open' ? nothing : html` <span class="tag">${findings.state[f]}</span>`}`, rank: (f) => findings.since[f] }] : []),
    ],
  });
});

function aboutCell(list) {
  const shown = list.slice(0, 3);
  return html`<ul class="bare">${shown.map((s) => html`<li>${identityLink(s, 60)} <span class="means">${kindName(s)}</span></li>`)}
    ${list.length > shown.length ? html`<li class="means">and ${count(list.length - shown.length)} more</li>` : nothing}</ul>`;
}

const kindNames = {
  'databricks:user': 'Databricks user', 'databricks:group': 'Databricks group', 'databricks:service_principal': 'service principal',
  'databricks:workspace': 'workspace', 'okta:user': 'Okta user', 'okta:group': 'Okta group', 'okta:app': 'Okta app',
};
const kindName = (s) => kindNames[head.kinds[subjects.kind[s]]] ?? '';

// ruleDoc shows the rule's explanation where it is needed. It is copied from the page.
function ruleDoc(name, open) {
  const article = document.getElementById('rule-' + name);
  if (!article) return nothing;
  const parts = [...article.querySelectorAll('h3, p:not(.title):not(.small)')].map((e) => e.cloneNode(true));
  return html`<details class="doc" ?open=${open}><summary>What this rule means, why it matters, and how to fix it</summary>
    <p><strong>${article.querySelector('.title').firstChild.textContent}</strong></p>${parts}</details>`;
}

async function findingPage(id) {
  const f = findingOf().get(id);
  if (f === undefined) return missing('No finding has the id ' + id + '.', '#/findings', 'All findings');
  const { todo, waiver, evidence } = await detail(f);
  const list = findings.subjects[f];
  return () => html`<p class="crumbs"><a href="#/findings">Findings</a> › ${ruleLink(ruleOf(f).name)}</p>
    <h1 tabindex="-1" class="text">${text(findings.message[f], 240)}</h1>
    <p>${severityTag(severityOf(f))} ${findings.waived[f] ? html`<span class="tag">waived</span>` : nothing} <span class="means">${does[remedyOf(f)]}</span></p>
    ${waiver ? html`<p>${whole(waiver)}</p>` : nothing}
    ${findings.since[f] ? html`<p class="small">First seen ${findings.since[f]}${findings.state[f] === 'open' ? '' : ', ' + findings.state[f]}.</p>` : nothing}
    ${ruleDoc(ruleOf(f).name, false)}
    <section aria-label="What to do"><h2>What to do</h2>${whatToDo(f, todo)}</section>
    <section aria-label="Who it is about"><h2>Who it is about</h2>
      ${list.slice(0, 200).map((s) => subjectCard(s, evidence.filter((e) => e.subject === s)))}
      ${list.length > 200 ? html`<p class="small">and ${count(list.length - 200)} more, in subjects.csv and findings.json.</p>` : nothing}
      ${others(list, evidence)}</section>
    <dl class="facts"><div><dt>Id</dt><dd><code>${id}</code></dd></div><div><dt>Key</dt><dd>${whole(findings.key[f])}</dd></div></dl>`;
}

function evidenceTable(evidence, named) {
  return html`<table class="plain"><caption class="sr">Evidence</caption>
    <thead class="sr"><tr>${named ? html`<th scope="col">Identity</th>` : nothing}<th scope="col">Field</th><th scope="col">Value</th><th scope="col">Part</th></tr></thead>
    <tbody>${evidence.map((e) => html`<tr>${named ? html`<td>${identityLink(e.subject, 60)}</td>` : nothing}
      <th scope="row">${e.field}</th><td class="value">${whole(e.value)}</td><td class="means">${e.role}</td></tr>`)}</tbody></table>`;
}

function subjectCard(s, evidence) {
  return html`<article class="card"><h3>${identityLink(s, 120)} <span class="means">${kindName(s)} ${subjects.id[s]}</span></h3>
    ${evidence.length ? evidenceTable(evidence.slice(0, 100), false) : nothing}
    ${evidence.length > 100 ? html`<p class="small">and ${count(evidence.length - 100)} more pieces of evidence, in findings.json.</p>` : nothing}</article>`;
}

// others shows what the finding knows of identities that it is not about.
function others(list, evidence) {
  const about = new Set(list);
  const rest = evidence.filter((e) => !about.has(e.subject));
  if (rest.length === 0) return nothing;
  return html`<article class="card"><h3>Also in evidence</h3>${evidenceTable(rest.slice(0, 200), true)}
    ${rest.length > 200 ? html`<p class="small">and ${count(rest.length - 200)} more, in findings.json.</p>` : nothing}</article>`;
}

function whatToDo(f, todo) {
  const ops = findings.operations[f];
  const choice = choiceOf()(f)[0];
  return html`${ops.length ? html`<ul class="ops">${ops.map((o) => html`<li>${operationLine(o)} ${decider(o)}</li>`)}</ul>` : nothing}
    ${choice !== undefined ? chooser(choice) : nothing}
    ${!ops.length && choice === undefined ? html`<p>${todo ? whole(todo) : does[remedyOf(f)] + '.'}</p>` : nothing}`;
}

function missing(says, address, link) {
  return () => html`<h1 tabindex="-1">Not in this report</h1><p>${text(says, 300)}</p><p><a href=${address}>${link}</a></p>`;
}
