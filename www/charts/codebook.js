import { max } from 'd3-array';
import { scaleLinear, scaleSymlog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes, powersOfTen } from './axis.js';
import { Chart, data } from './chart.js';

const MARGIN = { top: 10, right: 10, bottom: 36, left: 46 };
/** Height of the strip of rounding errors. */
const STRIP = 76;

/**
 * A codebook as sticks over the histogram of the weights that share its values.
 *
 * Properties: `values`, pairs of a value and how many weights have it, rising; `counts` and `range`, the histogram behind,
 * whose heights are relative to its own highest bin; `unit`, the step of a fixed-point grid that is drawn, or 0; `rounded`,
 * for each value its place on the grid, to which it is moved, with the errors in a strip of their own; `height` in pixels.
 *
 * @element nutshell-codebook
 */
export class CodebookChart extends Chart {
  static properties = { ...Chart.properties, values: data, counts: data, range: data, unit: {}, rounded: data, height: { type: Number } };

  constructor() {
    super();
    /** @type {[number, number][]} */
    this.values = [];
    /** @type {ArrayLike<number>} */
    this.counts = [];
    /** @type {[number, number]} */
    this.range = [-1, 1];
    this.unit = 0;
    /** @type {number[]} */
    this.rounded = [];
    this.height = 220;
  }

  get #scales() {
    return {
      x: scaleLinear(this.range, [MARGIN.left, this.width - MARGIN.right]),
      // Populations span orders of magnitude: the rare values must stay visible.
      y: scaleSymlog([0, max(this.values, ([, population]) => population) || 1], [this.height - MARGIN.bottom, MARGIN.top]),
    };
  }

  draw() {
    const { x, y } = this.#scales;
    const base = this.height - MARGIN.bottom;
    const shown = this.values.map(([value, population], index) => ({ value, population, rounded: this.rounded[index] ?? value }));
    const strip = this.rounded.length > 0 && this.unit > 0 ? STRIP : 0;
    return html`<svg width=${this.width} height=${this.height + strip} role="img" aria-label=${this.label}>
      ${strip ? this.#errors(x, shown) : nothing}
      ${this.#histogram(x, base)} ${this.#grid(x, base)}
      ${shown.map(
        ({ value, population, rounded }) => svg`<line class="stem" x1=${x(rounded)} x2=${x(rounded)} y1=${base} y2=${y(population)}></line>
          ${rounded === value ? nothing : svg`<line class="shift" x1=${x(value)} x2=${x(rounded)} y1=${y(population)} y2=${y(population)}></line>`}
          <circle class="dot" cx=${x(rounded)} cy=${y(population)} r="3.5">
            <title>${format.number(rounded)}: ${format.count(population)} weights</title>
          </circle>`,
      )}
      <g class="x axis" transform="translate(0 ${base})"></g>
      <g class="y axis" transform="translate(${MARGIN.left} 0)"></g>
      <text x=${(MARGIN.left + this.width - MARGIN.right) / 2} y=${this.height - 4} text-anchor="middle">
        value; height: weights that have it (logarithmic)
      </text>
    </svg>`;
  }

  updated() {
    if (!this.width) return;
    const { x, y } = this.#scales;
    drawAxes(this.renderRoot, { x, y, ticks: [this.width > 420 ? 7 : 4, 4], rows: [0, ...powersOfTen(1, y.domain()[1], 4)] });
  }

  /** How far each value is moved, as a share of the grid's step.
   * @param {(value: number) => number} x @param {{ value: number, rounded: number }[]} shown */
  #errors(x, shown) {
    const top = this.height + 26;
    const bottom = this.height + STRIP - 6;
    const middle = (top + bottom) / 2;
    // Rounding moves a value by half a step at most.
    const y = scaleLinear([-0.5, 0.5], [bottom, top]);
    return svg`<text x=${MARGIN.left} y=${top - 8}>rounding error of each value, in steps</text>
      ${[-0.5, 0, 0.5].map(
        (level) => svg`<line class="grid-line" x1=${MARGIN.left} x2=${this.width - MARGIN.right} y1=${y(level)} y2=${y(level)}></line>
          <text x=${MARGIN.left - 6} y=${y(level)} text-anchor="end" dominant-baseline="central">${level === 0 ? '0' : level > 0 ? '+\u00bd' : '\u2212\u00bd'}</text>`,
      )}
      ${shown.map(({ value, rounded }) => {
        const error = (rounded - value) / this.unit;
        return svg`<line class="shift" x1=${x(value)} x2=${x(value)} y1=${middle} y2=${y(error)}></line>
          <circle class="grip" cx=${x(value)} cy=${y(error)} r="3"><title>${format.number(value)}: ${format.number(rounded - value)}</title></circle>`;
      })}`;
  }

  /** @param {(value: number) => number} x @param {number} base */
  #histogram(x, base) {
    const highest = max(Array.from(this.counts)) || 1;
    const [low, high] = this.range;
    const step = (high - low) / Math.max(1, this.counts.length);
    const height = (base - MARGIN.top) * 0.9;
    const path = Array.from(this.counts, (count, bin) => {
      const top = base - (count / highest) * height;
      return `L${x(low + bin * step).toFixed(1)} ${top.toFixed(1)}H${x(low + (bin + 1) * step).toFixed(1)}`;
    }).join('');
    return this.counts.length ? svg`<path class="bars" opacity="0.55" d="M${x(low)} ${base}${path}V${base}Z"></path>` : nothing;
  }

  /** @param {(value: number) => number} x @param {number} base */
  #grid(x, base) {
    const [low, high] = this.range;
    // A grid that is finer than four pixels would be a surface.
    if (!(this.unit > 0) || x(this.unit) - x(0) < 4) return nothing;
    const lines = [];
    for (let place = Math.ceil(low / this.unit); place * this.unit <= high; place++) lines.push(place * this.unit);
    return lines.map((value) => svg`<line class="grid-line" x1=${x(value)} x2=${x(value)} y1=${MARGIN.top} y2=${base}></line>`);
  }

  table() {
    const moved = this.rounded.length > 0;
    return {
      columns: ['Value', ...(moved ? ['Rounded to', 'Error'] : []), 'Weights'],
      rows: this.values.map(([value, population], index) => [
        format.number(value),
        ...(moved ? [format.number(this.rounded[index]), format.number(this.rounded[index] - value)] : []),
        format.count(population),
      ]),
    };
  }
}

customElements.define('nutshell-codebook', CodebookChart);
