import { scaleLinear, scaleLog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes, logMarks } from './axis.js';
import { Chart, data } from './chart.js';

/** @typedef {import('../types.js').Probe} Probe */

const ROW = 22;
const TOP = 22;
const BOTTOM = 36;
/**
 * A half-interval search, a row a probe: the interval that was left and the point in its middle that was tried; what was judged
 * there, with twice its standard error, and the limit; and the accuracy, with twice its own.
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

  /** The three panels from left to right, with the ends of each. */
  get #panels() {
    const gap = this.width > 520 ? 36 : 22;
    const [first, second] = [Math.round(this.width * 0.42), Math.round(this.width * 0.72)];
    return { interval: [20, first - gap / 2], value: [first + gap / 2, second - gap / 2], accuracy: [second + gap / 2, this.width - 12] };
  }

  get #x() {
    const low = Math.min(...this.probes.map(({ lo }) => lo));
    const high = Math.max(...this.probes.map(({ hi }) => hi));
    const { interval } = this.#panels;
    return low <= 0 || high / low < 30 ? scaleLinear([low, high], interval) : scaleLog([low, high], interval);
  }

  get #value() {
    const limit = this.probes[0].limit;
    // A probe far off says no more than that: the limit and what lies near it are what matters.
    const low = Math.min(0, ...this.probes.map(({ value, standard_error }) => value - 2 * standard_error));
    const high = Math.min(Math.max(...this.probes.map(({ value, standard_error }) => value + 2 * standard_error), 1.5 * limit), 4 * limit || 1);
    return scaleLinear([Math.max(low, -2 * limit), high], this.#panels.value).clamp(true);
  }

  get #accuracy() {
    const low = Math.min(...this.probes.map((probe) => probe.accuracy - 2 * deviation(probe)));
    const high = Math.max(...this.probes.map((probe) => probe.accuracy + 2 * deviation(probe)));
    // Of these too the good ones are what matters.
    return scaleLinear([Math.max(low, high - 0.2), Math.min(1, Math.max(high, low + 1e-3))], this.#panels.accuracy).clamp(true);
  }

  draw() {
    if (this.probes.length === 0) return nothing;
    const scales = { x: this.#x, value: this.#value, accuracy: this.#accuracy };
    const height = TOP + this.probes.length * ROW + BOTTOM;
    const base = height - BOTTOM;
    const { interval, value, accuracy } = this.#panels;
    const wide = this.width > 520;
    const limit = scales.value(this.probes[0].limit);
    const middle = (/** @type {number[]} */ [from, to]) => (from + to) / 2;
    return html`<svg width=${this.width} height=${height} role="img" aria-label=${this.label || this.#words()}>
      <text x=${interval[0]} y="10">${wide ? 'interval and middle' : 'interval'}</text>
      <text x=${value[0]} y="10">${wide ? 'loss increase, \u00b12 SE' : 'loss rise'}</text>
      <text x=${accuracy[0]} y="10">${wide ? 'accuracy, \u00b12 SE' : 'accuracy'}</text>
      <line class="limit" x1=${limit} x2=${limit} y1=${TOP - 6} y2=${base}></line>
      ${this.probes.slice(0, this.upTo).map((probe, index) => row(probe, scales, TOP + (index + 0.5) * ROW))}
      ${['interval', 'value', 'accuracy'].map((name) => svg`<g class="panel-${name}"><g class="x axis" transform="translate(0 ${base})"></g></g>`)}
      <text x=${middle(interval)} y=${height - 4} text-anchor="middle">${this.probes[0].variable}</text>
      <text x=${middle(value)} y=${height - 4} text-anchor="middle">${wide ? `nats; dashed: limit ${format.number(this.probes[0].limit)}` : `limit ${format.number(this.probes[0].limit)}`}</text>
      <text x=${middle(accuracy)} y=${height - 4} text-anchor="middle">${wide ? 'validation' : ''}</text>
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
    const wide = this.width > 520;
    const axis = (/** @type {string} */ name, /** @type {Parameters<typeof drawAxes>[1]} */ scales) => {
      const group = this.renderRoot.querySelector(`.panel-${name}`);
      if (group) drawAxes(group, scales);
    };
    const marks = 'base' in x ? logMarks(low, high, wide ? 6 : 3) : undefined;
    axis('interval', { x: /** @type {any} */ (x), marks, ticks: [wide ? 5 : 3, 0], write: format.number });
    axis('value', { x: this.#value, ticks: [wide ? 4 : 2, 0], write: format.number });
    axis('accuracy', { x: this.#accuracy, ticks: [wide ? 4 : 2, 0], write: format.share });
  }

  table() {
    return {
      columns: ['Probe', 'Low', 'Middle', 'High', 'Loss increase', 'Standard error', 'Limit', 'Accuracy', 'Samples', 'Verdict'],
      rows: this.probes.map((probe, index) => [
        index + 1,
        ...[probe.lo, probe.mid, probe.hi, probe.value, probe.standard_error, probe.limit].map(format.number),
        format.percent(probe.accuracy),
        format.count(probe.samples),
        probe.accepted ? 'accepted' : 'rejected',
      ]),
    };
  }
}

/** Standard error of a probe's accuracy. @param {Probe} probe */
const deviation = format.standardError;

/** @param {Probe} probe @param {Record<'x' | 'value' | 'accuracy', (value: number) => number>} scales @param {number} y */
function row(probe, { x, value, accuracy }, y) {
  const verdict = probe.accepted ? 'accepted' : 'rejected';
  const dot = probe.accepted ? 'dot' : 'hollow';
  const judged = (/** @type {(value: number) => number} */ scale, /** @type {number} */ at, /** @type {number} */ error) =>
    svg`<line class="error" x1=${scale(at - error)} x2=${scale(at + error)} y1=${y} y2=${y}></line>
      <circle class=${dot} cx=${scale(at)} cy=${y} r="4"></circle>`;
  return svg`<line class="interval" x1=${x(probe.lo)} x2=${x(probe.hi)} y1=${y} y2=${y}></line>
    <circle class=${dot} cx=${x(probe.mid)} cy=${y} r="4.5">
      <title>${verdict}: ${format.percent(probe.accuracy)} of ${format.count(probe.samples)} validation samples</title>
    </circle>
    ${judged(value, probe.value, 2 * probe.standard_error)} ${judged(accuracy, probe.accuracy, 2 * deviation(probe))}`;
}

customElements.define('nutshell-search', SearchChart);
