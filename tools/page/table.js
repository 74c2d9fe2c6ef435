/* The part of Grid.js's interface that benchopt's page uses: a table that is
 * sorted by a click on a column's name and searched by a text field.
 * Same class names, because benchopt reads the table back by them.
 */
const gridjs = (() => {
  const element = (tag, className, text) => {
    const made = document.createElement(tag);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const html = (markup) => ({markup});
  /* Let long names break after a comma or an opening bracket. */
  const addBreaks = (cell) => {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.forEach((text) => text.replaceWith(
      ...text.data.split(/(?<=[,[])/).flatMap(
        (part, i) => (i ? [document.createElement('wbr'), part] : [part])),
    ));
  };

  class Grid {
    constructor({columns, data}) {
      this.columns = columns;
      this.data = data;
      this.sorted = {column: null, direction: 1};
      this.sought = '';
      this.readyCalls = [];
    }

    on(event, call) {
      if (event === 'ready') this.readyCalls.push(call);
    }

    render(container) {
      const root = element('div', 'gridjs-container');
      const search = element('input', 'gridjs-search-input');
      search.type = 'search';
      search.placeholder = 'Search';
      search.setAttribute('aria-label', 'Search the table');
      search.addEventListener('input', () => {
        this.sought = search.value.trim().toLowerCase();
        this.fill();
      });
      this.table = element('table', 'gridjs-table');
      const scroller = element('div', 'gridjs-wrapper');
      scroller.append(this.table);
      root.append(search, scroller);
      container.append(root);
      this.fill();
      this.readyCalls.forEach((call) => call());
    }

    forceRender() {
      this.fill();
    }

    /* One entry a column that is shown: its index and description. */
    shown() {
      return [...this.columns.entries()].filter(([, column]) =>
        !column.hidden);
    }

    cell(value, column) {
      // benchopt would show a gap of 1e-10 as 0.0000
      const small = typeof value === 'number' && value !== 0
        && Math.abs(value) < 10 ** -tableFloatPrecision;
      const formatted = small ? value.toExponential(1)
        : Number.isNaN(value) ? '' : column.formatter(value);
      const made = element(
        'td', `gridjs-td${typeof value === 'number' ? ' page-number' : ''}`,
      );
      if (formatted && formatted.markup !== undefined) {
        made.innerHTML = formatted.markup;
      } else {
        made.textContent = formatted ?? '';
      }
      addBreaks(made);
      return made;
    }

    rows() {
      const {column, direction} = this.sorted;
      const rows = column === null ? this.data : [...this.data].sort(
        (a, b) => direction *
          this.columns[column].sort.compare(a[column], b[column]));
      return rows.map((row) => {
        const made = element('tr', 'gridjs-tr');
        made.append(...this.shown().map(([i, one]) => this.cell(row[i], one)));
        return made;
      }).filter((row) => row.textContent.toLowerCase().includes(this.sought));
    }

    header([i, {name}]) {
      const {column, direction} = this.sorted;
      const order = column !== i ? 'neutral' : direction > 0 ? 'asc' : 'desc';
      const made = element('th', 'gridjs-th');
      made.setAttribute('aria-sort', {
        asc: 'ascending', desc: 'descending', neutral: 'none',
      }[order]);
      const button = element('button', `gridjs-sort gridjs-sort-${order}`);
      button.setAttribute('aria-label', `Sort by ${name}`);
      made.append(element('div', 'gridjs-th-content', name), button);
      made.addEventListener('click', () => {
        this.sorted = {
          column: i, direction: order === 'asc' ? -1 : 1,
        };
        this.fill();
      });
      return made;
    }

    fill() {
      const head = document.createElement('thead');
      const names = element('tr', 'gridjs-tr');
      names.append(...this.shown().map((one) => this.header(one)));
      head.append(names);
      const body = document.createElement('tbody');
      const rows = this.rows();
      body.append(...rows);
      this.table.replaceChildren(head, body);
    }
  }

  return {Grid, html};
})();
