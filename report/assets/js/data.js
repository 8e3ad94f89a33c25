// The data of the page: columns, unpacked from its blocks.
const head = JSON.parse(document.getElementById('head').textContent);

const ruleNumber = new Map(head.rules.map((r, i) => [r.name, i]));

const subjects = { kind: [], id: [], name: [] };
const findings = { n: 0, rule: [], severity: [], remedy: [], waived: [], hash: [], key: [], message: [], subjects: [], operations: [], since: [], state: [] };
const operations = { n: 0, id: [], action: [], target: [], field: [], from: [], to: [], because: [], evidence: [], risk: [], reversible: [], decision: [], named: [] };
const choices = { n: 0, finding: [], candidates: [], records: [], suggested: [] };
const rows = { n: 0, subject: [], externalId: [], link: [], okta: [], email: [], status: [], matched: [], now: [], after: [],
  given: [], family: [], active: [], admin: [], groups: [], first: [], last: [] };
const files = new Map();

async function unpacked(element) {
  const base64 = element.textContent;
  let bytes;
  if (Uint8Array.fromBase64) {
    bytes = Uint8Array.fromBase64(base64);
  } else {
    const binary = atob(base64);
    bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

function add(table, block, columns) {
  for (const name of columns) for (const v of block[name]) table[name].push(v);
  table.n = table[columns[0]].length;
}

const worded = (list, words) => list.map((n) => words[n]);

const readers = {
  findings(b) {
    b.since = worded(b.since, b.days);
    b.state = worded(b.state, b.states);
    add(findings, b, ['rule', 'severity', 'remedy', 'waived', 'hash', 'key', 'message', 'subjects', 'operations', 'since', 'state']);
  },
  plan(b) {
    b.action = worded(b.action, b.actions);
    b.field = worded(b.field, b.fields);
    b.risk = worded(b.risk, b.risks);
    add(operations, b, ['id', 'action', 'target', 'field', 'from', 'to', 'because', 'evidence', 'risk', 'reversible', 'decision', 'named']);
  },
  choices(b) {
    add(choices, b, ['finding', 'candidates', 'records', 'suggested']);
  },
  crosswalk(b) {
    b.status = worded(b.status, b.statuses);
    add(rows, b, ['subject', 'externalId', 'link', 'okta', 'email', 'status', 'matched', 'now', 'after',
      'given', 'family', 'active', 'admin', 'groups', 'first', 'last']);
  },
};

const blockElements = (kind) => [...document.querySelectorAll(`script[data-block="${kind}"]`)];
const detailElements = blockElements('details');
const fileElements = blockElements('file');

// load unpacks all blocks but the details, in the order of the page.
async function load() {
  for (const element of document.querySelectorAll('script[data-block]')) {
    const read = readers[element.dataset.block];
    if (!read) continue;
    const b = await unpacked(element);
    element.remove();
    if (b.kinds) {
      for (let i = 0; i < b.kinds.length; i++) {
        subjects.kind.push(b.kinds[i]);
        subjects.id.push(b.ids[i]);
        subjects.name.push(b.names[i]);
      }
    }
    read(b);
  }
}

const detailRows = 1000;
const detailBlocks = new Map();

// detail returns what only a finding's own page shows.
async function detail(f) {
  const at = Math.floor(f / detailRows);
  if (!detailBlocks.has(at)) detailBlocks.set(at, await unpacked(detailElements[at]));
  const b = detailBlocks.get(at);
  const row = b.rows[f % detailRows];
  const evidence = [];
  for (let i = 2; i < row.length; i += 4) {
    evidence.push({ subject: row[i], role: b.roles[row[i + 1]], field: b.fields[row[i + 2]], value: row[i + 3] });
  }
  return { todo: row[0], waiver: row[1], evidence };
}

// file returns a file that the page carries, as it stands beside the report.
async function file(name) {
  for (const element of fileElements) {
    const f = files.get(element) ?? (await unpacked(element));
    files.set(element, f);
    if (f.name === name) return f.text;
  }
  return undefined;
}

const findingId = (f) => head.rules[findings.rule[f]].name + '-' + findings.hash[f];
const subjectText = (s) => head.kinds[subjects.kind[s]] + ':' + subjects.id[s];
const inOkta = (s) => head.kinds[subjects.kind[s]].startsWith('okta:');

// once remembers what a function without arguments returned.
function once(make) {
  let made, done = false;
  return () => {
    if (!done) { made = make(); done = true; }
    return made;
  };
}

const findingOf = once(() => new Map(findings.hash.map((_, f) => [findingId(f), f])));
const subjectOf = once(() => new Map(subjects.id.map((_, s) => [subjectText(s), s])));

// lists groups the numbers 0..n-1 by what each one belongs to.
function lists(n, of) {
  const map = new Map();
  const put = (key, i) => {
    if (key < 0) return;
    const list = map.get(key);
    if (list) list.push(i); else map.set(key, [i]);
  };
  for (let i = 0; i < n; i++) for (const key of of(i)) put(key, i);
  return (key) => map.get(key) ?? [];
}

const findingsAbout = once(() => lists(findings.n, (f) => findings.subjects[f]));
const operationsOn = once(() => lists(operations.n, (o) => [operations.target[o]]));
const rowOf = once(() => lists(rows.n, (r) => [rows.subject[r]]));
const rowsBeside = once(() => lists(rows.n, (r) => [rows.okta[r]]));
const choiceOf = once(() => lists(choices.n, (c) => [choices.finding[c]]));
