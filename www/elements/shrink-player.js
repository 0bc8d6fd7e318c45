// The network's units, stage by stage: the network becomes smaller as they die.
import { html, nothing } from 'lit';
import '../charts/units.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { layersOf, stages } from '../steps.js';
import { Element } from './element.js';
import './frame-player.js';
import { term } from './term.js';

class ShrinkPlayer extends Element {
  static properties = { chosen: { state: true } };

  constructor() {
    super();
    /** Which stage is shown, counted from 1; null for the last. @type {number | null} */
    this.chosen = null;
  }

  render() {
    const all = stages();
    const { network } = get();
    if (!network || all.length < 2) return nothing;
    const index = Math.min(this.chosen ?? Infinity, all.length) - 1;
    const { stage, layers, bytes, ratio, nonzeros } = all[index];
    const units = (/** @type {import('../types.js').LayerState} */ { shape }) => shape[0];
    const rows = layersOf('original').map((own, place) => {
      const left = units(layers[place]);
      return { name: own.name, left, gone: units(own) - left };
    });
    return html`<figure class="part">
      <figcaption>
        <h3>The network shrinks</h3>
        <span class="quiet">Each square is a channel or a neuron. A ${term('unit')} that nothing feeds or nothing reads is removed with all its weights.</span>
      </figcaption>
      <div class="row tools">
        <frame-player name="Stage" .count=${all.length} .shown=${index + 1} words=${format.stage(stage)}
          @show=${(/** @type {CustomEvent<number>} */ { detail }) => (this.chosen = detail)}></frame-player>
      </div>
      <nutshell-units label="Units of each layer after ${format.stage(stage)}" .rows=${rows}></nutshell-units>
      <p class="small-text">
        ${format.stage(stage)}: ${format.count(rows.reduce((sum, { left }) => sum + left, 0))} units, ${format.count(nonzeros)} nonzero
        numbers, <b>${format.bytes(bytes)}</b>, ${format.ratio(ratio)}.
      </p>
    </figure>`;
  }
}

customElements.define('shrink-player', ShrinkPlayer);
