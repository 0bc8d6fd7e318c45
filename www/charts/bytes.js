import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes } from './axis.js';
import { Chart, data } from './chart.js';

/** @typedef {{ name: string, parts: number[] }} Row */

const ROW = 28;
const MARGIN = { top: 4, right: 64, bottom: 22, left: 84 };

/**
 * Stacked bars of bytes, a row a thing.
 *
 * Properties: `kinds`, what the parts are called, at most six; `rows`, each with its `name` and its `parts`, bytes in the
 * order of the kinds.
 *
 * @element nutshell-bytes
 */
export class BytesChart extends Chart {
  static properties = { ...Chart.properties, kinds: data, rows: data };

  constructor() {
    super();
    /** @type {string[]} */
    this.kinds = [];
    /** @type {Row[]} */
    this.rows = [];
  }

  get #x() {
    return scaleLinear([0, max(this.rows, (row) => sum(row.parts)) || 1], [MARGIN.left, this.width - MARGIN.right]);
  }

  draw() {
    if (this.rows.length === 0) return nothing;
    const height = MARGIN.top + this.rows.length * ROW + MARGIN.bottom;
    const x = this.#x;
    return html`
      <ul class="legend">
        ${this.kinds.map((kind, index) => html`<li><span class="swatch kind-${index}"></span>${kind}</li>`)}
      </ul>
      <svg width=${this.width} height=${height} role="img" aria-label=${this.label}>
        ${this.rows.map((row, index) => this.#row(row, MARGIN.top + index * ROW, x))}
        <g class="x axis" transform="translate(0 ${height - MARGIN.bottom})"></g>
      </svg>
    `;
  }

  /** @param {Row} row @param {number} top @param {(value: number) => number} x */
  #row({ name, parts }, top, x) {
    let start = 0;
    const bars = parts.map((size, kind) => {
      const from = x(start);
      start += size;
      return svg`<rect class="kind-${kind}" x=${from} y=${top + 4} width=${Math.max(0, x(start) - from)} height=${ROW - 8}>
        <title>${this.kinds[kind]}: ${format.bytes(size)}</title></rect>`;
    });
    const middle = top + ROW / 2;
    return svg`<text class="ink" x=${MARGIN.left - 8} y=${middle} text-anchor="end" dominant-baseline="central">${name}</text>
      ${bars}
      <text class="ink" x=${x(start) + 6} y=${middle} dominant-baseline="central">${format.bytes(start)}</text>`;
  }

  updated() {
    if (this.width && this.rows.length > 0) drawAxes(this.renderRoot, { x: this.#x, ticks: [this.width > 500 ? 7 : 3, 0] });
  }

  table() {
    return {
      columns: ['', ...this.kinds, 'Total'],
      rows: this.rows.map(({ name, parts }) => [name, ...parts.map((part) => format.bytes(part)), format.bytes(sum(parts))]),
    };
  }
}

/** @param {number[]} numbers */
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

customElements.define('nutshell-bytes', BytesChart);
