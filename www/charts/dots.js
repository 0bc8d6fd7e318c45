import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes } from './axis.js';
import { Chart, data } from './chart.js';

const ROW = 22;
const MARGIN = { top: 4, bottom: 36, left: 66, right: 58 };

/**
 * A few numbers of each of several things, as dots on a line a thing.
 *
 * Properties: `series`, what the numbers are called, at most six; `rows`, each with its `name`, how often it occurs (`count`),
 * and its `values`, in the order of the series; `unit`, the words below the axis.
 *
 * @element nutshell-dots
 */
export class DotsChart extends Chart {
  static properties = { ...Chart.properties, series: data, rows: data, unit: {} };

  constructor() {
    super();
    /** @type {string[]} */
    this.series = [];
    /** @type {{ name: string, count: number, values: number[] }[]} */
    this.rows = [];
    this.unit = '';
  }

  get #x() {
    return scaleLinear([0, max(this.rows, ({ values }) => Math.max(...values)) || 1], [MARGIN.left, this.width - MARGIN.right]);
  }

  draw() {
    if (this.rows.length === 0) return nothing;
    const x = this.#x;
    const base = MARGIN.top + this.rows.length * ROW;
    return html`<ul class="legend">
        ${this.series.map((name, index) => html`<li><span class="swatch kind-${index} mark-${index}"></span>${name}</li>`)}
      </ul>
      <svg width=${this.width} height=${base + MARGIN.bottom} role="img" aria-label=${this.label}>
        ${this.rows.map(({ name, count, values }, index) => {
          const y = MARGIN.top + (index + 0.5) * ROW;
          return svg`<text class="ink" x=${MARGIN.left - 10} y=${y} text-anchor="end" dominant-baseline="central">${name}</text>
            <line class="grid-line" x1=${MARGIN.left} x2=${this.width - MARGIN.right} y1=${y} y2=${y}></line>
            ${values.map((value, kind) => mark(kind, x(value), y, `${this.series[kind]}: ${format.number(value)}`))}
            <text x=${this.width} y=${y} text-anchor="end" dominant-baseline="central">${format.count(count)} \u00d7</text>`;
        })}
        <g class="x axis" transform="translate(0 ${base})"></g>
        <text x=${(MARGIN.left + this.width - MARGIN.right) / 2} y=${base + MARGIN.bottom - 4} text-anchor="middle">${this.unit}</text>
      </svg>`;
  }

  updated() {
    if (this.width && this.rows.length > 0) drawAxes(this.renderRoot, { x: this.#x, ticks: [this.width > 420 ? 8 : 5, 0] });
  }

  table() {
    return {
      columns: ['', 'Count', ...this.series],
      rows: this.rows.map(({ name, count, values }) => [name, format.count(count), ...values.map((value) => value.toFixed(2))]),
    };
  }
}

/** A mark of its own form for each series, for those who do not see the colours. @param {number} kind @param {number} x @param {number} y
 * @param {string} words */
function mark(kind, x, y, words) {
  if (kind === 0) return svg`<circle class="kind-0" cx=${x} cy=${y} r="5"><title>${words}</title></circle>`;
  const path = kind === 1 ? `M${x} ${y - 7}v14` : `M${x - 4.5} ${y - 4.5}l9 9m0 -9l-9 9`;
  return svg`<path class="kind-${kind} stroke" d=${path}><title>${words}</title></path>`;
}

customElements.define('nutshell-dots', DotsChart);
