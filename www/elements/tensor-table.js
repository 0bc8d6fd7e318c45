// The tensors of a file in numbers, and what became of each.
import { html, nothing } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { chooseTensor } from '../actions/weights.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { SortedTable, sorted, sortHead } from './sorting.js';

/** @typedef {import('../../pkg/nutshell.js').TensorSummary & { snr?: number | null, bytes?: number, changed?: boolean }} Tensor */
/** @typedef {Tensor & { index: number, elements: number }} Row */

/** @type {import('./sorting.js').Column<Row>[]} */
const COLUMNS = [
  { name: 'Tensor', key: ({ index }) => index },
  { name: 'Shape', key: ({ shape }) => shape.join() },
  { name: 'Type', key: ({ dtype }) => dtype },
  { name: 'Elements', key: ({ elements }) => elements, number: true },
  { name: 'Nonzero', key: ({ nonzeros, elements }) => nonzeros / Math.max(1, elements), number: true },
];

/** What only a `.nut` file has. @type {import('./sorting.js').Column<Row>} */
const STEP = { name: 'Step', key: ({ step }) => step ?? 0, number: true };

/** What only a run's report has. @type {import('./sorting.js').Column<Row>[]} */
const REPORTED = [
  { name: 'Bytes', key: ({ bytes }) => bytes ?? 0, number: true },
  { name: 'Signal to noise', key: ({ snr }) => snr ?? Infinity, number: true },
];

/** Where a key leads from a row of so many. @type {Record<string, (place: number, count: number) => number>} */
const MOVES = {
  ArrowDown: (place, count) => Math.min(place + 1, count - 1),
  ArrowUp: (place) => Math.max(place - 1, 0),
  Home: () => 0,
  End: (_, count) => count - 1,
};

class TensorTable extends SortedTable {
  static properties = { tensors: {}, reported: { type: Boolean } };

  constructor() {
    super();
    /** @type {Tensor[]} */
    this.tensors = [];
    /** Whether the tensors are those of a run's report. */
    this.reported = false;
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('tensors')) [this.column, this.down] = [0, false];
  }

  render() {
    const { tensor } = get();
    const steps = this.tensors.some(({ step }) => step !== null);
    const columns = [...COLUMNS, ...(steps ? [STEP] : []), ...(this.reported ? REPORTED : [])];
    // A state that says nothing new of hundreds of rows does not draw them again.
    return guard([this.tensors, tensor, this.column, this.down], () => {
      const rows = sorted(this, columns, this.tensors.map((own, index) => ({ ...own, index, elements: format.product(own.shape) })));
      return html`
        <div class="scroll tall" tabindex="0" role="region" aria-label="The tensors">
          <table class="layer-table">
            <thead>
              <tr>${columns.map((column, index) => sortHead(this, column, index))}</tr>
            </thead>
            <tbody @keydown=${(/** @type {KeyboardEvent} */ event) => this.#move(event, rows, tensor)}>
              ${rows.map((row) => this.#row(row, row.index === tensor, steps))}
            </tbody>
          </table>
        </div>
      `;
    });
  }

  /** @param {Row} row @param {boolean} chosen @param {boolean} steps Whether any has one. */
  #row({ index, name, shape, dtype, dequantized, elements, nonzeros, step, bytes, snr, changed }, chosen, steps) {
    return html`<tr class=${chosen ? 'chosen' : ''}>
      <th scope="row">
        <button type="button" class="plain" title=${name} data-tensor=${index} tabindex=${chosen ? 0 : -1} aria-pressed=${chosen} @click=${() => chooseTensor(index)}>${format.brief(name) || 'unnamed'}</button>
      </th>
      <td>${format.shape(shape) || 'one number'}</td>
      <td>${dtype}${dequantized ? html` <span class="tag">quantised</span>` : nothing}</td>
      <td class="number">${format.count(elements)}</td>
      <td class="number">${elements ? format.percent(nonzeros / elements) : ''}</td>
      ${steps ? html`<td class="number">${step === null ? '' : format.number(step)}</td>` : nothing}
      ${this.reported
        ? html`<td class="number">${format.bytes(Math.ceil(bytes ?? 0))}</td>
            <td class="number">${typeof snr === 'number' ? format.decibels(snr) : changed ? 'rounded' : 'unchanged'}</td>`
        : nothing}
    </tr>`;
  }

  /** The arrow keys choose the next row: hundreds of them are one stop of the Tab key. @param {KeyboardEvent} event @param {Row[]} rows @param {number} chosen */
  async #move(event, rows, chosen) {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const { index } = rows[move(rows.findIndex((row) => row.index === chosen), rows.length)];
    chooseTensor(index);
    await this.updateComplete;
    /** @type {HTMLElement | null} */ (this.querySelector(`[data-tensor="${index}"]`))?.focus();
  }
}

customElements.define('tensor-table', TensorTable);
