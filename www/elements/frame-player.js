// A row of frames that can be played, or gone through by hand.
import { html, LitElement } from 'lit';

/** Milliseconds between two frames. */
const PACE = 700;

/** Says with the event "show" which of `count` frames, counted from 1, is to be shown; `shown` is the one that is. */
export class FramePlayer extends LitElement {
  static properties = { name: {}, count: { type: Number }, shown: { type: Number }, words: {} };

  #timer = 0;

  constructor() {
    super();
    this.name = '';
    this.count = 1;
    this.shown = 1;
    /** What is written behind the slider. */
    this.words = '';
  }

  createRenderRoot() {
    return this;
  }

  disconnectedCallback() {
    clearInterval(this.#timer);
    super.disconnectedCallback();
  }

  render() {
    const words = this.words || `${this.shown} of ${this.count}`;
    return html`<button type="button" class="small" @click=${this.#play}>Play</button>
      <label class="grow">${this.name}
        <input type="range" min="1" max=${this.count} .value=${String(this.shown)} aria-valuetext=${words}
          @input=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => this.#show(target.valueAsNumber)} />
      </label>
      <output>${words}</output>`;
  }

  /** @param {number} frame */
  #show(frame) {
    clearInterval(this.#timer);
    this.#tell(frame);
  }

  /** @param {number} frame */
  #tell(frame) {
    this.dispatchEvent(new CustomEvent('show', { detail: frame }));
  }

  #play = () => {
    this.#show(1);
    let frame = 1;
    this.#timer = window.setInterval(() => {
      if (++frame >= this.count) clearInterval(this.#timer);
      this.#tell(Math.min(frame, this.count));
    }, PACE);
  };
}

customElements.define('frame-player', FramePlayer);
