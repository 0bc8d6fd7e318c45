// Where a file's bytes are: stacked bars by kind, the whole file and each layer.
import { scaleLinear } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes } from './axis.js';
import { Chart } from './chart.js';

/** @typedef {import('../types.js').LayerState} LayerState */

/** @type {{ kind: keyof LayerState['bits'] | 'head', label: string }[]} */
const KINDS = [
  { kind: 'positions', label: 'which weights are not zero' },
  { kind: 'signs', label: 'signs' },
  { kind: 'magnitudes', label: 'magnitudes' },
  { kind: 'biases', label: 'biases' },
  { kind: 'codebook', label: 'codebooks' },
  { kind: 'head', label: 'head of the file and rounding' },
];

const ROW = 26;
const MARGIN = { top: 4, right: 56, bottom: 22, left: 72 };

class ByteBars extends Chart {
  static properties = { ...Chart.properties, layers: {}, total: {} };

  constructor() {
    super();
    /** @type {LayerState[]} */
    this.layers = [];
    /** Bytes of the file. */
    this.total = 0;
  }

  /** Bytes by kind, a row for the file and one for each layer. */
  get #rows() {
    const layers = this.layers.map(({ name, bits }) => ({
      name,
      bytes: KINDS.map(({ kind }) => (kind === 'head' ? 0 : bits[kind] / 8)),
    }));
    const sums = KINDS.map((_, index) => layers.reduce((sum, layer) => sum + layer.bytes[index], 0));
    // What is no parameter's: magic, topology, widths, checksum, and the last byte's unused bits.
    sums[KINDS.length - 1] = this.total - sums.reduce((sum, bytes) => sum + bytes, 0);
    return [{ name: 'file', bytes: sums }, ...layers];
  }

  get #x() {
    return scaleLinear([0, this.total], [MARGIN.left, this.width - MARGIN.right]);
  }

  render() {
    if (!this.width) return nothing;
    const rows = this.#rows;
    const height = MARGIN.top + rows.length * ROW + MARGIN.bottom;
    const words = KINDS.map(({ label }, index) => `${label} ${format.bytes(Math.round(rows[0].bytes[index]))}`).join(', ');
    return html`
      <ul class="legend">
        ${KINDS.map(
          ({ label }, index) => html`<li><span class="swatch kind-${index}"></span>${label}
            <span class="quiet">${format.bytes(Math.round(rows[0].bytes[index]))}</span></li>`,
        )}
      </ul>
      <svg class="chart" width=${this.width} height=${height} role="img" aria-label="Bytes by kind: ${words}">
        ${rows.map((row, index) => this.#row(row, MARGIN.top + index * ROW))}
        <g class="x axis" transform="translate(0 ${height - MARGIN.bottom})"></g>
      </svg>
    `;
  }

  /** @param {{ name: string, bytes: number[] }} row @param {number} top */
  #row({ name, bytes }, top) {
    const x = this.#x;
    let start = 0;
    const parts = bytes.map((size, kind) => {
      const from = x(start);
      start += size;
      return svg`<rect class="kind-${kind}" x=${from} y=${top + 4} width=${x(start) - from} height=${ROW - 8}>
        <title>${KINDS[kind].label}: ${format.bytes(Math.round(size))}</title></rect>`;
    });
    return svg`<text class="row-name" x=${MARGIN.left - 8} y=${top + ROW / 2} text-anchor="end" dominant-baseline="central">${name}</text>
      ${parts}
      <text class="row-value" x=${x(start) + 6} y=${top + ROW / 2} dominant-baseline="central">${format.bytes(Math.round(start))}</text>`;
  }

  updated() {
    if (this.width) drawAxes(this, { x: this.#x, ticks: [this.width > 500 ? 8 : 4, 0] });
  }
}

customElements.define('byte-bars', ByteBars);
