// What a run is to do: its effort, and what is to be reached.
import { html, nothing } from 'lit';
import { judgeBy } from '../actions/judge.js';
import { changeRecipe, chooseEffort, drawSeed, lockedLayers, lockLayers, resetRecipe, saveRecipe } from '../actions/recipe.js';
import { cancel, compress, resume } from '../actions/run.js';
import { difference, numberAt, settingAt } from '../address.js';
import { busy, byAgreement, get } from '../state.js';
import { Element } from './element.js';
import { weightsForm } from './weights-form.js';

/** @type {{ effort: import('../types.js').Effort, label: string, note: string }[]} */
const EFFORTS = [
  { effort: 'calibrate', label: 'Calibrate', note: 'no training' },
  { effort: 'quick', label: 'Quick', note: 'seconds to a minute' },
  { effort: 'balanced', label: 'Balanced', note: 'minutes' },
  { effort: 'thorough', label: 'Thorough', note: 'smallest file' },
];

/** What a budget begins with: the ratio that Frickenstein, Unger and Stechele report for LeNet. */
const PAPER_RATIO = 385;
/** The same without training: 4 bits a weight. */
const ROUNDED_RATIO = 8;

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
    const { recipe, preset, network, weights, evidence } = get();
    if (!recipe || !preset) return html`<h2>Compress</h2><p class="quiet">The engine is starting.</p>`;
    return html`
      <h2>Compress</h2>
      ${network ? judge(evidence) : nothing} ${network || !weights ? nothing : html`<p class="quiet small-text">Judged by the weights alone, because the network cannot be run.</p>`}
      ${evidence === 'weights' ? weightsForm() : this.#form(recipe, preset)}
    `;
  }

  /** The form of a run that samples judge. @param {import('../types.js').Recipe} recipe @param {import('../types.js').Recipe} preset */
  #form(recipe, preset) {
    const { settings, run, network, data } = get();
    const range = (/** @type {string} */ kind) => settings.find(({ path }) => path === `target.${kind}`) ?? { low: 0, high: null };
    const running = run?.status === 'running';
    const agreement = byAgreement(data);
    const complete = data.id !== null && data.train > 0 && data.train >= data.trainTotal;
    // Where a target is not set, its field shows what it would begin with.
    const usual = numberOf(preset.target, 'tolerance') ?? 0;
    const start = Math.ceil((network?.graph.baseline_bytes ?? 0) / (recipe.effort === 'calibrate' ? ROUNDED_RATIO : PAPER_RATIO));
    const tolerance = numberOf(recipe.target, 'tolerance');
    const budget = numberOf(recipe.target, 'budget');
    const locked = lockedLayers();
    return html`
      <form
        @submit=${(/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          void compress();
        }}
      >
        <fieldset ?disabled=${running}>
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
        <fieldset ?disabled=${running}>
          <legend>Target</legend>
          ${agreement
            ? html`<p class="quiet small-text" id="by-agreement">
                ${network && !network.graph.classifies
                  ? html`The samples have no labels, and the network answers with numbers, so a run is judged by how well it gives the original's
                      outputs: R² may fall by so many percentage points.`
                  : html`The samples have no labels, so a run is judged by agreement with the original: each 1 % of answers that change costs one
                      percentage point.`}
              </p>`
            : nothing}
          <div class="target">
            <label>
              <input
                type="radio"
                name="target"
                value="tolerance"
                .checked=${tolerance !== null}
                @change=${() => changeRecipe({ target: { tolerance: usual } })}
              />
              smallest file, losing at most
            </label>
            <span>
              <input
                type="number"
                aria-label="Tolerance in percentage points of ${agreement ? 'agreement with the original' : 'validation accuracy'}"
                min=${range('tolerance').low}
                max=${range('tolerance').high ?? nothing}
                step="0.05"
                required
                ?disabled=${tolerance === null}
                .value=${String(tolerance ?? usual)}
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
                ?disabled=${!network}
                @change=${() => changeRecipe({ target: { budget: start } })}
              />
              ${agreement ? 'file closest to the original' : 'most accurate file'}, in at most
            </label>
            <span>
              <input
                type="number"
                aria-label="Budget in bytes"
                min=${range('budget').low}
                max=${range('budget').high ?? nothing}
                step="1"
                required
                ?disabled=${budget === null}
                .value=${String(budget ?? start)}
                @change=${(/** @type {Event & { target: HTMLInputElement }} */ event) =>
                  event.target.checkValidity() && changeRecipe({ target: { budget: event.target.valueAsNumber } })}
              />
              bytes
            </span>
          </div>
        </fieldset>
        ${locked.length > 0
          ? html`<p class="small-text" id="locked">
              Kept in 16 bits: ${locked.join(', ')}. <button type="button" class="plain" ?disabled=${running} @click=${() => lockLayers([])}>Unlock all</button>
            </p>`
          : nothing}
        <div class="row actions">
          ${running
            ? html`<button type="button" class="primary" id="cancel" @click=${cancel}>Cancel</button>`
            : html`<button type="submit" class="primary" id="compress" ?disabled=${!network || !complete}>Compress</button>`}
          ${run && !running && run.status !== 'done' && run.resumable
            ? html`<button type="button" id="resume" ?disabled=${!complete} @click=${resume}>Resume</button>`
            : nothing}
          ${network && !complete ? html`<span class="quiet">${data.problem || missing(data)}</span>` : nothing}
        </div>
        ${this.#settings()}
      </form>
    `;
  }

  /** Every number of the recipe, by stage. */
  #settings() {
    const { recipe, preset, settings, run } = get();
    if (!recipe || !preset) return nothing;
    const running = run?.status === 'running';
    // The target has fields of its own.
    const groups = [...new Set(settings.map(({ path }) => groupOf(path)))].filter((group) => group !== 'target');
    const changed = Object.keys(difference(preset, recipe)).length > 0;
    return html`<details class="settings">
      <summary>All settings</summary>
      <p class="quiet small-text">
        The settings of the chosen effort. Changed values are marked and stored in this page's address, so a link repeats the run.
      </p>
      <div class="row">
        <button type="button" class="small" ?disabled=${running || !changed} @click=${resetRecipe}>Reset to defaults</button>
        <button type="button" class="small" id="save-recipe" @click=${saveRecipe}>Save as JSON</button>
        <button type="button" class="small" ?disabled=${running} @click=${drawSeed}>New seed</button>
      </div>
      <p class="quiet small-text">To open a recipe, drop its JSON file on the page or choose it with <i>Replace</i>.</p>
      ${groups.map(
        (group) => html`<fieldset ?disabled=${running}>
          <legend>${GROUPS[group] ?? group}</legend>
          ${settings.filter(({ path }) => groupOf(path) === group).map((setting) => this.#setting(setting, recipe, preset))}
        </fieldset>`,
      )}
    </details>`;
  }

  /** @param {import('../types.js').Setting} setting @param {import('../types.js').Recipe} recipe
   * @param {import('../types.js').Recipe} preset */
  #setting({ path, words, low, high, above, integer }, recipe, preset) {
    const [value, usual] = [numberAt(recipe, path), numberAt(preset, path)];
    const name = path.split('.').slice(path.includes('.') ? 1 : 0).join(', ').replaceAll('_', ' ');
    const id = path.replaceAll('.', '-');
    const range = `${above ? 'above' : 'from'} ${low}${high === undefined || high === null ? '' : ` to ${high}`}`;
    return html`<div class="setting ${value === usual ? '' : 'changed'}">
      <label for=${id}>${name}</label>
      <input
        type="number"
        id=${id}
        aria-describedby="${id}-words"
        min=${low}
        max=${high ?? nothing}
        step=${integer ? 1 : 'any'}
        required
        .value=${String(value)}
        @change=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => {
          // A field that may not be its lowest number has no attribute for that.
          target.setCustomValidity(above && target.valueAsNumber <= low ? `above ${low}` : '');
          if (target.reportValidity()) changeRecipe(settingAt(path, target.valueAsNumber));
        }}
      />
      <span class="quiet" id="${id}-words">${words}; ${range}, default ${usual}</span>
    </div>`;
  }
}

/** A choice of what a run is judged by. @param {'samples' | 'weights'} evidence */
function judge(evidence) {
  const choice = (/** @type {'samples' | 'weights'} */ kind, /** @type {string} */ words) => html`<label>
    <input type="radio" name="evidence" value=${kind} .checked=${evidence === kind} @change=${() => judgeBy(kind)} />
    <span>${words}</span>
  </label>`;
  return html`<fieldset class="tabs" ?disabled=${busy()}>
    <legend>Judged by</legend>
    ${choice('samples', 'samples')} ${choice('weights', 'the weights alone')}
  </fieldset>`;
}

/** What the first name of a path stands for. @type {Record<string, string>} */
const GROUPS = {
  '': 'Run',
  split: 'Samples',
  distillation: 'Distillation',
  structure: 'Prune: channels and neurons',
  prune: 'Prune: single weights',
  share: 'Share',
  round: 'Quantize: round without training',
  refine: 'Quantize: refine',
  code: 'Code',
};

/** The number of a target, if it is of that kind. @param {import('../../pkg/nutshell.js').Target} target @param {'tolerance' | 'budget'} kind
 * @returns {number | null} */
const numberOf = (target, kind) => /** @type {any} */ (target)[kind] ?? null;

/** @param {string} path */
const groupOf = (path) => (path.includes('.') ? path.split('.')[0] : '');

/** @param {import('../types.js').Data} data */
const missing = ({ trainTotal }) =>
  trainTotal > 0 ? 'Waiting for the training images' : 'A run needs training samples: drop a file of them here';

customElements.define('recipe-card', RecipeCard);
