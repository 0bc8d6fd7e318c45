// What pruning removes: a threshold to drag, the search that found the run's own, and the mask.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import { moveControls } from '../actions/look-at.js';
import '../charts/bars.js';
import '../charts/histogram.js';
import '../charts/image.js';
import '../charts/units.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { layersOf, shownStage, stageBefore, workedStage } from '../steps.js';
import { Element } from './element.js';
import { heldOut } from './held-out.js';
import './search-player.js';
import './shrink-player.js';
import { term } from './term.js';

/** @typedef {import('../types.js').Stage} Stage */
/** @typedef {import('../types.js').LayerState} LayerState */

const BINS = 120;
/** Positions of the slider, on a logarithmic scale from the lowest to the highest saliency. */
const POSITIONS = 400;

class PruneView extends Element {
  #half = new Query(this);
  #look = new Query(this);
  #accuracy = new Query(this, 180);
  #picture = new Query(this, 60);
  #after = new Query(this);

  render() {
    const { network, layer, recipe } = get();
    const shown = shownStage('prune');
    // What a threshold is tried on: what the run pruned, or before a run the network as it was given.
    const input = shown === 'structure' ? 'original' : stageBefore('prune');
    const own = layersOf(input)[layer];
    if (!network || !recipe || !own) return nothing;
    return html`
      <p class="lesson">
        ${shown === 'structure'
          ? html`This stage removes whole channels and neurons whose outputs the others can explain. The result is a smaller dense
              network that runs faster on any platform.`
          : html`Weights that hardly affect the output are set to zero. Drag the ${term('saliency')} threshold to see how much
              ${term('sparsity')} the network tolerates.`}
      </p>
      <shrink-player></shrink-player>
      <search-player .stage=${workedStage('prune') ?? 'prune'}></search-player>
      ${this.#threshold(`${network.id} ${input}`, input, layer, own, recipe.scaling)}
      ${this.#masks(`${network.id} ${shown}`, input, shown, layer, own)}
    `;
  }

  /** @param {string} scope @param {Stage} input @param {number} layer @param {LayerState} own
   * @param {import('../types.js').Scaling} scaling */
  #threshold(scope, input, layer, own, scaling) {
    const { viewControls: chosen, heldOutCount } = get();
    const reach = Math.max(Math.abs(own.range[0]), Math.abs(own.range[1])) || 1;
    /** @type {[number, number]} */
    const range = [-reach, reach];
    // Half of the weights, until the user says otherwise.
    const threshold = chosen.threshold ?? this.#half.read(scope, [], async () => (await viewer.ask((remote) => remote.pruning(input, layer, 0, 1, range))).half) ?? 0;
    const look = this.#look.read(`${scope} ${layer}`, [threshold], () =>
      viewer.ask((remote) => remote.pruning(input, layer, threshold, BINS, range)),
    );
    const accuracy = this.#accuracy.read(scope, [threshold, heldOutCount, scaling], () =>
      viewer.ask((remote) => remote.accuracy({ stage: input, pruned: threshold }, heldOutCount, scaling)),
    );
    if (!look) return html`<div class="placeholder">${this.#look.problem || 'Computing saliency'}</div>`;
    const [low, high] = look.saliency_range;
    const value = Math.min(Math.max(threshold, low), high);
    const position = high > low && low > 0 ? Math.round((POSITIONS * Math.log(value / low)) / Math.log(high / low)) : 0;
    const move = (/** @type {number} */ to) => moveControls({ threshold: to });
    const weights = look.layers.reduce((sum, [all]) => sum + all, 0);
    const kept = look.layers.reduce((sum, [, left]) => sum + left, 0);
    const [ownAll, ownKept] = look.layers[layer];
    return html`
      <h3 class="part">Try a threshold${input === 'original' ? nothing : html` <span class="quiet">on the network after ${format.stage(input)}</span>`}</h3>
      <div class="slider">
        <label for="threshold">Saliency threshold</label>
        <input
          id="threshold"
          type="range"
          min="0"
          max=${POSITIONS}
          .value=${String(position)}
          aria-valuetext=${format.number(value)}
          @input=${(/** @type {Event & { target: HTMLInputElement }} */ event) =>
            move(low * (high / low) ** (event.target.valueAsNumber / POSITIONS))}
        />
        <output for="threshold">${format.number(value)}</output>
      </div>
      <dl class="live">
        <div><dt>Sparsity of the network</dt><dd id="sparsity">${format.percent(1 - kept / weights)}</dd></div>
        <div><dt>Weights left</dt><dd>${format.count(kept)} of ${format.count(weights)}</dd></div>
        <div><dt>In ${own.name}</dt><dd>${format.count(ownKept)} of ${format.count(ownAll)}</dd></div>
        <div>
          <dt>Accuracy, not retrained</dt>
          <dd id="pruned-accuracy" class=${this.#accuracy.pending ? 'pending' : ''}>
            ${heldOut(accuracy)}
          </dd>
        </div>
      </dl>
      <div class="charts">
        <figure>
          <figcaption><h3>By saliency</h3><span class="quiet">Drag the line: weights to its left, in the shaded part, are removed.</span></figcaption>
          <nutshell-histogram
            logValues
            label="Saliency of the weights of ${own.name}"
            unit="saliency (logarithmic)"
            .counts=${look.saliency}
            .range=${/** @type {[number, number]} */ ([Math.log(low), Math.log(high)])}
            .threshold=${value}
            @threshold=${(/** @type {CustomEvent<number>} */ { detail }) => move(detail)}
          ></nutshell-histogram>
        </figure>
        <figure>
          <figcaption><h3>By weight</h3><span class="quiet">Removed weights (orange) lie around zero, kept weights (blue) further out.</span></figcaption>
          <nutshell-histogram
            label="Kept and removed weights of ${own.name}"
            unit="weight"
            .counts=${look.kept}
            .gone=${look.pruned}
            .range=${range}
          ></nutshell-histogram>
        </figure>
      </div>
      <div class="charts">
        <figure>
          <figcaption><h3>Sparsity of each layer</h3><span class="quiet">The share of its weights that the threshold removes. Blue: ${own.name}, the layer that is shown.</span></figcaption>
          <nutshell-bars
            label="Sparsity of each layer at this threshold"
            .write=${format.percent}
            .most=${1}
            .bars=${look.layers.map(([all, left], index) => ({ name: layersOf(input)[index].name, value: 1 - left / all, ours: index === layer }))}
          ></nutshell-bars>
        </figure>
        <figure>
          <figcaption><h3>Units left</h3><span class="quiet">A channel or neuron without weights is removed.</span></figcaption>
          <nutshell-units
            label="Units of each layer at this threshold"
            .rows=${look.units.map(([all, left], index) => {
              const first = layersOf('original')[index];
              return { name: first.name, left, dying: all - left, gone: first.shape[0] - all };
            })}
          ></nutshell-units>
        </figure>
      </div>
      ${this.#tried(scope, input, layer, threshold)}
    `;
  }

  /** @param {string} scope @param {Stage} input @param {number} layer @param {number} threshold */
  #tried(scope, input, layer, threshold) {
    const picture = this.#picture.read(`${scope} ${layer} `, [threshold], () =>
      viewer.ask((remote) => remote.picture({ stage: input, pruned: threshold }, layer, [1200, 500])),
    );
    return picture
      ? html`<figure class="part">
          <figcaption><h3>Weights left at this threshold</h3></figcaption>
          <nutshell-image label="Weights left at this threshold" .most=${240} .picture=${picture}></nutshell-image>
        </figure>`
      : nothing;
  }

  /** The run's own result, if it is there. @param {string} scope @param {Stage} input @param {Stage | null} shown
   * @param {number} layer @param {LayerState} own */
  #masks(scope, input, shown, layer, own) {
    const { viewerStages } = get();
    if (!shown || !viewerStages.includes(shown)) return nothing;
    const pictures = this.#after.read(`${scope} ${layer}`, [viewerStages.length], () =>
      viewer.ask(async (remote) => [
        await remote.picture({ stage: input }, layer, [1200, 500]),
        await remote.picture({ stage: shown }, layer, [1200, 500]),
      ]),
    );
    if (!pictures) return nothing;
    const now = layersOf(shown)[layer];
    return html`
      <h3 class="part">What the run did to ${own.name}</h3>
      <div class="charts">
        <figure>
          <figcaption><span class="quiet">Before: ${format.shape(own.shape)}, ${format.count(own.nonzeros)} nonzero weights and biases</span></figcaption>
          <nutshell-image label="${own.name} before" .most=${260} .picture=${pictures[0]}></nutshell-image>
        </figure>
        <figure>
          <figcaption><span class="quiet">After: ${format.shape(now.shape)}, ${format.count(now.nonzeros)} nonzero weights and biases</span></figcaption>
          <nutshell-image label="${own.name} after" .most=${260} .picture=${pictures[1]}></nutshell-image>
        </figure>
      </div>
    `;
  }
}

customElements.define('prune-view', PruneView);
