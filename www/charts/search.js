import { scaleLinear, scaleLog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes, powersOfTen } from './axis.js';
import { Chart, data } from './chart.js';

/** @typedef {import('../types.js').Probe} Probe */

const ROW = 22;
const TOP = 22;
const BOTTOM = 36;
const GAP = 28;

/**
 * A half-interval search, a row a probe: on the left the interval that was left and the point in its middle that was tried,
 * on the right what was judged there, with twice its standard error and the limit.
 *
 * Properties: `probes`, as a run's events give them; `upTo`, how many of them are shown.
 *
 * @element nutshell-search
 */
export class SearchChart extends Chart {
  static properties = { ...Chart.properties, probes: data, upTo: {} };

  constructor() {
    super();
    /** @type {Probe[]} */
    this.probes = [];
    this.upTo = Infinity;
  }

  get #sides() {
    const middle = Math.round(this.width * 0.55);
    return { left: [8, middle - GAP], right: [middle + GAP / 2, this.width - 10] };
  }

  get #x() {
    const low = Math.min(...this.probes.map(({ lo }) => lo));
    const high = Math.max(...this.probes.map(({ hi }) => hi));
    const { left } = this.#sides;
    return low <= 0 || high / low < 30 ? scaleLinear([low, high], left) : scaleLog([low, high], left);
  }

  get #value() {
    const limit = this.probes[0].limit;
    // A probe far off says no more than that: the limit and what lies near it are what matters.
    const low = Math.min(0, ...this.probes.map(({ value, standard_error }) => value - 2 * standard_error));
    const high = Math.min(Math.max(...this.probes.map(({ value, standard_error }) => value + 2 * standard_error), 1.5 * limit), 4 * limit || 1);
    return scaleLinear([Math.max(low, -2 * limit), high], this.#sides.right).clamp(true);
  }

  draw() {
    if (this.probes.length === 0) return nothing;
    const [x, value] = [this.#x, this.#value];
    const height = TOP + this.probes.length * ROW + BOTTOM;
    const base = height - BOTTOM;
    const { left, right } = this.#sides;
    const limit = this.probes[0].limit;
    return html`<svg width=${this.width} height=${height} role="img" aria-label=${this.label || this.#words()}>
      <text x=${left[0]} y="10">interval and middle</text>
      <text x=${right[0]} y="10">${this.width > 420 ? 'rise of the loss, \u00b12 standard errors' : 'rise of the loss'}</text>
      <line class="limit" x1=${value(limit)} x2=${value(limit)} y1=${TOP - 6} y2=${base}></line>
      ${this.probes.slice(0, this.upTo).map((probe, index) => row(probe, x, value, TOP + (index + 0.5) * ROW))}
      <g class="x axis" transform="translate(0 ${base})"></g>
      <g class="values"><g class="x2 axis" transform="translate(0 ${base})"></g></g>
      <text x=${(left[0] + left[1]) / 2} y=${height - 4} text-anchor="middle">${this.probes[0].variable}</text>
      <text x=${(right[0] + right[1]) / 2} y=${height - 4} text-anchor="middle">nats; dashed: limit ${format.number(limit)}</text>
    </svg>`;
  }

  #words() {
    const accepted = this.probes.filter((probe) => probe.accepted).length;
    const last = this.probes[this.probes.length - 1];
    return `${this.probes.length} probes of ${last.variable}, ${accepted} accepted; the last at ${format.number(last.mid)}`;
  }

  updated() {
    if (!this.width || this.probes.length === 0) return;
    const x = this.#x;
    const [low, high] = x.domain();
    const marks = 'base' in x ? powersOfTen(low, high, this.width > 500 ? 6 : 3) : undefined;
    drawAxes(this.renderRoot, { x: /** @type {any} */ (x), marks, ticks: [this.width > 500 ? 5 : 3, 0], write: format.number });
    const group = this.renderRoot.querySelector('.x2');
    if (!group) return;
    // The same helper draws into a group of its own: the class is lent while it draws.
    group.classList.add('x');
    drawAxes(/** @type {Element} */ (group.parentElement), { x: this.#value, ticks: [this.width > 500 ? 4 : 2, 0], write: format.number });
    group.classList.remove('x');
  }

  table() {
    return {
      columns: ['Probe', 'Low', 'Middle', 'High', 'Rise of the loss', 'Standard error', 'Limit', 'Accuracy', 'Samples', 'Verdict'],
      rows: this.probes.map((probe, index) => [
        index + 1,
        ...[probe.lo, probe.mid, probe.hi, probe.value, probe.standard_error, probe.limit].map(format.number),
        format.percent(probe.accuracy),
        format.count(probe.samples),
        probe.accepted ? 'accepted' : 'refused',
      ]),
    };
  }
}

/** @param {Probe} probe @param {(value: number) => number} x @param {(value: number) => number} value @param {number} y */
function row(probe, x, value, y) {
  const verdict = probe.accepted ? 'accepted' : 'refused';
  const dot = probe.accepted ? 'dot' : 'hollow';
  const error = 2 * probe.standard_error;
  return svg`<line class="interval" x1=${x(probe.lo)} x2=${x(probe.hi)} y1=${y} y2=${y}></line>
    <circle class=${dot} cx=${x(probe.mid)} cy=${y} r="4.5">
      <title>${verdict}: ${format.percent(probe.accuracy)} of ${format.count(probe.samples)} validation samples</title>
    </circle>
    <line class="error" x1=${value(probe.value - error)} x2=${value(probe.value + error)} y1=${y} y2=${y}></line>
    <circle class=${dot} cx=${value(probe.value)} cy=${y} r="4"></circle>`;
}

customElements.define('nutshell-search', SearchChart);
