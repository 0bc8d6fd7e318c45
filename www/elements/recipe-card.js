// What a run is to do: its effort, and what is to be reached.
import { html, nothing } from 'lit';
import { cancel, changeRecipe, chooseEffort, compress, drawSeed, resume } from '../actions/run.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** @type {{ effort: import('../types.js').Effort, label: string, note: string }[]} */
const EFFORTS = [
  { effort: 'quick', label: 'Quick', note: 'seconds to a minute' },
  { effort: 'balanced', label: 'Balanced', note: 'minutes' },
  { effort: 'thorough', label: 'Thorough', note: 'as small as we can' },
];

class RecipeCard extends Element {
  /** Whether the focus is on a button that may be about to go. */
  #onButton = false;

  willUpdate() {
    const { activeElement } = document;
    this.#onButton = this.contains(activeElement) && activeElement instanceof HTMLButtonElement;
  }

  /** Compress becomes Cancel, and back: the keyboard's place is kept. */
  updated() {
    if (this.#onButton && document.activeElement === document.body)
      /** @type {HTMLButtonElement | null} */ (this.querySelector('.primary'))?.focus();
  }

  render() {
    const { recipe, run, network, data } = get();
    if (!recipe) return html`<h2>Compress</h2><p class="quiet">The engine is starting.</p>`;
    const busy = run?.status === 'running';
    const complete = data.train > 0 && data.train >= data.trainTotal;
    const tolerance = 'tolerance' in recipe.target ? recipe.target.tolerance : null;
    const budget = 'budget' in recipe.target ? recipe.target.budget : null;
    return html`
      <h2>Compress</h2>
      <form
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          void compress();
        }}
      >
        <fieldset ?disabled=${busy}>
          <legend>Effort</legend>
          <div class="options">
            ${EFFORTS.map(
              ({ effort, label, note }) => html`<label class="option">
                <input
                  type="radio"
                  name="effort"
                  value=${effort}
                  .checked=${recipe.effort === effort}
                  @change=${() => chooseEffort(effort)}
                />
                <span>${label}<small>${note}</small></span>
              </label>`,
            )}
          </div>
        </fieldset>
        <fieldset ?disabled=${busy}>
          <legend>Target</legend>
          <div class="target">
            <label>
              <input
                type="radio"
                name="target"
                value="tolerance"
                .checked=${tolerance !== null}
                @change=${() => changeRecipe({ target: { tolerance: 0.3 } })}
              />
              smallest, losing at most
            </label>
            <span>
              <input
                type="number"
                aria-label="Tolerance in percentage points of validation accuracy"
                min="0"
                max="100"
                step="0.05"
                required
                ?disabled=${tolerance === null}
                .value=${String(tolerance ?? 0.3)}
                @change=${(/** @type {Event & { target: HTMLInputElement }} */ event) =>
                  event.target.checkValidity() && changeRecipe({ target: { tolerance: event.target.valueAsNumber } })}
              />
              percentage points
            </span>
            <label>
              <input
                type="radio"
                name="target"
                value="budget"
                .checked=${budget !== null}
                @change=${() => changeRecipe({ target: { budget: 4479 } })}
              />
              most accurate, in at most
            </label>
            <span>
              <input
                type="number"
                aria-label="Budget in bytes"
                min="1"
                step="1"
                required
                ?disabled=${budget === null}
                .value=${String(budget ?? 4479)}
                @change=${(/** @type {Event & { target: HTMLInputElement }} */ event) =>
                  event.target.checkValidity() && changeRecipe({ target: { budget: event.target.valueAsNumber } })}
              />
              bytes
            </span>
          </div>
        </fieldset>
        <details>
          <summary>More settings</summary>
          <div class="setting">
            <label for="seed">Seed</label>
            <input
              type="number"
              id="seed"
              min="0"
              step="1"
              required
              ?disabled=${busy}
              .value=${String(recipe.seed)}
              @change=${(/** @type {Event & { target: HTMLInputElement }} */ event) =>
                event.target.checkValidity() && changeRecipe({ seed: event.target.valueAsNumber })}
            />
            <button type="button" class="plain" ?disabled=${busy} @click=${drawSeed}>Another</button>
          </div>
          <div class="setting">
            <label for="validation">Held out</label>
            <input
              type="number"
              id="validation"
              min="1"
              step="1"
              required
              ?disabled=${busy}
              .value=${String(recipe.split.validation)}
              @change=${(/** @type {Event & { target: HTMLInputElement }} */ event) =>
                event.target.checkValidity() &&
                changeRecipe({ split: { ...recipe.split, validation: event.target.valueAsNumber } })}
            />
          </div>
          <p class="quiet">
            The same seed gives the same file. The last ${format.count(recipe.split.validation)} training images are held out to
            validate: they search and select, and are never trained on.
          </p>
        </details>
        <div class="row actions">
          ${busy
            ? html`<button type="button" class="primary" id="cancel" @click=${cancel}>Cancel</button>`
            : html`<button type="submit" class="primary" id="compress" ?disabled=${!network || !complete}>Compress</button>`}
          ${run && !busy && run.status !== 'done' && run.resumable
            ? html`<button type="button" id="resume" ?disabled=${!complete} @click=${resume}>Resume</button>`
            : nothing}
          ${network && !complete ? html`<span class="quiet">${data.problem || missing(data)}</span>` : nothing}
        </div>
      </form>
    `;
  }
}

/** @param {import('../types.js').Data} data */
const missing = ({ trainTotal }) =>
  trainTotal > 0 ? 'Waiting for the training images' : 'Training images and labels are needed: drop their IDX files';

customElements.define('recipe-card', RecipeCard);
