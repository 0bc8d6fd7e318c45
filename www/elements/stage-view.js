// What a step does to the layer that is looked at.
import { html, nothing } from 'lit';
import { chooseLayer, chooseStep } from '../actions/look-at.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { layersOf, shownStage, stageState, STEPS } from '../steps.js';
import { Element } from './element.js';
import './code-view.js';
import './model-view.js';
import './prune-view.js';
import './quantize-view.js';
import './result-card.js';
import './share-view.js';
import './tensors-view.js';

class StageView extends Element {
  render() {
    const { network, weights, step } = get();
    this.hidden = !network && !weights;
    if (this.hidden) return nothing;
    return html`
      <div class="view-head">
        <h2>${step === 'result' ? 'Result' : network ? STEPS.find((own) => own.step === step)?.name : 'Tensors'}</h2>
        ${network && step !== 'result' ? html`${parts()} ${layers()}` : nothing}
      </div>
      ${view()}
    `;
  }
}

/** A choice between the stages of a step that has two. */
function parts() {
  const { step } = get();
  const own = STEPS.find((other) => other.step === step)?.stages.filter((stage) => stageState(stage)) ?? [];
  if (own.length < 2) return nothing;
  return html`<fieldset class="tabs">
    <legend class="sr">Part of this step</legend>
    ${own.map(
      (stage) => html`<label>
        <input type="radio" name="part" value=${stage} .checked=${shownStage(step) === stage} @change=${() => chooseStep(step, stage)} />
        <span>${format.stage(stage)}</span>
      </label>`,
    )}
  </fieldset>`;
}

function layers() {
  const { step, layer } = get();
  return html`<label class="layer-choice">
    Layer
    <select
      id="layer"
      @change=${(/** @type {Event & { target: HTMLSelectElement }} */ event) => chooseLayer(Number(event.target.value))}
    >
      ${layersOf(shownStage(step)).map(
        ({ name }, index) => html`<option value=${index} ?selected=${index === layer}>${name}</option>`,
      )}
    </select>
  </label>`;
}

function view() {
  const { step, network } = get();
  switch (step) {
    case 'model':
      return network ? html`<model-view></model-view>` : html`<tensors-view></tensors-view>`;
    case 'prune':
      return html`<prune-view></prune-view>`;
    case 'share':
      return html`<share-view></share-view>`;
    case 'quantize':
      return html`<quantize-view></quantize-view>`;
    case 'code':
      return html`<code-view></code-view>`;
    case 'result':
      return html`<result-card></result-card>`;
  }
}

customElements.define('stage-view', StageView);
