import { html, nothing } from 'lit';
import * as format from '../format.js';
import { Chart } from './chart.js';

/** @typedef {{ width: number, height: number, pixels: Uint8Array, reach: number }} Picture */

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Colours of the strongest negative, of zero, and of the strongest positive number; of what is no weight; of the highest cost. */
const COLOURS = {
  light: { negative: [176, 72, 20], zero: [248, 244, 238], positive: [18, 96, 126], gap: [255, 255, 255], cost: [120, 20, 70] },
  dark: { negative: [240, 150, 80], zero: [44, 39, 34], positive: [110, 200, 228], gap: [36, 32, 28], cost: [250, 140, 190] },
};

/**
 * Weights as an image, a pixel a weight: brown is negative, blue is positive, and what is zero has the colour of paper.
 *
 * Properties: `picture` with `width`, `height`, `reach` and `pixels`, a byte each: 0 a gap, 1 zero, 2 to 255 from -reach to
 * reach; `costs`, whether the bytes are costs from 0 to reach; `most`, the height in pixels that it may take.
 *
 * @element nutshell-image
 */
export class WeightImage extends Chart {
  static properties = { ...Chart.properties, picture: {}, costs: { type: Boolean }, most: { type: Number } };

  constructor() {
    super();
    /** @type {Picture | null} */
    this.picture = null;
    this.costs = false;
    this.most = 320;
  }

  #repaint = () => this.requestUpdate();

  connectedCallback() {
    super.connectedCallback();
    dark.addEventListener('change', this.#repaint);
  }

  disconnectedCallback() {
    dark.removeEventListener('change', this.#repaint);
    super.disconnectedCallback();
  }

  get tabular() {
    return this.picture !== null;
  }

  draw() {
    const { picture } = this;
    if (!picture || picture.width === 0 || picture.height === 0) return nothing;
    // Whole multiples where there is room, so that all pixels are of one size.
    const fit = Math.min(this.width / picture.width, this.most / picture.height);
    const scale = fit >= 1 ? Math.min(Math.floor(fit), 24) : fit;
    const size = `width: ${Math.max(1, picture.width * scale)}px; height: ${Math.max(1, picture.height * scale)}px`;
    return html`<canvas
        role="img"
        aria-label=${this.label}
        width=${picture.width}
        height=${picture.height}
        style="display: block; max-width: 100%; ${size}; image-rendering: ${scale >= 1 ? 'pixelated' : 'auto'}; outline: 1px solid var(--c-line)"
      ></canvas>
      <div class="quiet" style="font-size: 0.8125rem; margin-top: 4px">
        ${this.costs
          ? html`pale: 0 bits; strongest: ${format.number(picture.reach)} bits`
          : html`brown ${format.number(-picture.reach)} or less, blue ${format.number(picture.reach)} or more, paper: zero`}
      </div>`;
  }

  updated() {
    const canvas = this.renderRoot.querySelector('canvas');
    const context = canvas?.getContext('2d');
    const { picture } = this;
    if (!context || !picture) return;
    const image = context.createImageData(picture.width, picture.height);
    const colours = this.#palette();
    for (const [place, byte] of picture.pixels.entries()) image.data.set(colours[byte], 4 * place);
    context.putImageData(image, 0, 0);
  }

  /** The colour of each byte. */
  #palette() {
    const { negative, zero, positive, gap, cost } = COLOURS[dark.matches ? 'dark' : 'light'];
    const mix = (/** @type {number[]} */ to, /** @type {number} */ share) => [...zero.map((part, index) => part + (to[index] - part) * share), 255];
    return Array.from({ length: 256 }, (_, byte) => {
      if (byte === 0) return [...gap, 255];
      if (byte === 1) return [...zero, 255];
      if (this.costs) return mix(cost, (byte - 2) / 253);
      const value = (byte - 128.5) / 126.5;
      // Small weights are not zero: they begin with some colour.
      return mix(value < 0 ? negative : positive, 0.12 + 0.88 * Math.abs(value));
    });
  }

  table() {
    const { width = 0, height = 0, pixels = [], reach = 0 } = this.picture ?? {};
    const bytes = Array.from(pixels).filter((byte) => byte > 0);
    const share = (/** @type {(byte: number) => boolean} */ is) => format.percent(bytes.filter(is).length / Math.max(1, bytes.length));
    const rows = this.costs
      ? [['Largest cost of a weight', `${format.number(reach)} bits`]]
      : [
          ['Positive', share((byte) => byte > 128)],
          ['Negative', share((byte) => byte > 1 && byte <= 128)],
          ['Zero', share((byte) => byte === 1)],
        ];
    return { columns: ['Of the pixels', ''], rows: [['Size', `${width} \u00d7 ${height}`], ...rows] };
  }
}

customElements.define('nutshell-image', WeightImage);
