import { scaleLinear, scaleLog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { pareto } from '../pareto.js';
import { drawAxes, logMarks } from './axis.js';
import { Chart, data } from './chart.js';

/** @typedef {import('../pareto.js').Point} Point */

const MARGIN = { top: 14, right: 18, bottom: 36, left: 62 };
const HEIGHT = 260;

/** What may stand upright: its name, how it is written, by an axis and by itself, and the least room around the points. */
const MEASURES = {
  accuracy: { name: 'accuracy', short: format.share, long: format.percent, room: 0.0005 },
  snr: { name: 'signal-to-noise ratio, dB', short: format.number, long: format.decibels, room: 0.5 },
};

/**
 * Bytes against accuracy, or against a ratio of signal to noise, with the front of those that no other beats in both (Pareto).
 *
 * Properties: `measure`, `accuracy` or `snr`; `points`, each with `id`, `name`, `bytes`, `quality` (an accuracy of 0 to 1, or dB), `samples` if it has
 * some, and whether it is `shown` now.
 *
 * Events: `choose`, with a point's id in `detail`.
 *
 * @element nutshell-scatter
 */
export class Scatter extends Chart {
  static properties = { ...Chart.properties, measure: {}, points: data };

  constructor() {
    super();
    /** @type {keyof typeof MEASURES} */
    this.measure = 'accuracy';
    /** @type {Point[]} */
    this.points = [];
  }

  get #scales() {
    const sizes = this.points.map(({ bytes }) => bytes);
    const qualities = this.points.map(({ quality }) => quality);
    const [low, high] = [Math.min(...qualities), Math.max(...qualities)];
    const room = Math.max((high - low) * 0.15, MEASURES[this.measure].room);
    return {
      x: scaleLog([Math.min(...sizes) / 1.4, Math.max(...sizes) * 1.4], [MARGIN.left, this.width - MARGIN.right]),
      y: scaleLinear([low - room, high + room], [HEIGHT - MARGIN.bottom, MARGIN.top]),
    };
  }

  draw() {
    if (this.points.length === 0) return nothing;
    const { x, y } = this.#scales;
    const front = pareto(this.points);
    const { name, long } = MEASURES[this.measure];
    const choose = (/** @type {Point} */ { id }) => this.dispatchEvent(new CustomEvent('choose', { detail: id }));
    return html`<ul class="legend">
        ${this.points.some(({ shown }) => shown) ? html`<li><svg width="12" height="12" aria-hidden="true" style="display: inline-block"><circle class="grip" cx="6" cy="6" r="5"></circle></svg> shown now</li>` : nothing}
        <li><svg width="12" height="12" aria-hidden="true" style="display: inline-block"><circle class="dot" cx="6" cy="6" r="5"></circle></svg> beaten by none</li>
        ${front.length < this.points.length ? html`<li><svg width="12" height="12" aria-hidden="true" style="display: inline-block"><circle class="hollow" cx="6" cy="6" r="4"></circle></svg> beaten by another</li>` : nothing}
      </ul>
      <svg width=${this.width} height=${HEIGHT} role="group" aria-label=${this.label}>
      <path class="line" opacity="0.5" d=${front.map(({ bytes, quality }, index) => `${index ? `H${x(bytes)}V` : `M${x(bytes)} `}${y(quality)}`).join('')}></path>
      ${this.points.map(
        (point) => svg`<g role="button" tabindex="0" style="cursor: pointer"
            aria-label="Show ${point.name}: ${format.bytes(point.bytes)}, ${long(point.quality)}" aria-pressed=${point.shown ? 'true' : 'false'}
            @click=${() => choose(point)}
            @keydown=${(/** @type {KeyboardEvent} */ event) => (event.key === 'Enter' || event.key === ' ') && (event.preventDefault(), choose(point))}>
          <circle class="hit" cx=${x(point.bytes)} cy=${y(point.quality)} r="14"></circle>
          <circle class=${point.shown ? 'grip' : front.includes(point) ? 'dot' : 'hollow'} cx=${x(point.bytes)} cy=${y(point.quality)} r="6"></circle></g>`,
      )}
      <g class="x axis" transform="translate(0 ${HEIGHT - MARGIN.bottom})"></g>
      <g class="y axis" transform="translate(${MARGIN.left} 0)"></g>
      <text x=${(MARGIN.left + this.width - MARGIN.right) / 2} y=${HEIGHT - 4} text-anchor="middle">bytes on disk (logarithmic)</text>
      <text x="0" y="9">${name}</text>
    </svg>`;
  }

  updated() {
    if (!this.width || this.points.length === 0) return;
    const { x, y } = this.#scales;
    const [low, high] = x.domain();
    const marks = logMarks(low, high, this.width > 420 ? 6 : 4);
    drawAxes(this.renderRoot, { x: /** @type {any} */ (x), y, marks, ticks: [4, 5], write: format.count, writeY: MEASURES[this.measure].short });
  }

  table() {
    const { name, long } = MEASURES[this.measure];
    return {
      columns: ['Run', 'Bytes', name[0].toUpperCase() + name.slice(1)],
      rows: this.points.map(({ name, bytes, quality, samples }) => [
        name,
        format.bytes(bytes),
        samples === undefined ? long(quality) : `${long(quality)} of ${format.count(samples)}`,
      ]),
    };
  }
}

customElements.define('nutshell-scatter', Scatter);
