// The guided walk, a step at a time.
import { html, nothing } from 'lit';
import { LESSONS } from '../lessons.js';
import { get, set } from '../state.js';
import { Element } from './element.js';

class LearnPanel extends Element {
  /** The lesson that was shown last. @type {number | null} */
  #shown = null;

  render() {
    const { lesson, result, run } = get();
    this.hidden = lesson === null;
    if (lesson === null) return nothing;
    const { title, text, waitsFor } = LESSONS[lesson];
    const waiting = waitsFor === 'result' && !result;
    return html`
      <section aria-label="Guided walk">
        <p class="quiet small-text">Guided walk, ${lesson + 1} of ${LESSONS.length}</p>
        <h2 tabindex="-1">${title}</h2>
        <p aria-live="polite">${text}</p>
        <div class="row">
          ${lesson > 0 ? html`<button type="button" @click=${() => go(lesson - 1)}>Back</button>` : nothing}
          ${lesson < LESSONS.length - 1
            ? html`<button type="button" class="primary" id="next" ?disabled=${waiting || (run?.status === 'running' && lesson < 5)} @click=${() => go(lesson + 1)}>Next</button>`
            : nothing}
          <button type="button" @click=${() => go(null)}>${lesson < LESSONS.length - 1 ? 'Exit the walk' : 'Finish the walk'}</button>
          ${waiting && run?.status === 'running' ? html`<span class="quiet">Compressing...</span>` : nothing}
        </div>
      </section>
    `;
  }

  updated() {
    const { lesson } = get();
    if (lesson === this.#shown) return;
    this.#shown = lesson;
    if (lesson === null) return;
    this.scrollIntoView({ block: 'start' });
    /** @type {HTMLElement | null} */ (this.querySelector('h2'))?.focus({ preventScroll: true });
    void LESSONS[lesson].show();
  }
}

/** @param {number | null} lesson */
const go = (lesson) => set({ lesson });

/** Begins the walk. */
class WalkButton extends Element {
  render() {
    const { network, weights, lesson } = get();
    return html`<button type="button" id="walk" ?disabled=${(!network && !weights) || lesson !== null} @click=${() => go(0)}>Guided walk</button>`;
  }
}

customElements.define('learn-panel', LearnPanel);
customElements.define('walk-button', WalkButton);
