// A layer's weights: a histogram, or the codebook's values with their populations; centroids as lines over both.
import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { drawAxes } from './axis.js';
import { Chart } from './chart.js';

/** @typedef {import('../types.js').LayerState} LayerState */

const HEIGHT = 110;
const MARGIN = { top: 8, right: 8, bottom: 20, left: 40 };

class WeightHistogram extends Chart {
  static properties = { ...Chart.properties, layer: {}, label: {}, centroids: {} };

  constructor() {
    super();
    /** @type {LayerState | null} */
    this.layer = null;
    this.label = '';
    /** @type {[number, number][]} */
    this.centroids = [];
  }

  render() {
    const { layer } = this;
    if (!layer || !this.width) return nothing;
    const { x, y } = this.#scales(layer);
    const shared = layer.centroids.length > 0;
    const base = HEIGHT - MARGIN.bottom;
    return html`<svg
      class="chart ${this.label}"
      width=${this.width}
      height=${HEIGHT}
      role="img"
      aria-label="${layer.name} ${this.label}: ${this.#words(layer)}"
    >
      ${shared ? nothing : bars(layer, x, y, base)}
      ${shared
        ? layer.centroids.map(
            ([value, population]) => svg`<line class="stem" x1=${x(value)} x2=${x(value)} y1=${base} y2=${y(population)}></line>
              <circle class="head" cx=${x(value)} cy=${y(population)} r="3"><title>${format.number(value)}: ${format.count(population)} weights</title></circle>`,
          )
        : this.centroids
            .filter(([value]) => value >= x.domain()[0] && value <= x.domain()[1])
            .map(([value]) => svg`<line class="centroid" x1=${x(value)} x2=${x(value)} y1=${MARGIN.top} y2=${base}></line>`)}
      <g class="x axis" transform="translate(0 ${base})"></g>
      <g class="y axis" transform="translate(${MARGIN.left} 0)"></g>
      ${this.label ? svg`<text class="label" x=${this.width - MARGIN.right} y=${MARGIN.top + 8} text-anchor="end">${this.label}</text>` : nothing}
    </svg>`;
  }

  updated() {
    if (this.layer && this.width) drawAxes(this, { ...this.#scales(this.layer), ticks: [this.width > 360 ? 7 : 4, 3] });
  }

  /** @param {LayerState} layer */
  #scales(layer) {
    const reach = Math.max(Math.abs(layer.range[0]), Math.abs(layer.range[1])) || 1;
    const highest = layer.centroids.length ? max(layer.centroids, ([, population]) => population) : max(layer.histogram);
    return {
      x: scaleLinear([-reach * 1.05, reach * 1.05], [MARGIN.left, this.width - MARGIN.right]),
      y: scaleLinear([0, highest || 1], [HEIGHT - MARGIN.bottom, MARGIN.top]),
    };
  }

  /** @param {LayerState} layer */
  #words(layer) {
    const range = `weights from ${format.number(layer.range[0])} to ${format.number(layer.range[1])}`;
    if (layer.centroids.length === 0) return `histogram of ${range}`;
    return `${layer.centroids.length} values other than zero, ${range}`;
  }
}

/** @param {LayerState} layer @param {import('d3-scale').ScaleLinear<number, number>} x
 * @param {import('d3-scale').ScaleLinear<number, number>} y @param {number} base */
function bars(layer, x, y, base) {
  const [low, high] = layer.range;
  const step = (high - low) / layer.histogram.length;
  const path = layer.histogram
    .map((count, bin) => `L${x(low + bin * step).toFixed(1)} ${y(count).toFixed(1)}H${x(low + (bin + 1) * step).toFixed(1)}`)
    .join('');
  return svg`<path class="bars" d="M${x(low)} ${base}${path}V${base}Z"></path>`;
}

customElements.define('weight-histogram', WeightHistogram);
