import { scaleLog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes, powersOfTen } from './axis.js';
import { Chart, data } from './chart.js';

const ROW = 34;
const MARGIN = { top: 6, bottom: 34, right: 12, left: 84 };

/**
 * Bytes after each step, falling: each bar goes from what the step before left to what it left itself, on a logarithmic axis.
 *
 * Properties: `steps`, each with its `name` and `bytes`.
 *
 * @element nutshell-waterfall
 */
export class Waterfall extends Chart {
  static properties = { ...Chart.properties, steps: data };

  constructor() {
    super();
    /** @type {{ name: string, bytes: number }[]} */
    this.steps = [];
  }

  /** Where there is no room beside the bars, the words stand above them. */
  get #narrow() {
    return this.width < 560;
  }

  get #left() {
    return this.#narrow ? 8 : MARGIN.left;
  }

  get #x() {
    const sizes = this.steps.map(({ bytes }) => Math.max(1, bytes));
    const low = 10 ** Math.floor(Math.log10(Math.min(...sizes)) - 0.2);
    return scaleLog([low, Math.max(...sizes) * 1.1], [this.#left, this.width - MARGIN.right]);
  }

  draw() {
    if (this.steps.length === 0) return nothing;
    const x = this.#x;
    const height = MARGIN.top + this.steps.length * ROW + MARGIN.bottom;
    return html`<svg width=${this.width} height=${height} role="img" aria-label=${this.label}>
      ${this.steps.map(({ name, bytes }, index) => {
        const top = MARGIN.top + index * ROW;
        const [now, before] = [x(Math.max(1, bytes)), x(Math.max(1, this.steps[Math.max(0, index - 1)].bytes))];
        const [from, to] = index === 0 ? [this.#left, now] : [Math.min(now, before), Math.max(now, before)];
        const words = index === 0 ? format.bytes(bytes) : `${format.bytes(bytes)}, ${change(this.steps[index - 1].bytes, bytes)}`;
        const [bar, thick] = this.#narrow ? [top + 18, 10] : [top + 6, ROW - 12];
        return svg`${this.#words(name, words, index, from, to, top)}
          <rect class=${index === 0 ? 'kind-5' : 'kind-0'} x=${from} y=${bar} width=${Math.max(1, to - from)} height=${thick} rx="2"></rect>
          ${index > 0 ? svg`<line class="grid-line" x1=${before} x2=${before} y1=${bar - (ROW - thick)} y2=${bar}></line>` : nothing}
          ${index === 0 && !this.#narrow ? svg`<text class="on-bar" x=${to - 8} y=${top + ROW / 2} text-anchor="end" dominant-baseline="central">${words}</text>` : nothing}`;
      })}
      <g class="x axis" transform="translate(0 ${height - MARGIN.bottom})"></g>
      <text x=${(this.#left + this.width - MARGIN.right) / 2} y=${height - 4} text-anchor="middle">bytes (logarithmic)</text>
    </svg>`;
  }

  /** @param {string} name @param {string} words @param {number} index @param {number} from @param {number} to @param {number} top */
  #words(name, words, index, from, to, top) {
    if (this.#narrow)
      return svg`<text class="ink" x=${this.#left} y=${top + 13}>${name}</text>
        <text class="ink" x=${this.width - MARGIN.right} y=${top + 13} text-anchor="end">${words}</text>`;
    const middle = top + ROW / 2;
    const own = svg`<text class="ink" x=${MARGIN.left - 8} y=${middle} text-anchor="end" dominant-baseline="central">${name}</text>`;
    if (index === 0) return own;
    // Beside the bar, where there is room.
    const after = to + 6 + words.length * 6 < this.width;
    return svg`${own}<text class="ink" x=${after ? to + 6 : from - 6} y=${middle} text-anchor=${after ? 'start' : 'end'}
      dominant-baseline="central">${words}</text>`;
  }

  updated() {
    if (!this.width || this.steps.length === 0) return;
    const x = this.#x;
    const [low, high] = x.domain();
    drawAxes(this.renderRoot, { x: /** @type {any} */ (x), marks: powersOfTen(low, high, 7), write: (value) => format.count(value) });
  }

  table() {
    return { columns: ['After', 'Bytes'], rows: this.steps.map(({ name, bytes }) => [name, format.bytes(bytes)]) };
  }
}

/** 4.4x less; 3.1 % more @param {number} before @param {number} after */
const change = (before, after) =>
  before > 1.5 * after ? `${format.ratio(before / after)} less` : `${((100 * Math.abs(before - after)) / before).toFixed(1)}\u00a0% ${after > before ? 'more' : 'less'}`;

customElements.define('nutshell-waterfall', Waterfall);
