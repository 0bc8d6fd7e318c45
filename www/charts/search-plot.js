// One half-interval search: a line a probe, the interval and its middle.
import { scaleLinear, scaleLog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes } from './axis.js';
import { Chart } from './chart.js';

/** @typedef {import('../types.js').Probe} Probe */

const ROW = 20;
const MARGIN = { top: 18, right: 128, bottom: 22, left: 16 };

class SearchPlot extends Chart {
  static properties = { ...Chart.properties, probes: {} };

  constructor() {
    super();
    /** @type {Probe[]} */
    this.probes = [];
  }

  /** The scale, and where its marks are: at every power of ten, or at fewer where there is no room, if it is logarithmic. */
  get #x() {
    const low = Math.min(...this.probes.map(({ lo }) => lo));
    const high = Math.max(...this.probes.map(({ hi }) => hi));
    const range = [MARGIN.left, this.width - MARGIN.right];
    if (low <= 0 || high / low < 30) return { x: scaleLinear([low, high], range), marks: undefined };
    const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
    const step = Math.ceil((last - first + 1) / Math.max(2, Math.floor((range[1] - range[0]) / 48)));
    const marks = [];
    for (let power = first; power <= last; power += step) marks.push(10 ** power);
    return { x: scaleLog([low, high], range), marks };
  }

  render() {
    if (!this.width || this.probes.length === 0) return nothing;
    const { x } = this.#x;
    const height = MARGIN.top + this.probes.length * ROW + MARGIN.bottom;
    const accepted = this.probes.filter((probe) => probe.accepted).length;
    const last = this.probes[this.probes.length - 1];
    return html`<svg
      class="chart"
      width=${this.width}
      height=${height}
      role="img"
      aria-label="${this.probes.length} probes, ${accepted} accepted; the last at ${format.number(last.mid)}: ${last.criterion} ${format.number(last.value)}, limit ${format.number(last.limit)}"
    >
      <text class="head-row" x=${this.width - MARGIN.right + 12} y="10">value (limit ${format.number(last.limit)})</text>
      ${this.probes.map((probe, index) => row(probe, x, MARGIN.top + (index + 0.5) * ROW, this.width))}
      <g class="x axis" transform="translate(0 ${height - MARGIN.bottom})"></g>
    </svg>`;
  }

  updated() {
    if (!this.width || this.probes.length === 0) return;
    const { x, marks } = this.#x;
    drawAxes(this, { x, marks, ticks: [4, 0], write: format.number });
  }
}

/** @param {Probe} probe @param {(value: number) => number} x @param {number} y @param {number} width */
function row(probe, x, y, width) {
  const verdict = probe.accepted ? 'accepted' : 'refused';
  return svg`<line class="interval" x1=${x(probe.lo)} x2=${x(probe.hi)} y1=${y} y2=${y}></line>
    <circle class=${verdict} cx=${x(probe.mid)} cy=${y} r="4.5">
      <title>${verdict}: ${format.percent(probe.accuracy)} of ${format.count(probe.samples)} validation samples</title>
    </circle>
    <text class="row-value" x=${width - MARGIN.right + 12} y=${y} dominant-baseline="central">${format.number(probe.value)} \u00b1 ${format.number(probe.standard_error)}</text>`;
}

customElements.define('search-plot', SearchPlot);
