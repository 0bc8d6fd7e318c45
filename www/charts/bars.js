import { max } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { Chart, data } from './chart.js';

const ROW = 40;
/** Room for a value behind its bar. */
const VALUE = 84;

/**
 * Bars to compare, each below its name.
 *
 * Properties: `bars`, each with its `name` and `value`, and whether it is `ours`; `write`, which writes a value; `most`, the value
 * of a full bar, or 0 for the largest.
 *
 * @element nutshell-bars
 */
export class BarsChart extends Chart {
  static properties = { ...Chart.properties, bars: data, write: {}, most: { type: Number } };

  constructor() {
    super();
    /** @type {{ name: string, value: number, ours?: boolean }[]} */
    this.bars = [];
    /** @type {(value: number) => string} */
    this.write = format.bytes;
    this.most = 0;
  }

  draw() {
    if (this.bars.length === 0) return nothing;
    const x = scaleLinear([0, this.most || max(this.bars, ({ value }) => value) || 1], [0, Math.max(40, this.width - VALUE)]);
    return html`<svg width=${this.width} height=${this.bars.length * ROW} role="img" aria-label=${this.label}>
      ${this.bars.map(
        ({ name, value, ours }, index) => svg`<text class="ink" x="0" y=${index * ROW + 14}>${name}</text>
          <text class="ink" x=${x(value) + 8} y=${index * ROW + 26} dominant-baseline="central">${this.write(value)}</text>
          <rect class=${ours ? 'kind-0' : 'kind-5'} x="0" y=${index * ROW + 20} width=${x(value)} height="12" rx="2"></rect>`,
      )}
    </svg>`;
  }

  table() {
    return { columns: ['', 'Value'], rows: this.bars.map(({ name, value }) => [name, this.write(value)]) };
  }
}

customElements.define('nutshell-bars', BarsChart);
