// Addresses lead to views: #/findings?rule=…, #/identity/databricks:user:123.

let current = () => nothing;
let ready = false;
let printing = false;

const view = document.getElementById('view');
const summary = document.getElementById('summary');
const rulesView = document.getElementById('rules');

function show() { render(current(), view); }

let saying;
// announce tells readers who don't see the page, when typing pauses.
function announce(says) {
  clearTimeout(saying);
  saying = setTimeout(() => { document.getElementById('live').textContent = says; }, 300);
}

function trouble(says) {
  const box = document.getElementById('trouble');
  box.textContent = says;
  box.hidden = false;
}

const tables = { findings: findingsTable, identities: identitiesTable, plan: planTable, choose: chooseTable };
const navOf = { finding: 'findings', identity: 'identities', choose: 'plan' };

function place() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?', 2);
  const slash = path.indexOf('/');
  let rest = slash < 0 ? undefined : path.slice(slash + 1);
  try { rest = rest && decodeURIComponent(rest); } catch { /* as it stands */ }
  return { name: slash < 0 ? path : path.slice(0, slash), rest, params: new URLSearchParams(query ?? '') };
}

let turn = 0;
async function go(first) {
  const { name, rest, params } = place();
  if (name === 'main') return; // the skip link
  const mine = ++turn;
  const plain = name === '' || name === 'rules' || !(name in tables || ['finding', 'identity', 'tasks'].includes(name));
  if (!plain && !ready) {
    current = () => html`<h1 tabindex="-1">One moment</h1><p>The data of this page is being unpacked.</p>`;
  } else if (name in tables) {
    const t = tables[name]();
    t.take(params);
    current = () => t.view();
    t.prepare();
  } else if (!plain) {
    const page = await { finding: findingPage, identity: identityPage, tasks: workPage }[name](rest);
    if (mine !== turn) return;
    current = page;
  } else {
    current = () => nothing;
  }
  summary.hidden = !plain || name === 'rules';
  rulesView.hidden = name !== 'rules';
  show();
  document.querySelectorAll('#nav a').forEach((a) => {
    const to = a.getAttribute('href').replace('#/', '');
    if (to === (plain && name !== 'rules' ? '' : navOf[name] ?? name)) a.setAttribute('aria-current', 'page'); else a.removeAttribute('aria-current');
  });
  if (name === 'rules') document.getElementById('rule-' + rest)?.scrollIntoView(); else if (!first) scrollTo(0, 0);
  if (plain && name !== 'rules') drawFlows();
  const heading = name === 'rules' && rest ? document.getElementById('rule-' + rest + '-h') : plain ? (name === 'rules' ? document.getElementById('rules-title') : document.getElementById('verdict')) : view.querySelector('h1');
  const about = plain && name !== 'rules' ? heading.textContent : heading?.textContent.slice(0, 80);
  document.title = 'aimcheck: ' + (about ?? '').replace(/\s+/g, ' ').trim();
  if (!first) {
    if (heading && !heading.hasAttribute('tabindex')) heading.tabIndex = -1;
    heading?.focus({ preventScroll: true });
  }
}

addEventListener('hashchange', () => go(false));
addEventListener('beforeprint', () => { printing = true; if (ready) show(); });
addEventListener('afterprint', () => { printing = false; if (ready) show(); });
new ResizeObserver(() => drawFlows()).observe(document.getElementById('main'));

document.documentElement.classList.add('scripted');
document.getElementById('nav').hidden = false;
go(true);

if (!('DecompressionStream' in globalThis)) {
  trouble('This browser is too old for the tables of this page: it needs one of 2023 or later. The summary is complete; the rest stands in the CSV files and the workbook.');
} else {
  load().then(() => findingsTable().prepare()).then(() => {
    ready = true;
    drawDomains();
    return go(true);
  }).then(() => {
    document.documentElement.dataset.ready = 'yes';
    performance.mark('ready');
  }).catch((e) => trouble('The data of this page is damaged, so that its tables are missing: ' + e.message + '. Have the report made again.'));
}
