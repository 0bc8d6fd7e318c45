// All layers in numbers: before, and at the stage that is looked at.
import { html, nothing, svg } from 'lit';
import { chooseLayer } from '../actions/look-at.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { layersOf, shownStage, stages } from '../steps.js';
import { SortedTable, sorted, sortHead } from './sorting.js';
import { term } from './term.js';

/** @typedef {import('../types.js').LayerState} LayerState */
/** @typedef {{ index: number, before: LayerState, after: LayerState, bytesBefore: number, bytesAfter: number,
 *   sparsity: number, bits: number }} Row */

/** @type {import('./sorting.js').Column<Row>[]} */
const COLUMNS = [
  { name: 'Layer', key: ({ index }) => index },
  { name: 'Shape', key: ({ after }) => after.shape.join() },
  { name: 'Parameters', key: ({ after }) => after.parameters, number: true },
  { name: 'Bytes before', key: ({ bytesBefore }) => bytesBefore, number: true },
  { name: 'Bytes now', key: ({ bytesAfter }) => bytesAfter, number: true },
  { name: 'Sparsity', key: ({ sparsity }) => sparsity, number: true },
  { name: 'Bits per weight', key: ({ bits }) => bits, number: true },
];

class LayerTable extends SortedTable {
  render() {
    const { network, step, layer, evidence } = get();
    // Of a result by the weights alone there is a table of tensors.
    this.hidden = !network || (evidence === 'weights' && step === 'result');
    if (!network) return nothing;
    const stage = step === 'result' ? (stages().at(-1)?.stage ?? 'original') : (shownStage(step) ?? stages().at(-1)?.stage ?? 'original');
    const rows = this.#rows(layersOf('original'), layersOf(stage));
    const total = (/** @type {(row: Row) => number} */ of) => rows.reduce((sum, row) => sum + of(row), 0);
    return html`
      <h2>Layers <span class="quiet small-text">${stage === 'original' ? 'of the original' : `after ${format.stage(stage)}`}</span></h2>
      <div class="scroll" tabindex="0" role="region" aria-label="The layers">
        <table class="layer-table">
          <thead>
            <tr>
              ${COLUMNS.map((column, index) => sortHead(this, column, index))}
              <th scope="col">Weights</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (row) => html`<tr class=${row.index === layer ? 'chosen' : ''}>
                <th scope="row">
                  <button type="button" class="plain" aria-pressed=${row.index === layer} @click=${() => chooseLayer(row.index)}>${row.after.name}</button>
                </th>
                <td>${format.shape(row.after.shape)}</td>
                <td class="number">${format.count(row.after.parameters)}</td>
                <td class="number">${format.bytes(row.bytesBefore)}</td>
                <td class="number">${format.bytes(row.bytesAfter)}</td>
                <td class="number">${format.percent(row.sparsity)}</td>
                <td class="number">${format.number(row.bits)}</td>
                <td>${sparkline(row.after)}</td>
              </tr>`,
            )}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Total</th>
              <td></td>
              <td class="number">${format.count(total(({ after }) => after.parameters))}</td>
              <td class="number">${format.bytes(total(({ bytesBefore }) => bytesBefore))}</td>
              <td class="number">${format.bytes(total(({ bytesAfter }) => bytesAfter))}</td>
              <td class="number"></td>
              <td></td>
              <td></td>
            </tr>
          </tfoot>
        </table>
      </div>
      <p class="quiet small-text">
        ${term('sparsity', 'Sparsity')} is the share of the original's weights and biases that are removed or zero. Bits per weight are
        averaged over the original's weights and biases. The bytes of layers exclude the file header. Weights: their histogram in grey, or, once they
        share values, a blue line for each value.
      </p>
    `;
  }

  /** @param {LayerState[]} before @param {LayerState[]} after @returns {Row[]} */
  #rows(before, after) {
    const rows = before.map((own, index) => {
      const now = after[index] ?? own;
      const bits = Object.values(now.bits).reduce((sum, part) => sum + part, 0);
      return {
        index,
        before: own,
        after: now,
        bytesBefore: 4 * own.parameters,
        bytesAfter: bits / 8,
        sparsity: 1 - now.nonzeros / own.parameters,
        bits: bits / own.parameters,
      };
    });
    return sorted(this, COLUMNS, rows);
  }
}

/** A layer's histogram or its codebook, in the room of a word. @param {LayerState} layer */
function sparkline({ histogram, centroids, range }) {
  const [width, height] = [96, 24];
  const reach = Math.max(Math.abs(range[0]), Math.abs(range[1])) || 1;
  const x = (/** @type {number} */ value) => ((value / reach + 1) / 2) * width;
  if (centroids.length > 0) {
    const most = Math.max(...centroids.map(([, population]) => population));
    const y = (/** @type {number} */ population) => height - 2 - (Math.log1p(population) / Math.log1p(most)) * (height - 4);
    return html`<svg class="sparkline" width=${width} height=${height} aria-hidden="true">
      ${centroids.map(([value, population]) => svg`<line x1=${x(value)} x2=${x(value)} y1=${height} y2=${y(population)}></line>`)}
    </svg>`;
  }
  const most = Math.max(1, ...histogram);
  const step = (range[1] - range[0]) / histogram.length;
  const path = histogram.map((count, bin) => `L${x(range[0] + bin * step).toFixed(1)} ${(height - (count / most) * (height - 2)).toFixed(1)}`);
  return html`<svg class="sparkline" width=${width} height=${height} aria-hidden="true">
    <path d="M${x(range[0])} ${height}${path.join('')}L${x(range[1])} ${height}Z"></path>
  </svg>`;
}

customElements.define('layer-table', LayerTable);
