// A button for what cannot be undone: it asks first.
import { html } from 'lit';
import { Element } from './element.js';

/** Fires the event "sure" when the user has pressed it, and said so once more. `words` is what it says, `label` what it is called, `question` what it asks. */
class SureButton extends Element {
  static properties = { words: {}, label: {}, question: {}, asked: { state: true } };

  constructor() {
    super();
    this.words = '';
    this.label = '';
    this.question = '';
    this.asked = false;
  }

  render() {
    if (!this.asked) return html`<button type="button" class="small" aria-label=${this.label || this.words} @click=${() => this.#ask(true)}>${this.words}</button>`;
    return html`<span class="row" role="group" aria-label=${this.question}>
      <span>${this.question}</span>
      <button type="button" class="small danger" @click=${() => (this.#ask(false), this.dispatchEvent(new CustomEvent('sure')))}>Delete</button>
      <button type="button" class="small" @click=${() => this.#ask(false)}>Keep</button>
    </span>`;
  }

  /** The keyboard's place is kept: on what is safe. @param {boolean} asked */
  async #ask(asked) {
    this.asked = asked;
    await this.updateComplete;
    /** @type {HTMLElement | undefined} */ ([...this.querySelectorAll('button')].at(-1))?.focus();
  }
}

customElements.define('sure-button', SureButton);
