// Each layer's weights, before and after.
import { html, nothing } from 'lit';
import '../charts/weight-histogram.js';
import '../charts/byte-bars.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').LayerState} LayerState */
/** @typedef {import('../types.js').Stage} Stage */

class LayersCard extends Element {
  static properties = { chosen: { state: true } };

  constructor() {
    super();
    /** The stage that the user chose to see. @type {Stage | null} */
    this.chosen = null;
  }

  render() {
    const { network, run, result } = get();
    const stages = result?.report.stages ?? run?.stages ?? [];
    const later = stages.filter(({ stage }) => stage !== 'original');
    const before = stages.find(({ stage }) => stage === 'original')?.layers ?? network?.summary.layers ?? [];
    const after = later.find(({ stage }) => stage === this.chosen) ?? later.at(-1);
    this.hidden = before.length === 0;
    if (before.length === 0) return nothing;
    return html`
      <h2>Weights</h2>
      ${later.length > 0
        ? html`<fieldset class="tabs">
            <legend>After</legend>
            ${later.map(
              ({ stage }) => html`<label>
                <input
                  type="radio"
                  name="shown-stage"
                  .checked=${stage === after?.stage}
                  @change=${() => (this.chosen = stage)}
                /><span>${format.STAGES[stage]}</span>
              </label>`,
            )}
          </fieldset>`
        : nothing}
      <div class="layers">
        ${before.map((layer, index) => this.#layer(layer, after?.layers[index]))}
      </div>
      ${this.#bytes()}
    `;
  }

  /** @param {LayerState} before @param {LayerState | undefined} after */
  #layer(before, after) {
    const shown = after ?? before;
    return html`<figure class="layer">
      <figcaption>
        <strong>${before.name}</strong>
        <span class="quiet">
          ${format.shape(shown.shape)}; ${format.count(shown.nonzeros)} of ${format.count(before.parameters)} are not zero
        </span>
      </figcaption>
      <weight-histogram .layer=${before} label=${after ? 'before' : ''} .centroids=${after?.centroids ?? []}></weight-histogram>
      ${after ? html`<weight-histogram .layer=${after} label="after" .centroids=${after.centroids}></weight-histogram>` : nothing}
    </figure>`;
  }

  /** Where the bytes of the file are. */
  #bytes() {
    const { network, result } = get();
    const final = result?.report.stages.findLast(({ layers }) => layers.some(({ bits }) => bits.positions > 0));
    if (result && final)
      return html`<h3>Bytes by kind</h3>
        <byte-bars .layers=${final.layers} .total=${result.report.file_bytes}></byte-bars>`;
    if (network?.summary.format === 'nut')
      return html`<h3>Bytes by kind</h3>
        <byte-bars .layers=${network.summary.layers} .total=${network.summary.file_bytes}></byte-bars>`;
    return nothing;
  }
}

customElements.define('layers-card', LayersCard);
