// How few values do: a layer's codebook over its histogram, and what each further value buys.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import { moveControls } from '../actions/look-at.js';
import '../charts/codebook.js';
import '../charts/curve.js';
import '../charts/image.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { layersOf, stageBefore, stageState } from '../steps.js';
import { Element } from './element.js';
import { heldOut } from './held-out.js';
import './search-player.js';
import { term } from './term.js';

/** @typedef {import('../types.js').LayerState} LayerState */
/** @typedef {import('../types.js').Stage} Stage */

const BINS = 160;

class ShareView extends Element {
  #curve = new Query(this);
  #codebook = new Query(this);
  #counts = new Query(this);
  #accuracy = new Query(this, 180);
  #pictures = new Query(this, 60);

  render() {
    const { network, layer, recipe } = get();
    const input = stageBefore('share');
    const own = layersOf(input)[layer];
    if (!network || !recipe || !own) return nothing;
    const scope = `${network.id} ${input} ${layer}`;
    const curve = this.#curve.read(scope, [], () => viewer.ask((remote) => remote.sharing(input, layer)));
    return html`
      <p class="lesson">
        Many weights can share a few values: the layer then stores a ${term('codebook')} and a short index for each weight. The best
        values come from ${term('k-means')}. Drag k to see how ${term('distortion')} and bytes change.
      </p>
      <search-player .stage=${'share'}></search-player>
      ${curve
        ? curve.points.length > 0
          ? this.#explore(scope, input, layer, own, curve, recipe.scaling)
          : html`<p class="quiet">This layer has no weights left.</p>`
        : html`<div class="placeholder">${this.#curve.problem || 'Clustering'}</div>`}
      ${this.#own(layer)}
    `;
  }

  /** @param {string} scope @param {Stage} input @param {number} layer @param {LayerState} own
   * @param {import('../../pkg/nutshell.js').SharingCurve} curve @param {import('../types.js').Scaling} scaling */
  #explore(scope, input, layer, own, curve, scaling) {
    const { viewControls: chosen, heldOutCount } = get();
    const most = curve.points.length;
    const k = Math.min(chosen.centroids ?? Math.max(2, curve.knee), most);
    const reach = Math.max(Math.abs(own.range[0]), Math.abs(own.range[1])) || 1;
    /** @type {[number, number]} */
    const range = [-reach, reach];
    const counts = this.#counts.read(scope, [], () => viewer.ask((remote) => remote.histogram({ stage: input }, layer, range, BINS)));
    const codebook = this.#codebook.read(scope, [k], () => viewer.ask((remote) => remote.codebook(input, layer, k)));
    const accuracy = this.#accuracy.read(scope, [k, heldOutCount, scaling], () =>
      viewer.ask((remote) => remote.accuracy({ stage: input, shared: k }, heldOutCount, scaling)),
    );
    const pictures = this.#pictures.read(scope, [k], () =>
      viewer.ask(async (remote) => [
        await remote.picture({ stage: input }, layer, [1200, 400]),
        await remote.indices(input, layer, k, [1200, 400]),
      ]),
    );
    const point = curve.points[k - 1];
    const move = (/** @type {number} */ to) => moveControls({ centroids: to });
    return html`
      <h3 class="part">Try a number of values${input === 'original' ? nothing : html` <span class="quiet">on the network after ${format.stage(input)}</span>`}</h3>
      <div class="slider">
        <label for="centroids">Values of ${own.name}, k</label>
        <input id="centroids" type="range" min="1" max=${most} .value=${String(k)}
          @input=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => move(target.valueAsNumber)} />
        <output for="centroids">${k}</output>
      </div>
      <dl class="live">
        <div><dt>Distortion</dt><dd id="distortion">${format.percent(point.distortion)} of the mean square</dd></div>
        <div><dt>Bits per index, at least</dt><dd>${point.index_bits.toFixed(2)}</dd></div>
        <div><dt>Indices and codebook</dt><dd>${format.bytes(point.bytes)} for ${format.count(own.nonzeros)} weights</dd></div>
        <div>
          <dt>Accuracy with k in all layers</dt>
          <dd class=${this.#accuracy.pending ? 'pending' : ''}>
            ${heldOut(accuracy)}
          </dd>
        </div>
      </dl>
      <div class="charts">
        <figure>
          <figcaption><h3>The codebook</h3><span class="quiet">One stick per value (blue), over the histogram of the weights (grey).</span></figcaption>
          <nutshell-codebook label="The ${k} values of ${own.name}" .values=${codebook ?? []} .counts=${counts ?? []} .range=${range}></nutshell-codebook>
        </figure>
        <figure>
          <figcaption>
            <h3>Distortion against k</h3>
            <span class="quiet">Beyond the ${term('knee')} further values gain little. Drag to choose k.</span>
          </figcaption>
          <nutshell-curve
            logY
            label="Distortion of ${own.name} against the number of values"
            xName="values k"
            yName="distortion"
            .points=${curve.points.map(({ distortion }, index) => /** @type {[number, number]} */ ([index + 1, distortion]))}
            .chosen=${k}
            .knee=${curve.knee}
            .height=${220}
            @choose=${(/** @type {CustomEvent<number>} */ { detail }) => move(detail)}
          ></nutshell-curve>
        </figure>
        ${pictures
          ? html`<figure>
                <figcaption><h3>The weights</h3><span class="quiet">Before sharing.</span></figcaption>
                <nutshell-image label="The weights of ${own.name}" .most=${220} .picture=${pictures[0]}></nutshell-image>
              </figure>
              <figure>
                <figcaption><h3>Their indices</h3><span class="quiet">A colour for each of the ${k} ${k === 1 ? 'value' : 'values'}.</span></figcaption>
                <nutshell-image label="Which of ${k} values each weight of ${own.name} has" .most=${220} .picture=${pictures[1]}
                  .values=${(codebook ?? []).map(([value]) => value)}></nutshell-image>
              </figure>`
          : nothing}
      </div>
    `;
  }

  /** The codebook that the run chose. @param {number} layer */
  #own(layer) {
    const own = stageState('share')?.layers[layer];
    if (!own || own.centroids.length === 0) return nothing;
    const reach = Math.max(Math.abs(own.range[0]), Math.abs(own.range[1])) || 1;
    return html`<figure class="part">
      <figcaption>
        <h3>The codebook that the run chose</h3>
        <span class="quiet">${own.centroids.length} values, fine-tuned with the gradients of all weights that share them.</span>
      </figcaption>
      <nutshell-codebook label="The run's codebook of ${own.name}" .values=${own.centroids} .range=${/** @type {[number, number]} */ ([-reach, reach])} .height=${180}></nutshell-codebook>
    </figure>`;
  }
}

customElements.define('share-view', ShareView);
