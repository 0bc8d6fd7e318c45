// The steps from left to right, and what they come to: always in view.
import { html, nothing } from 'lit';
import { chooseStep } from '../actions/look-at.js';
import * as format from '../format.js';
import { leftWords, share } from '../progress.js';
import { get } from '../state.js';
import { shownStage, stages, stageState, STEPS } from '../steps.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').Step} Step */

class PipelineBar extends Element {
  /** What sticks below it, or is scrolled to, has to know its height. */
  #observer = new ResizeObserver(() => document.documentElement.style.setProperty('--bar', `${this.offsetHeight}px`));

  connectedCallback() {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    super.disconnectedCallback();
  }

  render() {
    const { step, result, network, run, evidence } = get();
    if (evidence === 'weights') return this.#withoutSamples();
    const original = network?.graph.baseline_bytes ?? 0;
    return html`
      <ol class="stages">
        ${STEPS.map((own, index) => this.#step(own, index, original))}
        <li class=${result ? 'done' : 'waiting'}>
          <button type="button" class="step" data-step="result" aria-pressed=${step === 'result'} @click=${() => choose('result')}>
            <span class="name">Result</span>
            <span class="note">${result ? html`<b>${format.ratio(result.report.ratio)}</b> smaller` : run?.status === 'running' ? 'at the end' : 'not yet'}</span>
          </button>
        </li>
      </ol>
      ${this.#score()}
    `;
  }

  /** By the weights alone there is one step, and its result. */
  #withoutSamples() {
    const { step, network, weights, result, run } = get();
    const note = result ? html`<b>${format.ratio(result.report.ratio)}</b> smaller` : run?.status === 'running' ? 'at the end' : 'not yet';
    const tile = (/** @type {Step} */ own, /** @type {string} */ name, /** @type {boolean} */ done, /** @type {unknown} */ note) => html`<li class=${done ? 'done' : 'waiting'}>
      <button type="button" class="step" data-step=${own} aria-pressed=${step === own} @click=${() => choose(own)}>
        <span class="name">${name}</span><span class="note">${note}</span>
      </button>
    </li>`;
    return html`
      <ol class="stages few">
        ${tile('model', network ? 'Model' : 'Tensors', true, weights ? html`<b>${format.bytes(weights.summary.tensor_bytes)}</b>` : '')}
        ${tile('result', 'Result', result !== null, note)}
      </ol>
      <p class="score">
        ${result
          ? html`<span class="quiet">Tensors</span> <b>${format.bytes(result.report.baseline_bytes)}</b>
              <span class="arrow" aria-hidden="true">\u2192</span> <span class="quiet">File</span> <b>${format.bytes(result.report.file_bytes)}</b>,
              <b>${format.ratio(result.report.ratio)}</b>, ${format.quality(result.report)}`
          : nothing}
        ${working(run)}
      </p>
    `;
  }

  /** @param {typeof STEPS[number]} own @param {number} index @param {number} original */
  #step({ step, name, note, stages }, index, original) {
    const { step: chosen, run, network } = get();
    const current = run?.status === 'running' && run.stage !== null && stages.includes(run.stage);
    const stage = shownStage(step);
    const state = stage && stageState(stages.findLast((other) => stageState(other)) ?? stage);
    const bytes = state?.bytes ?? (step === 'model' ? (network?.graph.compressed ? network.summary.file_bytes : original || undefined) : undefined);
    const left = state ? state.bytes / original : step === 'model' ? 1 : 0;
    const status = current ? 'current' : state || (step === 'model' && network) ? 'done' : 'waiting';
    return html`<li class=${status}>
      <button
        type="button"
        class="step"
        data-step=${step}
        aria-pressed=${chosen === step}
        aria-current=${current ? 'step' : nothing}
        title="${name}: ${note}. The bar shows what is left of the original's bytes."
        @click=${() => choose(step)}
      >
        <span class="name"><span class="index" aria-hidden="true">${index + 1}</span>${name}</span>
        <span class="note">${bytes === undefined ? note : html`<b>${format.bytes(bytes)}</b>${state ? html`<span class="wide" title="Accuracy on the validation samples">, val. ${short(state.validation)}</span>` : nothing}`}</span>
        <span class="share" aria-hidden="true"><span style="width: ${Math.min(100, 100 * left)}%"></span></span>
      </button>
    </li>`;
  }

  /** The original beside what is looked at. Both accuracies are of the test samples, or, where there are none, of the validation samples. */
  #score() {
    const { step, network, result, run } = get();
    if (!network) return nothing;
    const { summary, graph, measured } = network;
    // Of a step that changed nothing yet, what the run has come to so far.
    const own = stageState(shownStage(step) ?? 'original');
    const state = own && own.stage !== 'original' ? own : stages().at(-1);
    const report = state === own && step !== 'code' ? undefined : result?.report;
    const test = measured.kind === 'known' ? measured.accuracy : null;
    const nut = graph.compressed && !run && !report;
    const before = nut ? null : (result?.report.before?.test ?? test ?? result?.report.before?.validation ?? null);
    const after = nut ? test : (report?.after?.test ?? report?.after?.validation ?? null);
    const bytes = nut ? summary.file_bytes : (report?.file_bytes ?? state?.bytes);
    return html`<p class="score">
      <span class="quiet">Original</span> <b>${format.bytes(graph.baseline_bytes)}</b>${before ? html`, ${format.accuracy(before)}` : nothing}
      ${bytes !== undefined && (nut || report || (state && state.stage !== 'original'))
        ? html`<span class="arrow" aria-hidden="true">\u2192</span>
            <span class="quiet">${nut || report ? 'File' : `After ${format.stage(/** @type {import('../types.js').Stage} */ (state?.stage))}`}</span>
            <b>${format.bytes(bytes)}</b>, <b>${format.ratio(graph.baseline_bytes / bytes)}</b>${after
              ? html`, ${before?.split === after.split && before.samples === after.samples ? html`<b>${short(after)}</b>` : format.accuracy(after)}`
              : nothing}`
        : nothing}
      ${working(run)}
    </p>`;
  }
}

/** An accuracy without what it was measured on. @param {import('../types.js').Accuracy} accuracy */
const short = (accuracy) => (accuracy.correct === null ? accuracy.accuracy.toFixed(4) : format.percent(accuracy.accuracy));

/** How far a run is. @param {import('../types.js').Run | null} run */
function working(run) {
  if (run?.status !== 'running') return nothing;
  const done = share(run);
  return html`<span class="working">
    <progress max="1" value=${done} aria-label="Progress of the run"></progress>
    ${Math.floor(100 * done)}\u00a0%<span class="wide">${leftWords(done, (performance.now() - run.started) / 1000)}</span>
  </span>`;
}

/** @param {Step} step */
function choose(step) {
  const another = step !== get().step;
  chooseStep(step);
  const view = document.querySelector('stage-view');
  const top = view?.getBoundingClientRect().top ?? 0;
  // Where the view lies below the cards, it comes to where the step was chosen; another step is read from its top.
  if (view && (top > innerHeight * 0.75 || (another && top < 0)))
    view.scrollIntoView({ behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth', block: 'start' });
}

customElements.define('pipeline-bar', PipelineBar);
