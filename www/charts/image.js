import { html, nothing } from 'lit';
import * as format from '../format.js';
import { Chart, data } from './chart.js';

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
 * reach; `costs`, whether the bytes are costs from 0 to reach; `values`, if there are some, the codebook of which 2, 3, ... are
 * the first, the second value; `most`, the height in pixels that it may take. A picture larger than its place is made smaller, and
 * can be looked at pixel by pixel.
 *
 * @element nutshell-image
 */
export class WeightImage extends Chart {
  static properties = { ...Chart.properties, picture: {}, costs: { type: Boolean }, values: data, most: { type: Number }, full: { state: true } };

  constructor() {
    super();
    /** @type {Picture | null} */
    this.picture = null;
    this.costs = false;
    /** @type {number[]} */
    this.values = [];
    this.most = 320;
    /** Whether a picture that is larger than its place is shown pixel by pixel, and scrolled. */
    this.full = false;
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
    const scale = fit >= 1 ? Math.min(Math.floor(fit), 24) : this.full ? 1 : fit;
    // A single row is drawn as a band.
    const height = Math.max(picture.height === 1 ? 24 : 1, picture.height * scale);
    const size = `width: ${Math.max(1, picture.width * scale)}px; height: ${height}px`;
    const canvas = html`<canvas
      role="img"
      aria-label=${this.label}
      width=${picture.width}
      height=${picture.height}
      style="display: block; ${size}; image-rendering: ${scale >= 1 ? 'pixelated' : 'auto'}; outline: 1px solid var(--c-line); outline-offset: -1px"
    ></canvas>`;
    return html`<div class=${this.full ? 'scroll' : ''} tabindex=${this.full ? 0 : nothing} style="max-height: none">${canvas}</div>
      <div class="quiet" style="font-size: 0.8125rem; margin-top: 4px">
        ${this.#legend(picture)}
        ${fit < 1 ? html`<button type="button" @click=${() => (this.full = !this.full)}>${this.full ? 'fit to width' : 'one pixel per weight'}</button>` : nothing}
      </div>`;
  }

  /** @param {Picture} picture */
  #legend({ reach }) {
    const { negative, zero, positive, cost } = COLOURS[dark.matches ? 'dark' : 'light'];
    if (this.costs) return colourBar([zero, cost], ['0 bits', `${format.number(reach)} bits`]);
    if (this.values.length === 0) return colourBar([negative, zero, positive], [`\u2264 ${format.number(-reach)}`, '0', `\u2265 ${format.number(reach)}`]);
    const colours = this.#palette();
    return html`<ul class="legend" style="gap: 0 12px; font-size: 0.75rem; margin: 0">
      ${this.values.map(
        (value, index) => html`<li><span class="swatch" style="background: rgb(${colours[index + 2].slice(0, 3).join(' ')})"></span>${format.number(value)}</li>`,
      )}
    </ul>`;
  }

  updated() {
    const canvas = this.renderRoot.querySelector('canvas');
    const context = canvas?.getContext('2d');
    const { picture } = this;
    if (!context || !picture) return;
    const image = context.createImageData(picture.width, picture.height);
    // A colour at a time, in one number: a large layer has a million pixels.
    const colours = new Uint32Array(new Uint8Array(this.#palette().flat()).buffer);
    const words = new Uint32Array(image.data.buffer);
    for (let place = 0; place < words.length; place++) words[place] = colours[picture.pixels[place]];
    context.putImageData(image, 0, 0);
  }

  /** The colour of each byte. */
  #palette() {
    const { negative, zero, positive, gap, cost } = COLOURS[dark.matches ? 'dark' : 'light'];
    const mix = (/** @type {number[]} */ to, /** @type {number} */ share) => [...zero.map((part, index) => part + (to[index] - part) * share), 255];
    return Array.from({ length: 256 }, (_, byte) => {
      if (byte === 0) return [...gap, 255];
      if (byte === 1) return [...zero, 255];
      if (this.values.length > 0) return hue(byte - 2, this.values.length, dark.matches);
      if (this.costs) return mix(cost, (byte - 2) / 253);
      const value = (byte - 128.5) / 126.5;
      // Small weights are not zero: they begin with some colour.
      return mix(value < 0 ? negative : positive, 0.12 + 0.88 * Math.abs(value));
    });
  }

  table() {
    const { width = 0, height = 0, pixels = [], reach = 0 } = this.picture ?? {};
    const bytes = Array.from(pixels).filter((byte) => byte > 0);
    /** @type {(kinds: [string, (byte: number) => boolean][]) => string[][]} */
    const shares = (kinds) => {
      const written = format.shares(kinds.map(([, is]) => bytes.filter(is).length));
      return kinds.map(([name], index) => [name, written[index]]);
    };
    const rows =
      this.values.length > 0
        ? shares([...this.values.map((value, index) => /** @type {[string, (byte: number) => boolean]} */ ([format.number(value), (byte) => byte === index + 2])), ['Zero', (byte) => byte === 1]])
        : this.costs
          ? [['Largest cost of a weight', `${format.number(reach)} bits`]]
          : shares([['Positive', (byte) => byte > 128], ['Negative', (byte) => byte > 1 && byte <= 128], ['Zero', (byte) => byte === 1]]);
    return { columns: ['Share of pixels', ''], rows: [['Size', `${width} \u00d7 ${height}`], ...rows] };
  }
}

/** Colours from left to right, with a word below each. @param {number[][]} colours @param {string[]} words */
const colourBar = (colours, words) => html`<div class="colour-bar">
  <div style="background: linear-gradient(to right, ${colours.map((colour) => `rgb(${colour.join(' ')})`).join(', ')})"></div>
  <div class="words">${words.map((word) => html`<span>${word}</span>`)}</div>
</div>`;

/** The colour of one of several values, neighbours far apart: round the circle of hues, dark and light in turn.
 * @param {number} index @param {number} count @param {boolean} onDark */
function hue(index, count, onDark) {
  const angle = (360 * (index % count)) / count + 20;
  const light = (onDark ? 0.62 : 0.52) + (index % 2 ? 0.12 : -0.1);
  const part = (/** @type {number} */ offset) => {
    const place = (offset + angle / 30) % 12;
    return Math.round(255 * (light - 0.62 * Math.min(light, 1 - light) * Math.max(-1, Math.min(place - 3, 9 - place, 1))));
  };
  return [part(0), part(8), part(4), 255];
}

customElements.define('nutshell-image', WeightImage);
