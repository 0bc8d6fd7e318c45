// The tensors of an opened file: all in numbers, and one of them drawn.
import { html, nothing } from 'lit';
import { reader } from '../actions/engine.js';
import { get } from '../state.js';
import { Element } from './element.js';
import './tensor-table.js';
import { term } from './term.js';
import './weight-figures.js';

/** @typedef {import('../../pkg/files.js').TensorSummary} Tensor */

class TensorsView extends Element {
  render() {
    const { weights, tensor } = get();
    if (!weights) return nothing;
    const { bytes, summary } = weights;
    const own = summary.tensors[tensor];
    return html`
      <p class="lesson">
        The file has tensors with names, which are arrays of numbers: most are a network's ${term('weight', 'weights')}. ${weights.obstacle
          ? 'How they work together is not known here, so they can be looked at and made smaller, but not run.'
          : nothing}
      </p>
      ${summary.tensors.length > 0 ? html`<tensor-table .tensors=${summary.tensors}></tensor-table>` : html`<p class="quiet">There is no tensor in it.</p>`}
      ${own ? figures(own, `${reader.idOf(bytes)} ${tensor}`, [sourceOf('', bytes, tensor)]) : nothing}
    `;
  }
}

/** A tensor drawn. @param {Tensor} tensor @param {string} scope @param {import('./weight-figures.js').Source[]} sources */
export const figures = ({ name, shape }, scope, sources) =>
  html`<weight-figures .name=${name} .shape=${shape} .words=${imageWords(shape)} .scope=${scope} .sources=${sources}></weight-figures>`;

/** A tensor of a file, to be drawn. @param {string} label @param {Uint8Array} file @param {number} tensor @returns {import('./weight-figures.js').Source} */
export const sourceOf = (label, file, tensor) => ({
  label,
  moments: () => reader.moments(file, tensor),
  histogram: (range, bins) => reader.histogram(file, tensor, range, bins),
  picture: (most) => reader.picture(file, tensor, most),
});

/** @param {number[]} shape */
function imageWords(shape) {
  if (shape.length < 2) return 'One number after the other, from left to right.';
  if (shape.length === 2) return 'A row for each of the first side, a column for each of the second.';
  return shape[1] === 1 ? 'A tile for each of the first side.' : 'A column of tiles for each of the first side, a row for each of the second.';
}

customElements.define('tensors-view', TensorsView);
