// Weights drawn: how they are distributed, and an image. Of those before a run and after it, both, on one scale.
import { html, nothing } from 'lit';
import '../charts/histogram.js';
import '../charts/image.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { Element } from './element.js';
import { term } from './term.js';

/** @typedef {import('../../pkg/nutshell.js').Moments} Moments */
/** @typedef {import('../charts/image.js').Picture} Picture */

/** Who knows some weights; `label` tells them from others beside them.
 * @typedef {object} Source
 * @property {string} label
 * @property {() => Promise<Moments>} moments
 * @property {(range: [number, number], bins: number) => Promise<ArrayLike<number>>} histogram
 * @property {(most: [number, number]) => Promise<Picture>} picture */

/** The most pixels that a picture has, across and down. @type {[number, number]} */
const MOST = [4096, 1024];

class WeightFigures extends Element {
  static properties = {
    name: {},
    shape: {},
    scope: {},
    words: {},
    sources: {},
    zoom: { state: true },
    logCounts: { state: true },
    bins: { state: true },
  };

  /** Questions to each source. */
  #queries = [0, 1].map(() => ({ moments: new Query(this), counts: new Query(this), picture: new Query(this) }));

  constructor() {
    super();
    /** What the weights are called. */
    this.name = '';
    /** @type {number[]} */
    this.shape = [];
    /** Another one for other weights. */
    this.scope = '';
    /** What the image shows. */
    this.words = '';
    /** One, or those before and those after. @type {Source[]} */
    this.sources = [];
    /** The part of the histogram that is shown, with the weights that it belongs to. @type {{ scope: string, range: [number, number] } | null} */
    this.zoom = null;
    this.logCounts = false;
    /** Bins of the histogram: one for each pixel that it has room for. */
    this.bins = 300;
  }

  render() {
    // A picture of many pixels takes the whole width, so that each weight has one.
    const large = format.product(this.shape.slice(1)) > 100 || this.shape.length === 1;
    const moments = this.sources.map(({ moments }, index) => this.#queries[index].moments.read(this.scope, [index], moments));
    const [first] = moments;
    return html`<div class="charts">
      <figure class=${large || this.sources.length > 1 ? 'wide' : ''}>
        ${first ? this.#histograms(reachOf(first), moments) : html`<div class="placeholder">${this.#queries[0].moments.problem || 'Counting'}</div>`}
      </figure>
      ${this.sources.map(
        (source, index) => html`<figure class=${large ? 'wide' : ''}>
          <figcaption>
            <h3>The weights of ${this.name} as an image${source.label ? `, ${source.label}` : ''}</h3>
            <span class="quiet">${this.words}</span>
          </figcaption>
          ${this.#image(source, index)}
        </figure>`,
      )}
    </div>`;
  }

  /** @param {number} reach @param {(Moments | undefined)[]} moments */
  #histograms(reach, moments) {
    /** @type {[number, number]} */
    const whole = [-reach, reach];
    const range = this.zoom?.scope === this.scope ? this.zoom.range : whole;
    return html`
      <figcaption>
        <h3>Distribution of the weights of ${this.name}</h3>
        <span class="quiet">One bin per pixel. Drag over a range to zoom in, or use the arrow keys, + and \u2212.</span>
      </figcaption>
      <div class="row tools">
        <label><input type="checkbox" .checked=${this.logCounts} @change=${() => (this.logCounts = !this.logCounts)} /> logarithmic counts</label>
        <button type="button" class="small" @click=${() => this.#move({ shift: 0, factor: 0.5 }, whole)}>Zoom in</button>
        <button type="button" class="small" ?disabled=${range === whole} @click=${() => this.#move({ shift: 0, factor: 2 }, whole)}>Zoom out</button>
      </div>
      ${this.sources.map((source, index) => this.#histogram(source, index, range, whole, moments[index]))}
    `;
  }

  /** @param {Source} source @param {number} index @param {[number, number]} range @param {[number, number]} whole @param {Moments | undefined} moments */
  #histogram({ label, histogram }, index, range, whole, moments) {
    const query = this.#queries[index].counts;
    const counts = query.read(this.scope, [index, range, this.bins], async () => ({ range, counts: await histogram(range, this.bins) }));
    return html`
      ${label ? html`<h4>${label}</h4>` : nothing}
      ${counts
        ? html`<nutshell-histogram
            zoomable
            label="Histogram of the weights of ${this.name}${label ? `, ${label}` : ''}"
            unit="weight"
            .counts=${counts.counts}
            .range=${counts.range}
            .logCounts=${this.logCounts}
            @room=${(/** @type {CustomEvent<number>} */ { detail }) => (this.bins = detail)}
            @move=${(/** @type {CustomEvent<{ shift: number, factor: number }>} */ { detail }) => this.#move(detail, whole)}
            @range=${(/** @type {CustomEvent<[number, number]>} */ { detail }) => this.#zoomTo(detail, whole)}
          ></nutshell-histogram>`
        : html`<div class="placeholder">${query.problem || 'Counting'}</div>`}
      ${moments ? momentsList(moments) : nothing}
    `;
  }

  /** Moves the range by so many of its widths, and makes it so many times as wide.
   * @param {{ shift: number, factor: number }} move @param {[number, number]} whole */
  #move({ shift, factor }, whole) {
    const range = this.zoom?.scope === this.scope ? this.zoom.range : whole;
    const width = range[1] - range[0];
    const [middle, half] = [(range[0] + range[1]) / 2 + shift * width, (factor * width) / 2];
    this.#zoomTo([middle - half, middle + half], whole);
  }

  /** Shows a range, moved to where there are weights. @param {[number, number]} range @param {[number, number]} whole */
  #zoomTo([from, to], [least, most]) {
    const width = to - from;
    if (width >= most - least) return (this.zoom = null);
    const low = Math.min(Math.max(from, least), most - width);
    this.zoom = { scope: this.scope, range: [low, low + width] };
  }

  /** @param {Source} source @param {number} index */
  #image({ label, picture }, index) {
    const query = this.#queries[index].picture;
    const painted = query.read(this.scope, [index], () => picture(MOST));
    if (!painted) return html`<div class="placeholder">${query.problem || 'Drawing'}</div>`;
    if (painted.width === 0 || painted.height === 0) return html`<p class="quiet">There is nothing to draw.</p>`;
    return html`<nutshell-image
        label="The weights of ${this.name}${label ? `, ${label}` : ''}"
        .most=${painted.height > 2 * painted.width ? 320 : 640}
        .picture=${painted}
      ></nutshell-image>
      ${together(this.shape, painted)}`;
  }
}

/** The largest magnitude. @param {Moments} moments */
const reachOf = ({ low, high }) => Math.max(Math.abs(low), Math.abs(high)) || 1;

/** @param {Moments} moments */
function momentsList(moments) {
  return html`<dl class="live">
    ${[
      ['Mean', format.number(moments.mean)],
      ['Standard deviation \u03c3', format.number(moments.deviation)],
      ['Minimum', format.number(moments.low)],
      ['Maximum', format.number(moments.high)],
      ['Kurtosis', format.number(moments.kurtosis)],
      ['Zeros', format.count(moments.zeros)],
    ].map(([name, value]) => html`<div><dt>${name === 'Kurtosis' ? term('kurtosis', name) : name}</dt><dd>${value}</dd></div>`)}
  </dl>`;
}

/** Says so where a pixel stands for several weights. @param {number[]} shape @param {{ pixels: Uint8Array }} picture */
function together(shape, { pixels }) {
  const painted = pixels.reduce((sum, byte) => sum + (byte > 0 ? 1 : 0), 0);
  const each = Math.round(format.product(shape) / Math.max(1, painted));
  return each > 1 ? html`<p class="quiet small-text">There are more weights than pixels in the image: each pixel shows the largest of about ${format.count(each)} weights.</p>` : nothing;
}

customElements.define('weight-figures', WeightFigures);
