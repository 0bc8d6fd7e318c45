// The network as it was given: its graph, and a layer's weights in a histogram and as an image.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import { chooseLayer } from '../actions/look-at.js';
import '../charts/graph.js';
import '../charts/histogram.js';
import '../charts/image.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { Element } from './element.js';
import { term } from './term.js';

/** @typedef {import('../types.js').LayerState} LayerState */


/** The most pixels that a picture has, across and down. @type {[number, number]} */
const MOST = [4096, 1024];

class ModelView extends Element {
  static properties = { zoom: { state: true }, logCounts: { state: true }, bins: { state: true } };

  #moments = new Query(this);
  #counts = new Query(this);
  #picture = new Query(this);

  constructor() {
    super();
    /** The part of the histogram that is shown, with the layer it belongs to. @type {{ layer: number, range: [number, number] } | null} */
    this.zoom = null;
    this.logCounts = false;
    /** Bins of the histogram: one for each pixel that it has room for. */
    this.bins = 300;
  }

  render() {
    const { network, layer } = get();
    const own = network?.summary.layers[layer];
    if (!network || !own) return nothing;
    // A picture of many pixels takes the whole width, so that each weight has one.
    const large = own.shape.slice(1).reduce((product, side) => product * side, 1) > 100;
    return html`
      <p class="lesson">
        A trained network is its graph and its ${term('weight', 'weights')}: here ${format.count(network.summary.parameters)} numbers
        of 32 bits. Most are small, and lie around zero in a bell; that is what the next steps use.
      </p>
      ${this.#graph(layer)}
      <div class="charts">
        <figure class=${large ? 'wide' : ''}>${this.#histogram(network.id, layer, own)}</figure>
        <figure class=${large ? 'wide' : ''}>
          <figcaption>
            <h3>The weights of ${own.name} as an image</h3>
            <span class="quiet">${imageWords(own)}</span>
          </figcaption>
          ${this.#image(network.id, layer, own)}
        </figure>
      </div>
    `;
  }

  /** @param {number} id @param {number} layer @param {LayerState} own */
  #histogram(id, layer, own) {
    const reach = Math.max(Math.abs(own.range[0]), Math.abs(own.range[1])) || 1;
    /** @type {[number, number]} */
    const whole = [-reach, reach];
    const range = this.zoom?.layer === layer ? this.zoom.range : whole;
    const counts = this.#counts.read(`${id} ${layer}`, [range, this.bins], async () => ({
      range,
      counts: await viewer.ask((remote) => remote.histogram({ stage: 'original' }, layer, range, this.bins)),
    }));
    const moments = this.#moments.read(`${id} ${layer}`, [], () => viewer.ask((remote) => remote.moments('original', layer)));
    return html`
      <figcaption>
        <h3>How the weights of ${own.name} are distributed</h3>
        <span class="quiet">A bin a pixel. Drag over a part to look closer, or use the arrow keys, + and \u2212.</span>
      </figcaption>
      <div class="row tools">
        <label><input type="checkbox" .checked=${this.logCounts} @change=${() => (this.logCounts = !this.logCounts)} /> logarithmic counts</label>
        <button type="button" class="small" @click=${() => this.#move(range, { shift: 0, factor: 0.5 }, layer, whole)}>Zoom in</button>
        <button type="button" class="small" ?disabled=${range === whole} @click=${() => this.#move(range, { shift: 0, factor: 2 }, layer, whole)}>Zoom out</button>
      </div>
      ${counts
        ? html`<nutshell-histogram
            zoomable
            label="Histogram of the weights of ${own.name}"
            unit="weight"
            .counts=${counts.counts}
            .range=${counts.range}
            .logCounts=${this.logCounts}
            @room=${(/** @type {CustomEvent<number>} */ { detail }) => (this.bins = detail)}
            @move=${(/** @type {CustomEvent<{ shift: number, factor: number }>} */ { detail }) =>
              this.#move(this.zoom?.layer === layer ? this.zoom.range : whole, detail, layer, whole)}
            @range=${(/** @type {CustomEvent<[number, number]>} */ { detail }) => this.#zoomTo(detail, layer, whole)}
          ></nutshell-histogram>`
        : html`<div class="placeholder">${this.#counts.problem || 'Counting'}</div>`}
      ${moments
        ? html`<dl class="live">
            ${[
              ['Mean', format.number(moments.mean)],
              ['Deviation \u03c3', format.number(moments.deviation)],
              ['Lowest', format.number(moments.low)],
              ['Highest', format.number(moments.high)],
              ['Kurtosis', format.number(moments.kurtosis)],
            ].map(([name, value]) => html`<div><dt>${name === 'Kurtosis' ? term('kurtosis', name) : name}</dt><dd>${value}</dd></div>`)}
          </dl>`
        : nothing}
    `;
  }

  /** Moves a range by so many of its widths, and makes it so many times as wide.
   * @param {[number, number]} range @param {{ shift: number, factor: number }} move @param {number} layer @param {[number, number]} whole */
  #move(range, { shift, factor }, layer, whole) {
    const width = range[1] - range[0];
    const [middle, half] = [(range[0] + range[1]) / 2 + shift * width, (factor * width) / 2];
    this.#zoomTo([middle - half, middle + half], layer, whole);
  }

  /** Shows a range, moved to where there are weights. @param {[number, number]} range @param {number} layer @param {[number, number]} whole */
  #zoomTo([from, to], layer, [least, most]) {
    const width = to - from;
    if (width >= most - least) return (this.zoom = null);
    const low = Math.min(Math.max(from, least), most - width);
    this.zoom = { layer, range: [low, low + width] };
  }

  /** @param {number} id @param {number} layer @param {LayerState} own */
  #image(id, layer, own) {
    const picture = this.#picture.read(`${id} ${layer}`, [], () =>
      viewer.ask((remote) => remote.picture({ stage: 'original' }, layer, MOST)),
    );
    return picture
      ? html`<nutshell-image label="The weights of ${own.name}" .most=${640} .picture=${picture}></nutshell-image>
          ${together(own, picture)}`
      : html`<div class="placeholder">${this.#picture.problem || 'Painting'}</div>`;
  }

  /** The graph. @param {number} layer */
  #graph(layer) {
    const { summary } = /** @type {import('../types.js').Network} */ (get().network);
    let layers = 0;
    const nodes = [
      { name: 'input', op: 'input', shape: summary.input_shape, parameters: 0, inputs: /** @type {number[]} */ ([]) },
      ...summary.nodes.map((node) => ({ ...node, layer: node.parameters ? layers++ : undefined })),
    ];
    return html`<nutshell-graph
      class="graph"
      label="The network's graph"
      .nodes=${nodes}
      .chosen=${layer}
      @choose=${(/** @type {CustomEvent<number>} */ { detail }) => chooseLayer(detail)}
    ></nutshell-graph>`;
  }
}

/** Says so where a pixel stands for several weights. @param {LayerState} layer @param {{ pixels: Uint8Array }} picture */
function together({ shape }, { pixels }) {
  const weights = shape.reduce((product, side) => product * side, 1);
  const each = Math.round(weights / Math.max(1, pixels.reduce((sum, byte) => sum + (byte > 0 ? 1 : 0), 0)));
  return each > 1 ? html`<p class="quiet small-text">The layer is larger than a picture can be: each pixel shows the largest of about ${format.count(each)} weights.</p>` : nothing;
}

/** @param {LayerState} layer */
function imageWords({ shape }) {
  if (shape.length === 4)
    return shape[1] === 1
      ? `Each tile is one of ${shape[0]} filters of ${shape[2]} \u00d7 ${shape[3]} weights.`
      : `A column of tiles for each of ${shape[0]} filters, a row for each of ${shape[1]} input channels.`;
  return `A row for each of ${format.count(shape[0])} outputs, a column for each of ${format.count(shape[1])} inputs.`;
}

customElements.define('model-view', ModelView);
