// The plan: operations and choices with what was decided in this page. Only that
// goes into the file of decisions; all else stays as the plan has it.

const decisions = new Map(); // by the id of an operation or finding
let taken = 0; // decisions that the last download had

const idOf = (o) => operations.id[o];
const decisionOf = (o) => decisions.get(idOf(o)) ?? operations.decision[o];

function decide(id, word, before) {
  if (word === before) decisions.delete(id); else decisions.set(id, word);
  taken = -1;
  show();
  announce(counted(decisions.size, 'decision') + ' made in this page');
}

const actionTexts = { set_external_id: 'link', clear_external_id: 'clear the id of', set_name: 'set the name of', deactivate_user: 'deactivate' };

function operationLine(o) {
  const a = operations.action[o];
  const change = a === 'deactivate_user' ? nothing : html` <code class="change">${operations.field[o]}</code>:
    ${operations.from[o] === '' ? html`<span class="blank">blank</span>` : html`<del>${text(operations.from[o], 60)}</del>`} <span aria-hidden="true">→</span><span class="sr"> becomes </span>
    ${operations.to[o] === '' ? html`<span class="blank">blank</span>` : html`<ins>${text(operations.to[o], 60)}</ins>`}`;
  return html`<span class="op"><strong>${actionTexts[a] ?? a}</strong> ${identityLink(operations.target[o], 80)}${change}
    <span class="means">${text(operations.evidence[o], 300)}${operations.reversible[o] ? '' : '; can’t be undone'}${operations.risk[o] !== 'low' ? '; risk ' + operations.risk[o] : ''}</span></span>`;
}

// decider lets the reader approve or reject an operation.
function decider(o) {
  const id = idOf(o), word = decisionOf(o);
  const option = (value, label) => html`<label class="choice"><input type="radio" name="d-${id}" value=${value} .checked=${live(word === value)}
    @change=${() => decide(id, value, operations.decision[o])}> ${label}</label>`;
  return html`<fieldset class="decide"><legend class="sr">Decision for ${id}, ${subjects.name[operations.target[o]]}</legend>
    ${option('approve', 'approve')} ${option('reject', 'reject')} ${operations.decision[o] === '' || word === '' ? option('', 'undecided') : nothing}
    ${decisions.has(id) ? html`<span class="tag">decided here</span>` : nothing}</fieldset>`;
}

const mostChoices = 100; // that are offered: what more are, nobody reads

// chooser lets the reader say which identity a finding means.
function chooser(c) {
  const f = choices.finding[c], id = findingId(f), word = decisions.get(id) ?? '';
  const keeper = choices.suggested[c], records = choices.records[c].length > 1 ? choices.records[c] : [], candidates = choices.candidates[c];
  const kept = [...records.filter((s) => s === keeper), ...records.filter((s) => s !== keeper)].slice(0, mostChoices);
  const linked = candidates.slice(0, mostChoices), more = records.length - kept.length + candidates.length - linked.length;
  const option = (value, label) => html`<label class="choice block"><input type="radio" name="c-${id}" value=${value} .checked=${live(word === value)}
    @change=${() => decide(id, value, '')}> <span>${label}</span></label>`;
  return html`<fieldset class="chooser"><legend>Which identity is meant?</legend>
    ${kept.map((s) => option('keep:' + subjectText(s), html`<strong>keep</strong> ${text(subjects.name[s] || subjects.id[s], 80)} ${s === keeper ? html`<span class="tag">suggested</span> ` : nothing}<span class="means">${kindName(s)} ${subjects.id[s]}; ${head.deactivate ? 'the other users are deactivated' : 'the others are work for people'}</span>`))}
    ${linked.map((s) => option('link:' + subjects.id[s], html`<strong>link</strong> to ${text(subjects.name[s] || subjects.id[s], 80)} <span class="means">${kindName(s)} ${subjects.id[s]}</span>`))}
    ${more ? html`<p class="small">and ${count(more)} more, in subjects.csv: for one of them, write a row of your own into the file of decisions: <code>${id},link:</code> and an Okta id, or <code>keep:</code> and a Databricks subject.</p>` : nothing}
    ${option('reject', html`<strong>do nothing</strong> about it`)}
    ${option('', 'not decided')}
    ${decisions.has(id) ? html`<span class="tag">decided here</span>` : nothing}</fieldset>`;
}

// decisionsCSV is the file that aimcheck apply --decisions reads.
function decisionsCSV() {
  const cell = (s) => {
    const safe = /^[=+\-@\t\r']/.test(s) ? "'" + s : s;
    return /[",\r\n]|^ | $/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
  };
  let csv = 'id,decision\n';
  for (const id of [...decisions.keys()].sort()) csv += cell(id) + ',' + cell(decisions.get(id)) + '\n';
  return csv;
}

const decisionsName = () => 'decisions-' + (head.plan.replace(/^sha256:/, '').slice(0, 12) || 'plan') + '.csv';

function saveDecisions() {
  download(decisionsName(), 'text/csv', decisionsCSV());
  taken = decisions.size;
  show();
  announce('The file of decisions was handed to the browser.');
}

function planBar() {
  const unsaved = decisions.size > 0 && taken !== decisions.size;
  return html`<section class="bar-of-plan" aria-label="Decisions">
    <p><strong>${counted(decisions.size, 'decision')}</strong> made in this page${unsaved ? ', not downloaded yet' : ''}.
      <button type="button" id="download" class="primary" ?disabled=${decisions.size === 0} @click=${saveDecisions}>Download the decisions</button></p>
    <p class="small">Then: <code>aimcheck apply plan.json --decisions ${decisionsName()}</code>. What is not decided here stays as the plan has it.${head.expires ? ` The plan holds until ${head.expires}.` : ''}</p>
  </section>`;
}

const planTabs = (here) => html`<p class="tabs"><a href="#/plan" aria-current=${here === 'plan' ? 'page' : 'false'}>Operations <span class="n">${count(operations.n)}</span></a>
  <a href="#/choose" aria-current=${here === 'choose' ? 'page' : 'false'}>To choose <span class="n">${count(choices.n)}</span></a></p>`;

const words = ['approve', 'reject', 'undecided'];

const planTable = once(() => {
  const n = operations.n;
  const distinct = (list) => [...new Set(list)].sort();
  const actions = distinct(operations.action), risks = distinct(operations.risk);
  const number = (o) => words.indexOf(decisionOf(o) || 'undecided');
  return new Table({
    name: 'plan', title: 'Plan', noun: 'operation', n, main: 1,
    hint: 'a name, an id, a value', none: 'The plan has no operations.',
    intro: () => html`${planTabs('plan')}${planBar()}`,
    text: (o) => operations.id[o] + '\n' + subjects.name[operations.target[o]] + '\n' + subjectText(operations.target[o]) + '\n' + operations.from[o] + '\n' + operations.to[o] + '\n' + operations.evidence[o],
    facets: [
      { key: 'decision', label: 'Decision', values: words, of: number, changes: true },
      { key: 'action', label: 'Action', values: actions, labels: actions.map((a) => actionTexts[a]), of: (o) => actions.indexOf(operations.action[o]) },
      { key: 'risk', label: 'Risk', values: risks, of: (o) => risks.indexOf(operations.risk[o]) },
      { key: 'here', label: 'Decided here', values: ['no', 'yes'], of: (o) => (decisions.has(idOf(o)) ? 1 : 0), changes: true },
    ],
    columns: [
      { key: 'id', label: 'Id', cell: (o) => idOf(o), rank: (o) => o },
      { key: 'operation', label: 'Operation', cell: operationLine, rank: (o) => folded(subjects.name[operations.target[o]]) },
      { key: 'because', label: 'Because of', cell: (o) => html`<ul class="bare">${operations.because[o].slice(0, 3).map((f) => html`<li><a href="#/finding/${findingId(f)}">${ruleOf(f).name}</a></li>`)}</ul>` },
      { key: 'decision', label: 'Decision', cell: decider },
    ],
    extra() {
      if (this.found.length === 0) return nothing;
      // Nobody approves by the dozen what is touched only by name.
      const named = this.found.filter((o) => operations.named[o]).length;
      const all = (word) => () => {
        const meant = word === 'approve' ? this.found.filter((o) => !operations.named[o]) : this.found;
        for (const o of meant) {
          if (operations.decision[o] === word) decisions.delete(idOf(o)); else decisions.set(idOf(o), word);
        }
        taken = -1;
        show();
        announce(`${counted(meant.length, 'operation')}: ${word}`);
      };
      return html`<span class="bulk">All ${count(this.found.length)} found:
        <button type="button" id="approve-found" @click=${all('approve')}>approve</button> <button type="button" id="reject-found" @click=${all('reject')}>reject</button>
        ${named ? html`<span class="means">but for ${count(named)} to approve one by one, touched only by name</span>` : nothing}</span>`;
    },
  });
});

const chooseTable = once(() => {
  const n = choices.n;
  const names = head.rules.map((r) => r.name);
  const rule = (c) => findings.rule[choices.finding[c]];
  const severity = (c) => findings.severity[choices.finding[c]];
  return new Table({
    name: 'choose', title: 'To choose', noun: 'finding', n, main: 1,
    hint: 'a name, an id, a word', none: 'Nothing is left to choose.',
    intro: () => html`${planTabs('choose')}${planBar()}`,
    text: (c) => findingsTable().text(choices.finding[c]),
    facets: [
      { key: 'severity', label: 'Severity', values: present(n, severity, head.severities), of: severity },
      { key: 'rule', label: 'Rule', values: present(n, rule, names), of: rule },
      { key: 'here', label: 'Decided here', values: ['no', 'yes'], of: (c) => (decisions.has(findingId(choices.finding[c])) ? 1 : 0), changes: true },
    ],
    columns: [
      { key: 'severity', label: 'Severity', cell: (c) => severityTag(severityOf(choices.finding[c])), rank: (c) => -severity(c) },
      { key: 'finding', label: 'Finding', cell: (c) => html`${findingLink(choices.finding[c])}<span class="means">${ruleOf(choices.finding[c]).name}</span>`, rank: (c) => folded(findings.message[choices.finding[c]]) },
      { key: 'choice', label: 'Choice', cell: chooser },
    ],
  });
});

addEventListener('beforeunload', (e) => {
  if (decisions.size > 0 && taken !== decisions.size) e.preventDefault();
});
