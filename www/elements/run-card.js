// A run while it works: the search or the training that goes on, and live figures.
import { html, nothing } from 'lit';
import * as format from '../format.js';
import { secondsLeft, share } from '../progress.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').Run} Run */

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
    const { run } = get();
    this.hidden = !run || run.status === 'done';
    if (!run || run.status === 'done') return nothing;
    return html`
      <h2>${TITLES[run.status]}</h2>
      <p role="status" class=${run.status === 'failed' ? 'problem' : 'quiet'} id="run-status">${statusLine(run)}</p>
      ${(run.warnings ?? []).map((warning) => html`<p class="small-text">Warning: ${warning}.</p>`)}
      ${run.status === 'running' ? live(run) : nothing}
    `;
  }
}

const TITLES = { running: 'Compressing', cancelled: 'Cancelled', failed: 'Stopped' };

/** Changes with each stage only, so that it can be read aloud. @param {Run} run */
function statusLine(run) {
  switch (run.status) {
    case 'running':
      return run.stage ? `${format.stage(run.stage)}: ${noteOf(run.stage)}` : 'Opening the file';
    case 'cancelled':
      if (run.evidence === 'weights') return 'Cancelled: nothing was changed.';
      return run.resumable ? 'Resume continues after the last finished stage.' : 'No stage was finished yet.';
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
  const left = secondsLeft(done, seconds);
  const probe = probes.at(-1);
  return html`
    <progress class="wide" max="1" value=${done} aria-label="Progress of the run"></progress>
    <dl class="live">
      <div><dt>Done</dt><dd>${Math.floor(100 * done)} %${left === null ? nothing : html`, about ${format.duration(left)} left`}</dd></div>
      <div><dt>Time</dt><dd>${format.duration(seconds)}</dd></div>
      ${training
        ? html`<div><dt>Trained on</dt><dd>${format.count(training.done)} of ${format.count(training.total)} samples</dd></div>
            <div><dt>Loss</dt><dd>${format.number(training.loss)}</dd></div>
            ${training.accuracy === null ? nothing : html`<div><dt>Validation</dt><dd>${format.percent(training.accuracy)}</dd></div>`}
            ${training.bytes === null ? nothing : html`<div><dt>File</dt><dd>${format.bytes(training.bytes)}</dd></div>`}`
        : probe && probe.stage === stage
          ? html`<div><dt>${probe.variable}</dt><dd>${format.number(probe.mid)}</dd></div>
              <div><dt>${probe.criterion}</dt><dd>${format.number(probe.value)}, limit ${format.number(probe.limit)}</dd></div>
              <div><dt>Verdict</dt><dd>${probe.accepted ? 'accepted' : 'rejected'}</dd></div>`
          : nothing}
    </dl>
  `;
}

customElements.define('run-card', RunCard);
