// What every part of the page has in common: it is drawn again when the state changes, in the page's own style sheet.
import { LitElement } from 'lit';
import { subscribe } from '../state.js';

export class Element extends LitElement {
  /** @type {() => void} */
  #unsubscribe = () => {};

  /** No shadow root: one style sheet, and labels that may point anywhere. */
  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#unsubscribe = subscribe(() => this.requestUpdate());
  }

  disconnectedCallback() {
    this.#unsubscribe();
    super.disconnectedCallback();
  }
}
