import { extent } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes, powersOfTen } from './axis.js';
import { Chart, data, follow } from './chart.js';

const MARGIN = { top: 20, right: 14, bottom: 36, left: 54 };

/**
 * A curve through points, one of which may be chosen.
 *
 * Properties: `points`, pairs of x and y, rising in x; `errors`, a half-length of an error bar for each, or none; `logY`;
 * `chosen`, the x of the chosen point, or null; `knee`, the x of a point to be pointed out, or 0; `xName`, `yName`; `write`,
 * which writes a y; `reference`, a y with a dashed line, or null; `height` in pixels.
 *
 * Events: `choose`, with the x of the nearest point in `detail`, while the curve is dragged over.
 *
 * @element nutshell-curve
 */
export class Curve extends Chart {
  static properties = {
    ...Chart.properties,
    points: data,
    errors: data,
    logY: { type: Boolean },
    chosen: {},
    knee: {},
    xName: {},
    yName: {},
    write: {},
    reference: {},
    height: { type: Number },
  };

  constructor() {
    super();
    /** @type {[number, number][]} */
    this.points = [];
    /** @type {number[]} */
    this.errors = [];
    this.logY = false;
    /** @type {number | null} */
    this.chosen = null;
    this.knee = 0;
    this.xName = '';
    this.yName = '';
    /** @type {(value: number) => string} */
    this.write = format.number;
    /** @type {number | null} */
    this.reference = null;
    this.height = 200;
  }

  get #scales() {
    const [left = 0, right = 1] = extent(this.points, ([x]) => x);
    const ys = this.points.flatMap(([, y], index) => [y - (this.errors[index] ?? 0), y + (this.errors[index] ?? 0)]);
    if (this.reference !== null) ys.push(this.reference);
    const positive = ys.filter((y) => y > 0);
    const low = this.logY ? Math.min(...positive, 1) : Math.min(...ys);
    const high = Math.max(...ys);
    const room = this.logY ? 0 : (high - low || Math.abs(high) || 1) * 0.06;
    const range = [this.height - MARGIN.bottom, MARGIN.top];
    return {
      x: scaleLinear([left, right === left ? left + 1 : right], [MARGIN.left, this.width - MARGIN.right]),
      y: this.logY ? scaleLog([low, high > low ? high : low * 10], range) : scaleLinear([low - room, high + room], range),
    };
  }

  draw() {
    if (this.points.length === 0) return nothing;
    const { x, y } = this.#scales;
    const base = this.height - MARGIN.bottom;
    const shown = this.points.filter(([, value]) => !this.logY || value > 0);
    const path = line()(shown.map(([a, b]) => [x(a), y(b)])) ?? '';
    const chosen = shown.find(([value]) => value === this.chosen);
    const knee = shown.find(([value]) => value === this.knee);
    return html`<svg width=${this.width} height=${this.height} role="img" aria-label=${this.label}>
      ${this.reference === null
        ? nothing
        : svg`<line class="limit" x1=${MARGIN.left} x2=${this.width - MARGIN.right} y1=${y(this.reference)} y2=${y(this.reference)}></line>`}
      <path class="line" d=${path}></path>
      ${shown.map(([a, b], index) => {
        const error = this.errors[index] ?? 0;
        return svg`${error > 0 ? svg`<line class="error" x1=${x(a)} x2=${x(a)} y1=${y(b - error)} y2=${y(b + error)}></line>` : nothing}
          <circle class="dot" cx=${x(a)} cy=${y(b)} r="2.5"></circle>`;
      })}
      ${knee
        ? svg`<circle class="hollow" cx=${x(knee[0])} cy=${y(knee[1])} r="6"></circle>
            <text class="ink" x=${x(knee[0]) + 10} y=${y(knee[1]) - 8}>knee at ${knee[0]}</text>`
        : nothing}
      ${chosen
        ? svg`<line class="handle" x1=${x(chosen[0])} x2=${x(chosen[0])} y1=${MARGIN.top} y2=${base}></line>
            <circle class="grip" cx=${x(chosen[0])} cy=${y(chosen[1])} r="6"></circle>`
        : nothing}
      <g class="x axis" transform="translate(0 ${base})"></g>
      <g class="y axis" transform="translate(${MARGIN.left} 0)"></g>
      <text x=${(MARGIN.left + this.width - MARGIN.right) / 2} y=${this.height - 4} text-anchor="middle">${this.xName}</text>
      <text x=${MARGIN.left + 6} y="10">${this.yName}</text>
      ${this.chosen === null
        ? nothing
        : svg`<rect class="hit drag" x=${MARGIN.left} y="0" width=${Math.max(0, this.width - MARGIN.left - MARGIN.right)} height=${base}
            @pointerdown=${(/** @type {PointerEvent} */ event) => this.#choose(event, x)}></rect>`}
    </svg>`;
  }

  updated() {
    if (!this.width || this.points.length === 0) return;
    const { x, y } = this.#scales;
    const [low, high] = y.domain();
    drawAxes(this.renderRoot, {
      x,
      y: /** @type {any} */ (y),
      ticks: [Math.min(this.points.length, this.width > 420 ? 9 : 5), 5],
      rows: this.logY && high / low >= 10 ? powersOfTen(low, high, 5) : undefined,
      writeY: this.write === format.percent ? format.share : this.write,
    });
  }

  /** @param {PointerEvent} down @param {import('d3-scale').ScaleLinear<number, number>} scale */
  #choose(down, scale) {
    const tell = (/** @type {number} */ place) => {
      const wanted = scale.invert(place);
      const nearest = this.points.reduce((best, point) => (Math.abs(point[0] - wanted) < Math.abs(best[0] - wanted) ? point : best));
      if (nearest[0] !== this.chosen) this.dispatchEvent(new CustomEvent('choose', { detail: nearest[0] }));
    };
    follow(down, tell);
  }

  table() {
    return { columns: [this.xName, this.yName], rows: this.points.map(([x, y]) => [format.number(x), this.write(y)]) };
  }
}

customElements.define('nutshell-curve', Curve);
