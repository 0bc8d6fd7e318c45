// The tensors of an opened file: all in numbers, and one of them drawn.
import { html, nothing } from 'lit';
import { reader } from '../actions/engine.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';
import './tensor-table.js';
import { term } from './term.js';
import './weight-figures.js';

/** @typedef {import('../../pkg/nutshell.js').TensorSummary} Tensor */

class TensorsView extends Element {
  render() {
    const { weights, tensor } = get();
    if (!weights) return nothing;
    const { bytes, summary } = weights;
    const own = summary.tensors[tensor];
    return html`
      <p class="lesson">
        The file has named tensors, which are arrays of numbers: most are a network's ${term('weight', 'weights')}. You can inspect and
        compress them, but not run them, because the graph that connects them ${summary.obstacle ? 'cannot be run here' : 'is not in the file'}.
      </p>
      ${summary.tensors.length > 0 ? html`<tensor-table .tensors=${summary.tensors}></tensor-table>` : html`<p class="quiet">The file has no tensors.</p>`}
      ${own ? figures(own, `${reader.idOf(bytes)} ${tensor}`, [sourceOf('', bytes, tensor)]) : nothing}
    `;
  }
}

/** A tensor drawn. @param {Tensor} tensor @param {string} scope @param {import('./weight-figures.js').Source[]} sources */
export const figures = ({ name, shape }, scope, sources) =>
  html`<weight-figures .name=${format.brief(name)} .shape=${shape} .words=${imageWords(shape)} .scope=${scope} .sources=${sources}></weight-figures>`;

/** A tensor of a file, to be drawn. @param {string} label @param {Uint8Array} file @param {number} tensor @returns {import('./weight-figures.js').Source} */
export const sourceOf = (label, file, tensor) => ({
  label,
  moments: () => reader.moments(file, tensor),
  histogram: (range, bins) => reader.histogram(file, tensor, range, bins),
  picture: (most) => reader.picture(file, tensor, most),
});

/** @param {number[]} shape */
function imageWords(shape) {
  // A kernel that is a line is drawn without its sides of 1.
  const isArea = shape.length === 4 && shape[2] > 1 === shape[3] > 1;
  const [first, second, ...rest] = isArea ? shape : shape.filter((side) => side !== 1);
  if (second === undefined) return 'The numbers in order, from left to right.';
  if (rest.length === 0) return `One row for each of ${format.count(first)} entries of the first dimension, one column for each of ${format.count(second)} of the second.`;
  if (second === 1) return `One tile for each of ${format.count(first)} entries of the first dimension.`;
  return `One column of tiles for each of ${format.count(first)} entries of the first dimension, one row of tiles for each of ${format.count(second)} of the second.`;
}

customElements.define('tensors-view', TensorsView);
