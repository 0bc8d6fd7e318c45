// Tables that a click on a column's head sorts.
import { html } from 'lit';
import { Element } from './element.js';

/** What sorts: the column, counted from 0, and whether downwards. @typedef {{ column: number, down: boolean }} Sorting */

/** A column of names or numbers. @template Row @typedef {{ name: string, key: (row: Row) => number | string, number?: boolean }} Column */

/** An element with a table that is sorted, at first by its first column. */
export class SortedTable extends Element {
  /** @type {import('lit').PropertyDeclarations} */
  static properties = { column: { state: true }, down: { state: true } };

  constructor() {
    super();
    this.column = 0;
    this.down = false;
  }
}

/** A head that sorts by its column; numbers begin with the largest. @param {Sorting} host @param {Column<any>} column @param {number} index */
export function sortHead(host, { name, number = false }, index) {
  const chosen = host.column === index;
  const sort = () => {
    host.down = chosen ? !host.down : number;
    host.column = index;
  };
  return html`<th scope="col" class=${number ? 'number' : ''} aria-sort=${chosen ? (host.down ? 'descending' : 'ascending') : 'none'}>
    <button type="button" class="sort" @click=${sort}>${name}<span aria-hidden="true">${chosen ? (host.down ? ' \u25be' : ' \u25b4') : ''}</span></button>
  </th>`;
}

/** The rows in the order that is chosen. @template Row @param {Sorting} sorting @param {Column<Row>[]} columns @param {Row[]} rows @returns {Row[]} */
export function sorted({ column, down }, columns, rows) {
  const { key } = columns[column];
  const order = (/** @type {Row} */ a, /** @type {Row} */ b) => {
    const [left, right] = [key(a), key(b)];
    return typeof left === 'string' ? left.localeCompare(String(right), 'en', { numeric: true }) : left - Number(right);
  };
  return rows.toSorted((a, b) => (down ? -1 : 1) * order(a, b));
}
