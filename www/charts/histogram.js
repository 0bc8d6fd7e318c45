import { max } from 'd3-array';
import { scaleLinear, scaleSymlog } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes, powersOfTen } from './axis.js';
import { Chart, data, follow } from './chart.js';

const MARGIN = { top: 10, right: 10, bottom: 36, left: 46 };

/** What a key does to the range: it is moved by so many of its widths, and made so many times as wide.
 * @type {Record<string, { shift: number, factor: number }>} */
const MOVES = {
  ArrowLeft: { shift: -1 / 8, factor: 1 },
  ArrowRight: { shift: 1 / 8, factor: 1 },
  '+': { shift: 0, factor: 1 / 2 },
  '=': { shift: 0, factor: 1 / 2 },
  '-': { shift: 0, factor: 2 },
};

/**
 * A histogram of numbers that were counted elsewhere, in equal bins.
 *
 * ```html
 * <nutshell-histogram label="Weights of fc1"></nutshell-histogram>
 * <script type="module">
 *   Object.assign(document.querySelector('nutshell-histogram'), { counts: [3, 9, 4], range: [-1, 1] });
 * </script>
 * ```
 *
 * Properties: `counts`, lowest bin first; `gone`, counts in the same bins that stand below the others in another colour;
 * `range`, the outer edges (of logarithms to base e if `logValues`); `logCounts`, a logarithmic axis of counts;
 * `threshold`, a value with a handle, below which the chart is shaded, or null; `unit`, the words below the axis;
 * `zoomable`, whether a part can be chosen by dragging; `height` in pixels.
 *
 * A zoomable one is moved by the arrow keys, and zoomed by + and -. `plotWidth` is how many pixels there are for bins.
 *
 * Events: `threshold`, with the new value in `detail`, while the handle is dragged; `range`, with the chosen range; `move`, with the
 * `shift` of the range in its widths and the `factor` of its width, of a key; `room`, with `plotWidth`, when that has changed.
 *
 * @element nutshell-histogram
 */
export class Histogram extends Chart {
  static properties = {
    ...Chart.properties,
    counts: data,
    gone: data,
    range: data,
    logCounts: { type: Boolean },
    logValues: { type: Boolean },
    threshold: {},
    unit: {},
    zoomable: { type: Boolean },
    height: { type: Number },
    selection: { state: true },
  };

  constructor() {
    super();
    /** @type {ArrayLike<number>} */
    this.counts = [];
    /** @type {ArrayLike<number>} */
    this.gone = [];
    /** @type {[number, number]} */
    this.range = [0, 1];
    this.logCounts = false;
    this.logValues = false;
    /** @type {number | null} */
    this.threshold = null;
    this.unit = '';
    this.zoomable = false;
    this.height = 190;
    /** @type {[number, number] | null} Pixels that are being chosen. */
    this.selection = null;
  }

  get #scales() {
    const counts = Array.from(this.counts, (count, bin) => count + (this.gone[bin] ?? 0));
    const y = (this.logCounts ? scaleSymlog() : scaleLinear())
      .domain([0, max(counts) || 1])
      .range([this.height - MARGIN.bottom, MARGIN.top]);
    const x = scaleLinear(this.range, [MARGIN.left, this.width - MARGIN.right]);
    return { x, y };
  }

  get plotWidth() {
    return Math.max(1, Math.floor(this.width - MARGIN.left - MARGIN.right));
  }

  #room = 0;

  draw() {
    const { x, y } = this.#scales;
    const base = this.height - MARGIN.bottom;
    const threshold = this.threshold === null ? null : Math.min(Math.max(x(this.#inner(this.threshold)), MARGIN.left), this.width - MARGIN.right);
    const stacked = this.gone.length > 0;
    return html`<svg width=${this.width} height=${this.height} role=${this.zoomable ? 'group' : 'img'} aria-label=${this.label}>
      ${threshold === null
        ? nothing
        : svg`<rect class="band" x=${MARGIN.left} y=${MARGIN.top} width=${threshold - MARGIN.left} height=${base - MARGIN.top}></rect>`}
      ${this.#bars(stacked ? 'bars kept' : 'bars', (bin) => [this.gone[bin] ?? 0, (this.gone[bin] ?? 0) + this.counts[bin]], x, y)}
      ${stacked ? this.#bars('bars gone', (bin) => [0, this.gone[bin]], x, y) : nothing}
      <g class="x axis" transform="translate(0 ${base})"></g>
      <g class="y axis" transform="translate(${MARGIN.left} 0)"></g>
      <text x=${(MARGIN.left + this.width - MARGIN.right) / 2} y=${this.height - 4} text-anchor="middle">${this.unit}</text>
      ${this.selection
        ? svg`<rect class="selection" x=${Math.min(...this.selection)} y=${MARGIN.top} width=${Math.abs(this.selection[1] - this.selection[0])} height=${base - MARGIN.top}></rect>`
        : nothing}
      ${this.zoomable
        ? svg`<rect class="hit select" tabindex="0" role="button" aria-label="Zoom: arrow keys move, plus and minus zoom" x=${MARGIN.left} y=${MARGIN.top}
            width=${this.plotWidth} height=${base - MARGIN.top} @pointerdown=${this.#choose} @keydown=${this.#key}></rect>`
        : nothing}
      ${threshold === null
        ? nothing
        : svg`<g class="drag" @pointerdown=${(/** @type {PointerEvent} */ event) => this.#drag(event, x)}>
            <rect class="hit" x=${threshold - 16} y=${MARGIN.top - 8} width="32" height=${base - MARGIN.top + 8}></rect>
            <line class="handle" x1=${threshold} x2=${threshold} y1=${MARGIN.top - 4} y2=${base}></line>
            <circle class="grip" cx=${threshold} cy=${MARGIN.top + 2} r="6"></circle>
          </g>`}
    </svg>`;
  }

  updated() {
    if (!this.width) return;
    if (this.plotWidth !== this.#room) {
      this.#room = this.plotWidth;
      this.dispatchEvent(new CustomEvent('room', { detail: this.#room }));
    }
    const { x, y } = this.#scales;
    const room = this.width > 420 ? 7 : 4;
    const rows = this.logCounts ? [0, ...powersOfTen(1, y.domain()[1], 4)] : undefined;
    if (!this.logValues) return drawAxes(this.renderRoot, { x, y, ticks: [room, 4], rows });
    const marks = powersOfTen(Math.exp(this.range[0]), Math.exp(this.range[1]), room).map(Math.log);
    drawAxes(this.renderRoot, { x, y, ticks: [room, 4], rows, marks, write: (value) => format.number(Math.exp(value)) });
  }

  /** @param {string} name @param {(bin: number) => [number, number]} part
   * @param {(value: number) => number} x @param {(value: number) => number} y */
  #bars(name, part, x, y) {
    const [low, high] = this.range;
    const step = (high - low) / this.counts.length;
    let path = '';
    for (let bin = 0; bin < this.counts.length; bin++) {
      const [from, to] = part(bin);
      if (to <= from) continue;
      const [left, right] = [x(low + bin * step), x(low + (bin + 1) * step)];
      path += `M${left.toFixed(1)} ${y(from).toFixed(1)}V${y(to).toFixed(1)}H${right.toFixed(1)}V${y(from).toFixed(1)}Z`;
    }
    return svg`<path class=${name} d=${path}></path>`;
  }

  /** @param {number} value */
  #inner = (value) => (this.logValues ? Math.log(value) : value);

  /** @param {PointerEvent} down @param {import('d3-scale').ScaleLinear<number, number>} x */
  #drag(down, x) {
    follow(down, (place) => {
      const inner = Math.min(Math.max(x.invert(place), this.range[0]), this.range[1]);
      this.dispatchEvent(new CustomEvent('threshold', { detail: this.logValues ? Math.exp(inner) : inner }));
    });
  }

  /** @param {PointerEvent} down */
  #choose = (down) => {
    const { x } = this.#scales;
    const inside = (/** @type {number} */ place) => Math.min(Math.max(place, MARGIN.left), this.width - MARGIN.right);
    /** @type {number | null} */
    let start = null;
    follow(down, (place, end) => {
      start ??= inside(place);
      this.selection = end ? null : [start, inside(place)];
      // A click chooses nothing.
      if (!end || Math.abs(inside(place) - start) < 6) return;
      const ends = [x.invert(start), x.invert(inside(place))].sort((a, b) => a - b);
      this.dispatchEvent(new CustomEvent('range', { detail: ends }));
    });
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const detail = MOVES[event.key];
    if (!detail) return;
    event.preventDefault();
    // Relative: the next key may be pressed before the range of the last one is there.
    this.dispatchEvent(new CustomEvent('move', { detail }));
  };

  table() {
    const [low, high] = this.range;
    const step = (high - low) / this.counts.length;
    const outer = (/** @type {number} */ value) => format.number(this.logValues ? Math.exp(value) : value);
    const rows = Array.from(this.counts, (count, bin) => [
      `${outer(low + bin * step)} to ${outer(low + (bin + 1) * step)}`,
      ...(this.gone.length > 0 ? [format.count(this.gone[bin])] : []),
      format.count(count),
    ]).filter((row) => row.slice(1).some((cell) => cell !== '0'));
    return { columns: [this.unit || 'Values', ...(this.gone.length > 0 ? ['Pruned', 'Kept'] : ['Count'])], rows };
  }
}

customElements.define('nutshell-histogram', Histogram);
