// A run while it works: its stages, the search that goes on, and live figures.
import { html, nothing } from 'lit';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').Run} Run */
/** @typedef {import('../types.js').Stage} Stage */

/** @type {Stage[]} */
const STAGES = ['original', 'structure', 'prune', 'share', 'quantize', 'refine', 'code'];

class RunCard extends Element {
  /** Draws the time while a run works, also when it says nothing. */
  #clock = 0;

  connectedCallback() {
    super.connectedCallback();
    this.#clock = window.setInterval(() => get().run?.status === 'running' && this.requestUpdate(), 1000);
  }

  disconnectedCallback() {
    clearInterval(this.#clock);
    super.disconnectedCallback();
  }

  render() {
    const { run, result } = get();
    this.hidden = !run;
    if (!run) return nothing;
    return html`
      <h2>${TITLES[run.status]}</h2>
      <p role="status" class=${run.status === 'failed' ? 'problem' : 'quiet'} id="run-status">${statusLine(run)}</p>
      <ol class="stages">
        ${STAGES.map((stage) => this.#stage(run, stage))}
      </ol>
      ${result || run.status !== 'running' ? nothing : live(run)}
    `;
  }

  /** @param {Run} run @param {Stage} stage */
  #stage(run, stage) {
    const done = run.stages.find((state) => state.stage === stage);
    const current = run.stage === stage;
    const status = current ? 'current' : done || (stage === 'code' && run.status === 'done') ? 'done' : 'waiting';
    return html`<li class=${status} aria-current=${current ? 'step' : nothing}>
      <span class="name">${format.STAGES[stage]}</span>
      <span class="quiet note">${done ? html`${format.bytes(done.bytes)}, ${format.percent(done.validation.accuracy)}` : format.STAGE_NOTES[stage]}</span>
    </li>`;
  }
}

const TITLES = { running: 'Working', cancelled: 'Cancelled', failed: 'Stopped', done: 'Done' };

/** Changes with each stage only, so that it can be read aloud. @param {Run} run */
function statusLine(run) {
  switch (run.status) {
    case 'running':
      return run.stage ? `${format.STAGES[run.stage]}: ${format.STAGE_NOTES[run.stage]}` : 'Starting';
    case 'cancelled':
      return run.resumable ? 'Resume goes on after the last finished stage.' : 'Nothing was finished yet.';
    case 'failed':
      return run.message;
    case 'done':
      return `In ${format.duration((run.finished - run.started) / 1000)}.`;
  }
}

/** @param {Run} run */
function live({ training, probes, stage, started }) {
  const probe = probes.at(-1);
  const elapsed = html`<div><dt>Time</dt><dd>${format.duration((performance.now() - started) / 1000)}</dd></div>`;
  if (training)
    return html`
      <progress class="wide" max=${training.total} value=${training.done} aria-label="Samples of this training"></progress>
      <dl class="live">
        <div><dt>Trained on</dt><dd>${format.count(training.done)} of ${format.count(training.total)}</dd></div>
        <div><dt>Loss</dt><dd>${format.number(training.loss)}</dd></div>
        ${training.accuracy === null ? nothing : html`<div><dt>Validation</dt><dd>${format.percent(training.accuracy)}</dd></div>`}
        ${training.bytes === null ? nothing : html`<div><dt>File</dt><dd>${format.bytes(training.bytes)}</dd></div>`}
        ${elapsed}
      </dl>
    `;
  if (probe && probe.stage === stage)
    return html`
      <progress class="wide" aria-label="Searching"></progress>
      <dl class="live">
        <div><dt>${probe.variable}</dt><dd>${format.number(probe.mid)}</dd></div>
        <div><dt>${probe.criterion}</dt><dd>${format.number(probe.value)}, limit ${format.number(probe.limit)}</dd></div>
        <div><dt>Validation</dt><dd>${format.percent(probe.accuracy)} of ${format.count(probe.samples)}</dd></div>
        <div><dt>Verdict</dt><dd>${probe.accepted ? 'accepted' : 'refused'}</dd></div>
        ${elapsed}
      </dl>
    `;
  return html`<progress class="wide" aria-label="Working"></progress>
    <dl class="live">${elapsed}</dl>`;
}

customElements.define('run-card', RunCard);
