// A file may be dropped anywhere on the page; and what the page has to say: an error, or something to know.
import { html, nothing } from 'lit';
import { dismiss, dismissNotice } from '../actions/engine.js';
import { openFiles } from '../actions/open.js';
import { dropped } from '../folders.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';

class DropZone extends Element {
  static properties = { over: { state: true } };

  constructor() {
    super();
    this.over = false;
  }

  connectedCallback() {
    super.connectedCallback();
    addEventListener('dragover', this.#dragOver);
    addEventListener('dragleave', this.#dragLeave);
    addEventListener('drop', this.#drop);
  }

  disconnectedCallback() {
    removeEventListener('dragover', this.#dragOver);
    removeEventListener('dragleave', this.#dragLeave);
    removeEventListener('drop', this.#drop);
    super.disconnectedCallback();
  }

  /** @param {DragEvent} event */
  #dragOver = (event) => {
    event.preventDefault();
    this.over = event.dataTransfer?.types.includes('Files') ?? false;
  };

  /** @param {DragEvent} event */
  #dragLeave = (event) => {
    if (!event.relatedTarget) this.over = false;
  };

  /** @param {DragEvent} event */
  #drop = (event) => {
    event.preventDefault();
    this.over = false;
    void openFiles(dropped(event.dataTransfer));
  };

  render() {
    const { problem, notice, formats } = get();
    return html`
      ${this.over ? html`<div class="drop"><p><strong>Drop files to open them</strong><br />${format.openable(formats)}; a recipe as JSON.</p></div>` : nothing}
      <div role="alert" class="alert" ?hidden=${!problem} id="problem">
        <span>${problem}</span>
        <button type="button" @click=${dismiss}>Dismiss</button>
      </div>
      <div role="status" class="alert notice" ?hidden=${!notice} id="notice">
        <span>${notice?.text}</span>
        ${notice?.button ? html`<button type="button" @click=${() => (dismissNotice(), notice.act?.())}>${notice.button}</button>` : nothing}
        <button type="button" @click=${dismissNotice}>Dismiss</button>
      </div>
    `;
  }
}

customElements.define('drop-zone', DropZone);
