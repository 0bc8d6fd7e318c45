// What a run by the weights alone is to reach.
import { html } from 'lit';
import { cancel, compress } from '../actions/run.js';
import { budgetOf, changeWeightsTarget } from '../actions/weights.js';
import * as format from '../format.js';
import { busy, get } from '../state.js';
import { term } from './term.js';

/** @typedef {import('../types.js').WeightsTargetChoice} WeightsTargetChoice */

/** The form. */
export function weightsForm() {
  const { weights, weightsTarget, run } = get();
  if (!weights) return html`<p class="quiet">Reading the tensors.</p>`;
  const running = run?.status === 'running';
  return html`<form
    @submit=${(/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      void compress();
    }}
  >
    <fieldset ?disabled=${running}>
      <legend>Target</legend>
      <div class="target">
        ${choice(weightsTarget, 'snr', 'smallest file, with a signal-to-noise ratio of')}
        <span>
          <input
            type="number"
            id="snr-target"
            aria-label="Signal-to-noise ratio in decibels"
            min="0"
            max="200"
            step="0.5"
            required
            ?disabled=${weightsTarget.kind !== 'snr'}
            .value=${String(weightsTarget.snr)}
            @change=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => target.checkValidity() && changeWeightsTarget({ snr: target.valueAsNumber })}
          />
          dB <small id="snr-words">${snrWords(weightsTarget.snr)}</small>
        </span>
        ${choice(weightsTarget, 'budget', 'least noise, in at most')}
        <span>
          <input
            type="number"
            id="budget-target"
            class="long"
            aria-label="Budget in bytes"
            min="1"
            step="1"
            required
            ?disabled=${weightsTarget.kind !== 'budget'}
            .value=${String(budgetOf(weightsTarget, weights.summary))}
            @change=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => target.checkValidity() && changeWeightsTarget({ budget: target.valueAsNumber })}
          />
          bytes
        </span>
        ${choice(weightsTarget, 'lossless', 'lossless: every number unchanged')}
      </div>
    </fieldset>
    <p class="quiet small-text">
      No samples are used: the run is judged by its ${term('signal-to-noise ratio')}. Only the weights of layers are rounded; vectors, integers and tensors of fewer than 512 numbers stay unchanged.
    </p>
    <div class="row actions">
      ${running
        ? html`<button type="button" class="primary" id="cancel" @click=${cancel}>Cancel</button>`
        : html`<button type="submit" class="primary" id="compress" ?disabled=${busy()}>Compress</button>`}
    </div>
  </form>`;
}

/** @param {WeightsTargetChoice} chosen @param {WeightsTargetChoice['kind']} kind @param {string} words */
const choice = (chosen, kind, words) => html`<label>
  <input type="radio" name="weights-target" value=${kind} .checked=${chosen.kind === kind} @change=${() => changeWeightsTarget({ kind })} />
  ${words}
</label>`;

/** What a ratio means. @param {number} snr In dB. */
const snrWords = (snr) => `Rounding changes weights by about ${format.number(100 * 10 ** (-snr / 20))} % of their root mean square (mean over all layers). More dB means closer to the original and a larger file.`;
