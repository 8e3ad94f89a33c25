// A table that searches, filters, sorts and pages over columns. Its state is in
// the address, so that a view can be kept, sent on and gone back to.

const pageSizes = [25, 50, 100, 500];
const rowEnd = '\u0001'; // not beyond Latin-1: a text of that alone takes half the memory

// A table has: name (of the view), n, text(i) to search in, facets, columns.
// A facet has: key, label, values (texts), of(i) (its number), and labels.
// A column has: key, label, cell(i), and rank(i) when it can be sorted by.
class Table {
  constructor(spec) {
    Object.assign(this, spec);
    this.ranks = new Map();
    this.codes = new Map();
    this.state = { q: '', sort: '', down: false, page: 0, size: 50, facets: {} };
  }

  // take reads the state from an address.
  take(params) {
    const s = this.state;
    s.q = params.get('q') ?? '';
    s.sort = this.columns.some((c) => c.rank && c.key === params.get('sort')) ? params.get('sort') : '';
    s.down = params.get('order') === 'down';
    s.size = pageSizes.includes(Number(params.get('size'))) ? Number(params.get('size')) : 50;
    s.facets = {};
    for (const f of this.facets) {
      const v = params.get(f.key);
      if (v !== null && f.values.includes(v)) s.facets[f.key] = v;
    }
    this.find();
    s.page = Math.min(Math.max(0, Number(params.get('page') ?? 1) - 1 || 0), this.pages() - 1);
  }

  address() {
    const s = this.state;
    const p = new URLSearchParams();
    if (s.q) p.set('q', s.q);
    for (const f of this.facets) if (f.key in s.facets) p.set(f.key, s.facets[f.key]);
    if (s.sort) p.set('sort', s.sort);
    if (s.sort && s.down) p.set('order', 'down');
    if (s.size !== 50) p.set('size', s.size);
    if (s.page) p.set('page', s.page + 1);
    const query = p.toString();
    return '#/' + this.name + (query ? '?' + query : '');
  }

  pages() { return Math.max(1, Math.ceil(this.found.length / this.state.size)); }

  // haystack is the folded text of all rows in one string, each ended by a
  // character that is left out of texts, and where each row starts: to search one long
  // string is many times faster than a hundred thousand short ones.
  haystack() {
    this.hay ??= this.stacked([this.texts(0, this.n)]);
    return this.hay;
  }

  // prepare makes the haystack a few rows at a time, so that the first search need
  // not wait for it, nor anything else meanwhile.
  async prepare() {
    const parts = [];
    for (let from = 0; from < this.n && !this.hay; from += 4000) {
      parts.push(this.texts(from, Math.min(from + 4000, this.n)));
      await new Promise((done) => setTimeout(done));
    }
    this.hay ??= this.stacked(parts);
  }

  // texts is the folded text of some rows.
  texts(from, to) {
    let all = '';
    for (let i = from; i < to; i++) {
      const t = this.text(i);
      all += (t.includes(rowEnd) ? t.replaceAll(rowEnd, ' ') : t) + rowEnd;
    }
    return folded(all);
  }

  stacked(parts) {
    const all = parts.join('');
    const starts = new Int32Array(this.n + 1);
    for (let i = 0, at = 0; i < this.n; i++) {
      at = all.indexOf(rowEnd, at) + 1;
      starts[i + 1] = at;
    }
    return { all, starts };
  }

  // having marks the rows that have the word.
  having(word) {
    const { all, starts } = this.haystack();
    const marks = new Uint8Array(this.n);
    let row = 0;
    for (let at = all.indexOf(word); at >= 0; at = all.indexOf(word, starts[row])) {
      let high = this.n; // the row is the last that starts at or before the hit
      while (high - row > 1) {
        const middle = (row + high) >> 1;
        if (starts[middle] <= at) row = middle; else high = middle;
      }
      marks[row++] = 1;
      if (row === this.n) break;
    }
    return marks;
  }

  // codesOf returns the facet's numbers of all rows; a facet that changes is not kept.
  codesOf(f) {
    let codes = f.changes ? undefined : this.codes.get(f.key);
    if (!codes) {
      codes = new Uint16Array(this.n);
      for (let i = 0; i < this.n; i++) codes[i] = f.of(i);
      this.codes.set(f.key, codes);
    }
    return codes;
  }

  // find fills found with the rows that fit, sorted.
  find() {
    const s = this.state;
    const wanted = [];
    for (const f of this.facets) {
      if (f.key in s.facets) wanted.push([this.codesOf(f), f.values.indexOf(s.facets[f.key])]);
    }
    const words = folded(s.q.replaceAll(rowEnd, '')).split(/\s+/u).filter((w) => w).map((w) => this.having(w));
    const found = new Int32Array(this.n);
    let n = 0;
    rows: for (let i = 0; i < this.n; i++) {
      for (const [codes, value] of wanted) if (codes[i] !== value) continue rows;
      for (const has of words) if (!has[i]) continue rows;
      found[n++] = i;
    }
    this.found = found.subarray(0, n);
    if (s.sort) {
      const rank = this.rankOf(s.sort);
      this.found.sort(s.down ? (a, b) => rank[b] - rank[a] || a - b : (a, b) => rank[a] - rank[b] || a - b);
    }
  }

  // rankOf numbers all rows in the order of a column.
  rankOf(key) {
    let rank = this.ranks.get(key);
    if (rank) return rank;
    const by = this.columns.find((c) => c.key === key).rank;
    const values = new Array(this.n);
    for (let i = 0; i < this.n; i++) values[i] = by(i);
    const order = Array.from(values.keys());
    order.sort((a, b) => (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : a - b));
    rank = new Int32Array(this.n);
    let n = 0;
    for (let k = 0; k < order.length; k++) {
      if (k > 0 && values[order[k]] !== values[order[k - 1]]) n = k;
      rank[order[k]] = n;
    }
    this.ranks.set(key, rank);
    return rank;
  }

  // change takes a new state, and shows it.
  change(part, more = {}) {
    Object.assign(this.state, { page: 0 }, part);
    this.find();
    history.replaceState(null, '', this.address());
    show();
    announce(this.says());
    if (more.focus) document.getElementById(more.focus)?.focus();
  }

  says() {
    return this.found.length === this.n ? `${counted(this.n, this.noun)}` : `${count(this.found.length)} of ${counted(this.n, this.noun)}`;
  }

  facet(f) {
    const s = this.state;
    return html`<label class="facet"><span>${f.label}</span>
      <select data-facet=${f.key} @change=${(e) => {
        const facets = { ...s.facets };
        if (e.target.value === '') delete facets[f.key]; else facets[f.key] = e.target.value;
        this.change({ facets });
      }}>
        <option value="" .selected=${live(!(f.key in s.facets))}>any</option>
        ${f.values.map((v, i) => (v === undefined ? nothing : html`<option value=${v} .selected=${live(s.facets[f.key] === v)}>${f.labels?.[i] ?? v}</option>`))}
      </select></label>`;
  }

  tools() {
    const s = this.state;
    const active = s.q !== '' || Object.keys(s.facets).length > 0;
    return html`<form class="tools" role="search" @submit=${(e) => e.preventDefault()}>
      <label class="facet search"><span>Search</span>
        <input type="search" id="search" autocomplete="off" spellcheck="false" placeholder=${this.hint} .value=${live(s.q)}
          @input=${(e) => this.change({ q: e.target.value })}></label>
      ${this.facets.map((f) => this.facet(f))}
      <p class="found"><strong>${this.says()}</strong>
        ${active ? html`<button type="button" class="link" @click=${() => this.change({ q: '', facets: {} }, { focus: 'search' })}>show all</button>` : nothing}
        ${this.extra?.() ?? nothing}</p>
    </form>`;
  }

  pager() {
    const s = this.state, last = this.pages() - 1;
    if (this.found.length <= pageSizes[0]) return nothing;
    const to = (page) => this.change({ page: Math.min(Math.max(0, page), last) }, { focus: 'rows' });
    return html`<nav class="pager" aria-label="Pages of the table">
      <button type="button" ?disabled=${s.page === 0} @click=${() => to(0)}>First</button>
      <button type="button" ?disabled=${s.page === 0} @click=${() => to(s.page - 1)}>Previous</button>
      <label><span>Page</span> <input type="number" id="page" min="1" max=${last + 1} .value=${live(String(s.page + 1))}
        @change=${(e) => to(Number(e.target.value) - 1 || 0)}> <span>of ${count(last + 1)}</span></label>
      <button type="button" ?disabled=${s.page === last} @click=${() => to(s.page + 1)}>Next</button>
      <button type="button" ?disabled=${s.page === last} @click=${() => to(last)}>Last</button>
      <label><span>Rows</span> <select id="size" @change=${(e) => this.change({ size: Number(e.target.value) })}>
        ${pageSizes.map((n) => html`<option value=${n} .selected=${live(s.size === n)}>${n}</option>`)}</select></label>
    </nav>`;
  }

  header(c) {
    if (!c.rank) return html`<th scope="col">${c.label}</th>`;
    const s = this.state, here = s.sort === c.key;
    const click = () => this.change(here && s.down ? { sort: '', down: false } : { sort: c.key, down: here });
    return html`<th scope="col" aria-sort=${here ? (s.down ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="sort" data-sort=${c.key} @click=${click}>${c.label}<span aria-hidden="true" class="arrow">${here ? (s.down ? '▼' : '▲') : '↕'}</span></button></th>`;
  }

  body() {
    const s = this.state;
    const from = s.page * s.size;
    const shown = this.found.subarray(from, from + (printing ? 1000 : s.size));
    if (shown.length === 0) return html`<p class="empty">${this.n === 0 ? this.none : 'Nothing fits the search and the filters.'}</p>`;
    return html`<table class="list cards" id="rows" tabindex="-1" role="table">
      <caption class="sr">${this.title}, ${this.says()}, rows ${count(from + 1)} to ${count(from + shown.length)}</caption>
      <thead role="rowgroup"><tr role="row">${this.columns.map((c) => this.header(c))}</tr></thead>
      <tbody role="rowgroup">${Array.from(shown, (i) => html`<tr role="row">${this.columns.map((c, k) =>
        k === this.main ? html`<th scope="row" role="rowheader">${c.cell(i)}</th>` : html`<td role="cell" data-label=${c.label}>${c.cell(i)}</td>`)}</tr>`)}</tbody>
    </table>`;
  }

  view() {
    return html`<h1 tabindex="-1">${this.title}</h1>
      ${this.intro?.() ?? nothing}
      ${this.tools()}${this.body()}${this.pager()}`;
  }
}
