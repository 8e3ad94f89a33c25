// The crosswalk, and one identity's story in both directories.

const stateNames = {
  '': 'no link state', linked: 'linked', 'linked-inactive': 'linked to somebody deprovisioned', stale: 'stale: an id that Okta has not', unlinked: 'not linked',
};

const nowOf = (r) => head.outcomes[rows.now[r]] ?? '';
const afterOf = (r) => head.outcomes[rows.after[r]] ?? '';

const identitiesTable = once(() => {
  const n = rows.n;
  const kinds = head.kinds;
  const outcomes = [...head.outcomes, 'unknown'];
  const number = (o) => (o < 0 ? outcomes.length - 1 : o);
  const links = head.links.map((l) => l || 'none');
  const perRow = once(() => {
    const counts = new Uint32Array(n);
    const about = findingsAbout();
    for (let r = 0; r < n; r++) counts[r] = about(rows.subject[r]).length;
    return counts;
  });
  return new Table({
    name: 'identities', title: 'Identities', noun: 'row', n, main: 0,
    hint: 'a name, an email, an id', none: 'No identity was read.',
    intro: () => html`<p>Every Databricks identity beside its Okta counterpart, and every Okta object that AIM would create.
      ${head.partial ? html`<strong>Of ${count(head.identities)} only the ${count(n)} with a finding are listed here: all are in crosswalk.csv.</strong>` : nothing}</p>`,
    text: (r) => subjects.name[rows.subject[r]] + '\n' + subjectText(rows.subject[r]) + '\n' + rows.externalId[r] + '\n' + rows.email[r] + '\n' +
      (rows.okta[r] < 0 ? '' : subjects.name[rows.okta[r]] + '\n' + subjects.id[rows.okta[r]]),
    facets: [
      { key: 'kind', label: 'Kind', values: present(n, (r) => subjects.kind[rows.subject[r]], kinds), labels: kinds.map((k) => kindNames[k]), of: (r) => subjects.kind[rows.subject[r]] },
      { key: 'link', label: 'Link', values: present(n, (r) => rows.link[r], links), of: (r) => rows.link[r] },
      { key: 'now', label: 'Now', values: present(n, (r) => number(rows.now[r]), outcomes), of: (r) => number(rows.now[r]) },
      { key: 'after', label: 'After the plan', values: present(n, (r) => number(rows.after[r]), outcomes), of: (r) => number(rows.after[r]) },
      { key: 'findings', label: 'Findings', values: ['none', 'some'], of: (r) => (perRow()[r] ? 1 : 0) },
    ],
    columns: [
      { key: 'name', label: 'Identity', cell: (r) => html`${identityLink(rows.subject[r], 80)} <span class="means">${kindName(rows.subject[r])}</span>`, rank: (r) => folded(subjects.name[rows.subject[r]]) },
      { key: 'okta', label: 'In Okta', cell: oktaCell, rank: (r) => (rows.okta[r] < 0 ? '' : folded(subjects.name[rows.okta[r]])) },
      { key: 'link', label: 'Link', cell: (r) => html`${head.links[rows.link[r]] || html`<span class="blank">–</span>`} ${rows.matched[r] ? html`<span class="means">by ${head.matches[rows.matched[r]]}</span>` : nothing}`, rank: (r) => rows.link[r] },
      { key: 'now', label: 'Now', cell: (r) => outcomeTag(nowOf(r)), rank: (r) => number(rows.now[r]) },
      { key: 'after', label: 'After the plan', cell: (r) => outcomeTag(afterOf(r)), rank: (r) => number(rows.after[r]) },
      { key: 'findings', label: 'Findings', cell: (r) => count(perRow()[r]), rank: (r) => -perRow()[r] },
    ],
  });
});

function oktaCell(r) {
  const o = rows.okta[r];
  if (o < 0 || o === rows.subject[r]) return html`<span class="blank">–</span>`;
  return html`${identityLink(o, 80)} <span class="means">${rows.status[r]}</span>`;
}

// The fields of both directories that say the same of a person or a group.
const fieldRows = [
  ['name', 'Name', { 'databricks:user': 'userName', 'databricks:group': 'displayName', 'databricks:service_principal': 'displayName', 'okta:user': 'login', 'okta:group': 'name', 'okta:app': 'label' }],
  ['email', 'Email', { 'okta:user': 'email' }],
  ['id', 'Okta id', { 'databricks:user': 'externalId', 'databricks:group': 'externalId', 'databricks:service_principal': 'externalId', 'okta:user': 'id', 'okta:group': 'id', 'okta:app': 'id' }],
  ['given', 'First name', { 'databricks:user': 'name.givenName', 'okta:user': 'firstName' }],
  ['family', 'Last name', { 'databricks:user': 'name.familyName', 'okta:user': 'lastName' }],
  ['admin', 'Admin', { 'databricks:user': 'role', 'databricks:group': 'role', 'databricks:service_principal': 'role' }],
  ['groups', 'In groups', { 'databricks:user': 'groups', 'databricks:group': 'groups', 'databricks:service_principal': 'groups' }],
  ['status', 'Status', { 'databricks:user': 'active', 'databricks:service_principal': 'active', 'okta:user': 'status', 'okta:app': 'status' }],
];

const fieldKeys = {
  'userName': 'name', 'displayName': 'name', 'profile.login': 'name', 'profile.name': 'name', 'label': 'name', 'profile.email': 'email',
  'externalId': 'id', 'name.givenName': 'given', 'profile.firstName': 'given', 'name.familyName': 'family', 'profile.lastName': 'family',
  'active': 'status', 'status': 'status',
};

// known gathers what the crosswalk and the evidence say of an identity.
function known(s, evidence) {
  const facts = {};
  for (const e of evidence) {
    const key = fieldKeys[e.field];
    // "target username of" and the like say what should be, not what is.
    if (e.subject === s && key && !(key in facts) && /^(userName|displayName|login|email|name|externalId|status|active|first name|last name|label)\b/i.test(e.role)) facts[key] = e.value;
  }
  facts.name = subjects.name[s] || facts.name || '';
  if (inOkta(s)) {
    facts.id = subjects.id[s];
    for (const r of rowsBeside()(s)) {
      ofOkta(facts, r, s);
    }
    for (const r of rowOf()(s)) ofOkta(facts, r, s);
  } else {
    for (const r of rowOf()(s)) {
      ofDatabricks(facts, r, s);
    }
  }
  return facts;
}

// ofOkta takes what a row of the crosswalk says of its Okta object.
function ofOkta(facts, r, s) {
  const user = head.kinds[subjects.kind[s]] === 'okta:user';
  if (user) {
    facts.email = rows.email[r];
    facts.given = rows.first[r];
    facts.family = rows.last[r];
  }
  if (rows.status[r]) facts.status = rows.status[r];
}

function ofDatabricks(facts, r, s) {
  const kind = head.kinds[subjects.kind[s]];
  facts.id = rows.externalId[r];
  if (kind === 'databricks:user') {
    facts.given = rows.given[r];
    facts.family = rows.family[r];
  }
  if (kind !== 'databricks:group') facts.status = rows.active[r] ? 'true' : 'false';
  facts.admin = rows.admin[r] ? 'account admin' : 'no';
  facts.groups = count(rows.groups[r]);
}

// likeness says how a value compares with the other directory's.
function likeness(key, a, b, ofB) {
  if (a === undefined || b === undefined) return '';
  if (a === b) return 'same';
  if (folded(a.trim()) === folded(b.trim())) return key === 'id' ? 'differs in letter case' : 'same but for letter case or spaces';
  if (key === 'name' && ofB.email !== undefined && folded(a.trim()) === folded(ofB.email.trim())) return 'is the email';
  if (a === '' || b === '') return 'blank on one side';
  return 'differs';
}

const likenessMarks = { same: '=', 'is the email': '≈', differs: '≠', 'blank on one side': '≠', 'differs in letter case': '≠', 'same but for letter case or spaces': '≈' };

async function identityPage(id) {
  const s = subjectOf().get(id);
  if (s === undefined) {
    return missing(head.partial ? 'Nothing in this page is about ' + id + ': above 100,000 identities it lists only those with a finding. All are in crosswalk.csv, and aimcheck audit --explain tells about one.'
      : 'Nothing in this report is about ' + id + '.', '#/identities', 'All identities');
  }
  const about = findingsAbout()(s);
  const evidence = [];
  for (const f of about.slice(0, 50)) evidence.push(...(await detail(f)).evidence);
  const own = rowOf()(s), beside = rowsBeside()(s);
  // Whom the story is told against: counterparts first, then who shares a finding.
  const others = new Set();
  const join = (o) => { if (o >= 0 && o !== s) others.add(o); };
  for (const r of own) join(rows.okta[r]);
  for (const r of beside) join(rows.subject[r]);
  const pairs = others.size;
  for (const f of about) for (const o of findings.subjects[f]) join(o);
  const partners = [...others];
  const shown = partners.slice(0, 5);
  const ops = operationsOn()(s);
  const row = own[0] ?? beside[0];
  return () => html`<p class="crumbs"><a href="#/identities">Identities</a> › ${kindName(s)}</p>
    <h1 tabindex="-1" class="text">${text(subjects.name[s] || subjects.id[s], 240)}</h1>
    <p class="means">${kindName(s)} <code>${subjectText(s)}</code></p>
    ${row === undefined ? nothing : fate(row, own.length > 0 ? s : rows.subject[row], s)}
    <section aria-labelledby="side-h"><h2 id="side-h">In both directories</h2>
      ${sideBySide(s, shown, evidence, pairs)}
      ${partners.length > shown.length ? html`<p class="small">and ${count(partners.length - shown.length)} more who share a finding with it, below.</p>` : nothing}</section>
    ${subjects.name[s].length > 200 ? html`<section aria-label="The whole name"><h2>The whole name</h2><p>${whole(subjects.name[s])}</p></section>` : nothing}
    <section aria-labelledby="about-h"><h2 id="about-h">${about.length ? counted(about.length, 'finding') : 'No findings'}</h2>
      ${about.length === 0 ? html`<p>No rule has anything to say about it.</p>` : nothing}
      ${about.slice(0, 100).map((f) => html`<article class="card"><h3>${findingLink(f)}</h3>
        <p>${severityTag(severityOf(f))} ${findings.waived[f] ? html`<span class="tag">waived</span>` : nothing} ${ruleLink(ruleOf(f).name)} <span class="means">${does[remedyOf(f)]}</span></p>
        ${choiceOf()(f).map((c) => chooser(c))}</article>`)}
      ${about.length > 100 ? html`<p class="small">and ${count(about.length - 100)} more.</p>` : nothing}</section>
    ${ops.length ? html`<section aria-labelledby="ops-h"><h2 id="ops-h">What the plan would change</h2>
      <ul class="ops">${ops.map((o) => html`<li>${operationLine(o)} ${decider(o)}</li>`)}</ul></section>` : nothing}`;
}

// fate shows what happens to the identity now and after the plan.
function fate(r, of, s) {
  const now = nowOf(r), after = afterOf(r);
  if (!now && !after) return html`<p class="fate">${kindName(of) === 'service principal' ? 'AIM leaves service principals alone.' : 'What AIM would do is not known: a side was not read completely.'}</p>`;
  return html`<div class="fate" role="group" aria-label="What AIM does to it">
    ${of !== s ? html`<p class="means">Its Databricks counterpart ${identityLink(of, 80)}:</p>` : nothing}
    <p><span class="when">now</span> ${outcomeTag(now)} <span class="means">${meaningOf(now)}</span></p>
    <p><span class="when">after the plan</span> ${outcomeTag(after)} <span class="means">${now === after ? 'as now' : meaningOf(after)}</span></p>
  </div>`;
}

const meaningOf = (o) => head.meanings[head.outcomes.indexOf(o)] ?? '';

function sideBySide(s, partners, evidence, pairs) {
  const all = [s, ...partners];
  const facts = all.map((x) => known(x, evidence));
  const kind = (x) => head.kinds[subjects.kind[x]];
  const lines = fieldRows.filter(([key]) => facts.some((f) => f[key] !== undefined));
  // Each is compared with the first of the other directory.
  const against = (k) => (k === 0 ? -1 : inOkta(all[k]) !== inOkta(s) ? 0 : -1);
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Side by side"><table class="side">
    <caption class="sr">What the directories say of it, side by side</caption>
    <thead><tr><td></td>${all.map((x, k) => html`<th scope="col">${k === 0 ? html`<span class="means">${kindName(x)}, this page</span>` :
      html`<span class="means">${kindName(x)}${k <= pairs ? ', counterpart' : ', shares a finding'}</span>`}<br>${k === 0 ? text(subjects.name[x] || subjects.id[x], 60) : identityLink(x, 60)}</th>`)}</tr></thead>
    <tbody>${lines.map(([key, label, names]) => html`<tr><th scope="row">${label}</th>${all.map((x, k) => {
      const value = facts[k][key];
      const field = names[kind(x)];
      if (!field) return html`<td><span class="blank" aria-hidden="true">–</span><span class="sr">has none</span></td>`;
      if (value === undefined) return html`<td><span class="means">${field}</span><br><span class="blank">not in this report</span></td>`;
      const other = against(k);
      const like = other < 0 || key === 'status' ? '' : inOkta(x) ? likeness(key, facts[other][key], value, facts[k]) : likeness(key, value, facts[other][key], facts[other]);
      const differs = like && likenessMarks[like] === '≠';
      return html`<td class=${differs ? 'differs' : ''}><span class="means">${field}</span><br>${text(value, 120)}${like ? html`<br><span class="like ${differs ? 'bad' : ''}"><span aria-hidden="true">${likenessMarks[like]}</span> ${like}</span>` : nothing}</td>`;
    })}</tr>`)}</tbody></table></div>`;
}
