// The guided walk, a step at a time.
import { html, nothing } from 'lit';
import { keptFiles, hasOwnFiles } from '../actions/keep-files.js';
import { copyLink } from '../actions/link.js';
import { openFiles } from '../actions/open.js';
import { compress } from '../actions/run.js';
import { lastRun, LESSONS, prepare, RUN } from '../lessons.js';
import { get, set } from '../state.js';
import { bring, when } from '../scroll.js';
import { Element } from './element.js';

class LearnPanel extends Element {
  /** The lesson that was shown last. @type {number | null} */
  #shown = null;
  /** Counts lessons: a new one ends what the one before still moves. */
  #turn = 0;
  /** Of the run that was drawn last. @type {string | undefined} */
  #status;

  render() {
    const { lesson, lessonMoves, result, run } = get();
    this.hidden = lesson === null;
    if (lesson === null) return nothing;
    const { title, text, needs } = LESSONS[lesson];
    const running = run?.status === 'running';
    const waiting = needs === 'run' && !result && !lastRun();
    const last = lesson === LESSONS.length - 1;
    return html`
      <section aria-label="Guided walk">
        <div class="row">
          <h2 tabindex="-1">${title}</h2>
          <span class="quiet small-text"><span class="long-words">Guided walk, </span>${lesson + 1} of ${LESSONS.length}</span>
        </div>
        <p aria-live="polite">${typeof text === 'string' ? text : text()}</p>
        <div class="row">
          ${lesson > 0 ? html`<button type="button" ?disabled=${running} @click=${() => go(lesson - 1)}>Back</button>` : nothing}
          ${needs === 'run' && !running && !result ? html`<button type="button" class="primary" id="walk-compress" @click=${compress}>Compress</button>` : nothing}
          ${last
            ? html`<button type="button" class="primary" id="finish" @click=${finish}>Finish the walk</button>`
            : html`<button type="button" class=${waiting ? '' : 'primary'} id="next" ?disabled=${waiting || running || lessonMoves} @click=${() => go(lesson + 1)}>Next</button>
                <button type="button" @click=${finish}>Exit the walk</button>`}
          ${running ? html`<span class="quiet">Compressing...</span>` : nothing}
        </div>
      </section>
    `;
  }

  updated() {
    const { lesson, run } = get();
    const ran = this.#status === 'running' || run?.status === 'running';
    const changed = this.#status !== run?.status;
    this.#status = run?.status;
    if (lesson === this.#shown) {
      // The run, and then its result, come into view.
      if (lesson === RUN && changed && ran) void bring(run?.status === 'done' ? 'result-card #verdict' : LESSONS[RUN].target, () => get().lesson === RUN);
      return;
    }
    this.#shown = lesson;
    this.#turn++;
    if (lesson !== null) void this.#begin(lesson);
  }

  /** @param {number} lesson */
  async #begin(lesson) {
    const own = this.#turn;
    const goesOn = () => own === this.#turn;
    set({ lessonMoves: true });
    /** @type {HTMLElement | null} */ (this.querySelector('h2'))?.focus({ preventScroll: true });
    const { target, busy, move } = LESSONS[lesson];
    try {
      if (!(await prepare(LESSONS[lesson]))) return set({ lesson: RUN });
      if (await bring(target, goesOn)) {
        if (busy) await when(() => !document.querySelector(busy), goesOn);
        await move?.(goesOn);
      }
    } finally {
      if (goesOn()) set({ lessonMoves: false });
    }
  }
}

/** @param {number} lesson */
const go = (lesson) => set({ lesson });

/** What is open stays as the walk has left it. */
function finish() {
  set({ lesson: null });
  /** @type {HTMLElement | null} */ (document.querySelector('#walk'))?.focus({ preventScroll: true });
}

/** Begins the walk, which has a network and samples of its own: the user's can be had again. */
function begin() {
  const { network, weights, data, files } = get();
  if (hasOwnFiles()) {
    const names = [files.network && (network ?? weights)?.name, files.samples && data.name].filter((name) => name);
    const act = async () => (set({ lesson: null }), openFiles(await keptFiles([files.samples, files.network])));
    set({ notice: { text: `The walk opens LeNet-5 and MNIST in place of ${names.join(' and ') || 'your files'}.`, ...(names.length > 0 ? { button: `Open ${names.join(' and ')} again`, act } : {}) } });
  }
  go(0);
}

/** Begins the walk; and copies the page's address. */
class WalkButton extends Element {
  render() {
    const { network, weights, lesson, run } = get();
    const open = network || weights;
    return html`<button type="button" id="copy-link" ?disabled=${!open} @click=${copyLink}>Copy link</button>
      <button type="button" id="walk" aria-disabled=${!open || lesson !== null || run?.status === 'running' ? 'true' : 'false'} @click=${() => open && lesson === null && run?.status !== 'running' && begin()}>Guided walk</button>`;
  }
}

customElements.define('learn-panel', LearnPanel);
customElements.define('walk-button', WalkButton);
