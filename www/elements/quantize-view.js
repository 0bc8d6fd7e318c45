// Numbers of few bits: the fixed-point grid under a layer's values, and the accuracy that is left.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import { moveControls } from '../actions/look-at.js';
import '../charts/codebook.js';
import '../charts/curve.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { layersOf, shownStage, stageBefore, stageState } from '../steps.js';
import { Element } from './element.js';
import { heldOut, missing } from './held-out.js';
import './round-view.js';
import { Sweep } from '../sweep.js';
import { term } from './term.js';
import { working } from './working.js';

/** @typedef {import('../types.js').LayerState} LayerState */
/** @typedef {import('../types.js').Stage} Stage */

/** Widths that can be tried, in bits. */
const BITS = [2, 3, 4, 5, 6, 7, 8];
/** Values of a layer without a codebook, to show rounding by. */
const SHOWN = 24;

class QuantizeView extends Element {
  #values = new Query(this);
  #grid = new Query(this);
  #counts = new Query(this);
  #formats = new Query(this);
  /** @type {Sweep<number, import('../types.js').Accuracy>} */
  #sweep = new Sweep(this);
  #codes = new Query(this);
  /** @type {Sweep<number, import('../types.js').Accuracy>} */
  #activations = new Sweep(this);

  render() {
    const { network, layer, recipe } = get();
    const input = stageBefore('quantize');
    const own = layersOf(input)[layer];
    if (!network || !recipe || !own) return nothing;
    return html`
      <p class="lesson">
        A value does not need 32 bits: in ${term('fixed point')} it is a small integer times a power of two, which a chip can
        multiply without floating point. The network is then retrained with a penalty on every bit of the file. Effort Calibrate does not train: weights that are rounded later correct the errors of earlier ones.
      </p>
      ${recipe.round.probes > 0 || stageState('round') ? html`<round-view></round-view>` : nothing}
      ${this.#explore(`${network.id} ${input}`, input, layer, own, recipe.scaling)} ${this.#own(network.id, layer)}
    `;
  }

  /** @param {string} scope @param {Stage} input @param {number} layer @param {LayerState} own
   * @param {import('../types.js').Scaling} scaling */
  #explore(scope, input, layer, own, scaling) {
    const { viewControls: chosen, heldOutCount } = get();
    const bits = chosen.bits ?? 4;
    // Before sharing there are too many values to show: the best few stand for them.
    const values = this.#values.read(`${scope} ${layer}`, [], async () =>
      own.centroids.length > 0 ? own.centroids : viewer.ask((remote) => remote.codebook(input, layer, SHOWN)),
    );
    const grid = this.#grid.read(`${scope} ${layer}`, [bits, values ?? null], async () =>
      values ? viewer.ask((remote) => remote.grid(values, bits)) : undefined,
    );
    const reach = Math.max(Math.abs(own.range[0]), Math.abs(own.range[1])) || 1;
    /** @type {[number, number]} */
    const range = [-reach * 1.05, reach * 1.05];
    const counts = this.#counts.read(`${scope} ${layer}`, [], () => viewer.ask((remote) => remote.histogram({ stage: input }, layer, range, 160)));
    const sweep = this.#sweep.read(JSON.stringify([scope, heldOutCount, scaling]), BITS, (bits) =>
      viewer.ask((remote) => remote.accuracy({ stage: input, rounded: bits }, heldOutCount, scaling)),
    );
    const formats = this.#formats.read(scope, [bits], () => viewer.ask((remote) => remote.formats(input, bits)));
    const move = (/** @type {number} */ to) => moveControls({ bits: to });
    const here = sweep.answers[BITS.indexOf(bits)];
    return html`
      <h3 class="part">Try a bit width${input === 'original' ? nothing : html` <span class="quiet">on the network after ${format.stage(input)}</span>`}</h3>
      <div class="slider">
        <label for="bits">Bits per weight</label>
        <input id="bits" type="range" min=${BITS[0]} max=${BITS[BITS.length - 1]} .value=${String(bits)}
          @input=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => move(target.valueAsNumber)} />
        <output for="bits">${bits}</output>
      </div>
      ${grid
        ? html`<dl class="live">
            <div><dt>Format</dt><dd id="format">Q${grid.integer_bits}.${grid.fraction_bits}, steps of ${format.number(2 ** -grid.fraction_bits)}</dd></div>
            <div><dt>Rounding error</dt><dd>${format.percent(grid.relative_error)} of the root mean square</dd></div>
            <div>
              <dt>Accuracy with ${bits} bits in all layers</dt>
              <dd>${heldOut(here)}</dd>
            </div>
          </dl>`
        : nothing}
      <div class="charts">
        <figure>
          <figcaption>
            <h3>The grid under the values of ${own.name}</h3>
            <span class="quiet">
              ${own.centroids.length > 0 ? "The layer's own values" : `${SHOWN} representative values`}; each moves to the nearest grid line, by the orange part. Grey: the histogram of the weights.
            </span>
          </figcaption>
          ${grid && counts
            ? html`<nutshell-codebook
                label="Values of ${own.name} on a ${bits}-bit grid"
                .values=${grid.values.map(({ value, population }) => /** @type {[number, number]} */ ([value, population]))}
                .rounded=${grid.values.map(({ rounded }) => rounded)}
                .unit=${2 ** -grid.fraction_bits}
                .counts=${counts}
                .range=${range}
              ></nutshell-codebook>`
            : html`<div class="placeholder">${this.#values.problem || 'Rounding'}</div>`}
        </figure>
        <figure>
          <figcaption>
            <h3>Accuracy against bits</h3>
            <span class="quiet">All weights and biases are rounded, without retraining. Error bars show one ${term('standard error')}.</span>
          </figcaption>
          ${accuracyCurve('weight', sweep, bits, move)}
        </figure>
      </div>
      ${formats ? formatTable(formats, layersOf(input), bits) : nothing}
      ${stageState('quantize') ? nothing : html`<p class="quiet">After a run, a second chart shows accuracy against bits per activation.</p>`}
    `;
  }

  /** The integers that the run chose. @param {number} id @param {number} layer */
  #own(id, layer) {
    const { viewerStages, result, heldOutCount, recipe } = get();
    const stage = shownStage('quantize');
    const own = stage && stageState(stage)?.layers[layer];
    if (!stage || !own) return nothing;
    const code = viewerStages.includes(stage)
      ? this.#codes.read(`${id} ${stage} ${layer}`, [viewerStages.length], () => viewer.ask((remote) => remote.coded(stage, layer)))
      : undefined;
    const reach = Math.max(Math.abs(own.range[0]), Math.abs(own.range[1])) || 1;
    const integer = result?.report.integer;
    const scaling = recipe?.scaling;
    const activations =
      scaling && viewerStages.includes(stage)
        ? this.#activations.read(JSON.stringify([id, stage, heldOutCount, scaling]), BITS, (bits) =>
            viewer.ask((remote) => remote.integerAccuracy(stage, heldOutCount, scaling, bits)),
          )
        : null;
    return html`<figure class="part">
        <figcaption>
          <h3>What the run chose for ${own.name}</h3>
          <span class="quiet">
            ${own.centroids.length} values besides zero${code ? html`, in ${qFormat(own, code.fraction_bits)}, steps of 2<sup>${-code.fraction_bits}</sup>` : nothing};
            ${format.percent(1 - own.nonzeros / own.parameters)} of its weights and biases are zero.
          </span>
        </figcaption>
        <nutshell-codebook
          label="Values of ${own.name} after ${format.stage(stage)}"
          .values=${own.centroids}
          .unit=${code ? 2 ** -code.fraction_bits : 0}
          .range=${/** @type {[number, number]} */ ([-reach * 1.1, reach * 1.1])}
          .height=${180}
        ></nutshell-codebook>
      </figure>
      ${!activations || (activations.total === 0 && heldOutCount > 0)
        ? nothing
        : html`<figure class="part">
            <figcaption>
              <h3>Integers only: accuracy against bits per activation</h3>
              <span class="quiet">
                The run's integer weights, 32-bit sums, and the given number of bits for the activations between layers. The input stays at 8 bits.
              </span>
            </figcaption>
            ${accuracyCurve('activation', activations, 8)}
          </figure>`}
      ${integer
        ? html`<p>
            With integers only, including 8-bit activations, the decoded network reaches
            <b>${format.accuracy(integer.test ?? integer.validation)}</b>.
          </p>`
        : nothing}`;
  }
}

/** The format of a layer that holds its largest integer. @param {LayerState} own @param {number} fractionBits */
function qFormat({ range }, fractionBits) {
  const largest = Math.max(Math.abs(range[0]), Math.abs(range[1])) * 2 ** fractionBits;
  // So many bits beside the sign.
  const bits = Math.ceil(Math.log2(Math.round(largest) + 1));
  return `Q${bits - fractionBits}.${fractionBits}`;
}

/** @param {import('../../pkg/nutshell.js').LayerFormat[]} formats @param {LayerState[]} layers @param {number} bits */
function formatTable(formats, layers, bits) {
  return html`<div class="scroll tall" tabindex="0" role="region" aria-label="The format of each layer">
    <table class="narrow">
      <caption>Format of each layer at ${bits} bits</caption>
      <thead>
        <tr><th scope="col">Layer</th><th scope="col">Format</th><th scope="col" class="number">Step</th><th scope="col" class="number">Rounding error</th></tr>
      </thead>
      <tbody>
        ${formats.map(
          ({ fraction_bits, integer_bits, relative_error }, index) => html`<tr>
            <th scope="row">${layers[index]?.name}</th>
            <td>Q${integer_bits}.${fraction_bits}</td>
            <td class="number">${format.number(2 ** -fraction_bits)}</td>
            <td class="number">${format.percent(relative_error)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {'weight' | 'activation'} what
 * @param {Sweep<number, import('../types.js').Accuracy>} sweep An accuracy for each width.
 * @param {number} chosen
 * @param {(bits: number) => void} [choose] */
function accuracyCurve(what, sweep, chosen, choose) {
  const { answers, total, started, stopped, problem } = sweep;
  const words = what === 'weight' ? 'weight' : 'activation';
  const more = sweep.working
    ? working('Measuring', answers.length / Math.max(1, total), started, sweep.stop)
    : stopped
      ? html`<button type="button" class="small" @click=${sweep.again}>Measure again</button>`
      : html`${problem}`;
  if (answers.length === 0) return html`<div class="placeholder">${get().heldOutCount ? more : missing()}</div>`;
  return html`<nutshell-curve
      label="Accuracy against bits per ${words}"
      xName="bits per ${words}"
      yName="accuracy"
      .points=${answers.map(({ accuracy }, index) => /** @type {[number, number]} */ ([BITS[index], accuracy]))}
      .errors=${answers.map(format.standardError)}
      .chosen=${chosen}
      .write=${format.percent}
      .height=${220}
      @choose=${choose && ((/** @type {CustomEvent<number>} */ { detail }) => choose(detail))}
    ></nutshell-curve>
    ${answers.length < total ? html`<p>${more}</p>` : nothing}`;
}

customElements.define('quantize-view', QuantizeView);
