// A run while it works: the search or the training that goes on, and live figures.
import { html, nothing } from 'lit';
import { cancel } from '../actions/run.js';
import { askToNotify, mayAskToNotify } from '../actions/tell.js';
import * as format from '../format.js';
import { measureNow } from '../measures.js';
import { leftWords, share } from '../progress.js';
import { isTrial } from '../searches.js';
import { get } from '../state.js';
import { layersOf } from '../steps.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').Run} Run */

class RunCard extends Element {
  /** Draws the time while a run works, also when it says nothing. */
  #clock = 0;
  /** Of the run that was drawn last. @type {Run['status'] | null} */
  #status = null;

  connectedCallback() {
    super.connectedCallback();
    this.#clock = window.setInterval(() => get().run?.status === 'running' && this.requestUpdate(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
    super.disconnectedCallback();
  }

  render() {
    const { run, elsewhere } = get();
    const shown = run && run.status !== 'done' ? run : null;
    this.hidden = !shown && !elsewhere;
    return html`
      ${elsewhere ? html`<p role="status" id="elsewhere"><b>Another tab is compressing ${elsewhere}.</b> When it is done, the run is listed here under Result.</p>` : nothing}
      ${shown ? this.#run(shown) : nothing}
    `;
  }

  /** @param {Run} run */
  #run(run) {
    return html`
      <h2>${TITLES[run.status]} ${run.network}</h2>
      <p role="status" class=${run.status === 'failed' ? 'problem' : 'quiet'} id="run-status">${statusLine(run)}</p>
      ${(run.warnings ?? []).map((warning) => html`<p class="small-text">Warning: ${warning}.</p>`)}
      ${run.status === 'running' ? live(run) : nothing}
    `;
  }

  /** When a run begins, or ends with a result, the page shows it, wherever the form was. */
  updated() {
    const { run, lesson } = get();
    const before = this.#status;
    this.#status = run?.status ?? null;
    if (this.#status === before || !(this.#status === 'running' || (before === 'running' && this.#status === 'done'))) return;
    // The walk has a place of its own.
    if (lesson === null) void inView(this.#status === 'running' ? this : document.querySelector('stage-view'));
  }
}

const TITLES = { running: 'Compressing', cancelled: 'Cancelled:', interrupted: 'Interrupted:', failed: 'Stopped:', done: '' };

/** Scrolls an element to the top, unless its beginning is in view. @param {Element | null} element */
async function inView(element) {
  // What else changes with the state is drawn first.
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const { top } = element?.getBoundingClientRect() ?? { top: 0 };
  if (top < 80 || top > innerHeight * 0.4) element?.scrollIntoView({ block: 'start' });
}

/** Changes with each stage only, so that it can be read aloud. @param {Run} run */
function statusLine(run) {
  switch (run.status) {
    case 'running':
      if (run.evidence === 'weights' && run.stage === 'quantize') return 'Rounding: a search finds the steps by which each layer is rounded';
      return run.stage ? `${format.stage(run.stage)}: ${noteOf(run.stage)}` : 'Opening the file';
    case 'cancelled':
      if (run.evidence === 'weights') return 'Cancelled: nothing was changed.';
      return run.resumable ? 'Resume continues after the last finished stage.' : 'No stage was finished yet.';
    case 'interrupted':
      return run.resumable
        ? `The page was closed or reloaded during the run. Resume continues after ${format.stage(run.stages.at(-1)?.stage ?? 'original')}.`
        : 'The page was closed or reloaded before a stage was finished: press Compress to start again.';
    case 'failed':
      return run.message;
    case 'done':
      return '';
  }
}

/** @param {import('../types.js').Stage} stage */
const noteOf = (stage) => get().stages.find((own) => own.stage === stage)?.sentence ?? '';

/** @param {Run} run */
function live(run) {
  const { training, probes, stage, started } = run;
  const seconds = (performance.now() - started) / 1000;
  const done = share(run);
  const probe = probes.at(-1);
  return html`
    <progress class="wide" max="1" value=${done} aria-label="Progress of the run"></progress>
    ${run.grown ? html`<p class="quiet small-text">To reach the target, the run does more than was planned: the estimate has grown.</p>` : nothing}
    <dl class="live">
      <div><dt>Done</dt><dd>${Math.floor(100 * done)} %${leftWords(done, seconds)}</dd></div>
      <div><dt>Time</dt><dd>${format.duration(seconds)}</dd></div>
      ${training
        ? html`<div><dt>Trained on</dt><dd>${format.count(training.done)} of ${format.count(training.total)} samples</dd></div>
            <div><dt>Loss</dt><dd>${format.number(training.loss)}</dd></div>
            ${training.accuracy === null ? nothing : html`<div><dt>Validation</dt><dd>${format.percent(training.accuracy)}</dd></div>`}
            ${training.bytes === null ? nothing : html`<div><dt>File</dt><dd>${format.bytes(training.bytes)}</dd></div>`}`
        : probe && probe.stage === stage
          ? stage === 'round'
            ? rounded(probe)
            : html`<div><dt>${probe.variable}</dt><dd>${format.number(probe.mid)}</dd></div>
                <div><dt>${probe.criterion}</dt><dd>${format.number(probe.value)}, limit ${format.number(probe.limit)}</dd></div>
                <div><dt>Verdict</dt><dd>${probe.accepted ? 'accepted' : 'rejected'}</dd></div>`
          : stage === 'round' && run.sensitivities
            ? html`<div><dt>Layers tried alone</dt><dd>${run.sensitivities.length} of ${layersOf('original').length}</dd></div>`
            : nothing}
    </dl>
    <div class="row actions">
      <button type="button" class="small" id="cancel-here" @click=${cancel}>Cancel</button>
      ${mayAskToNotify() ? html`<button type="button" class="small" id="notify" @click=${askToNotify}>Notify me when it is done</button>` : nothing}
    </div>
  `;
}

/** What a probe of rounding came to. @param {import('../types.js').Probe} probe */
function rounded(probe) {
  const { mid, value, accuracy, samples, distance, accepted } = probe;
  const { name, write } = measureNow();
  return html`<div><dt>Signal to noise</dt><dd>${format.noiseRatio(mid)}</dd></div>
    <div id="agreement"><dt>${name}</dt><dd>${write(accuracy)} of ${format.count(samples)} validation samples</dd></div>
    ${typeof distance === 'number' ? html`<div><dt>Outputs differ by</dt><dd>${format.percent(distance)}</dd></div>` : nothing}
    ${isTrial(probe) ? html`<div><dt>File</dt><dd>${format.bytes(value)}</dd></div>` : html`<div><dt>Verdict</dt><dd>${accepted ? 'accepted' : 'rejected'}</dd></div>`}`;
}

customElements.define('run-card', RunCard);
