// A file may be dropped anywhere on the page.
import { html, nothing } from 'lit';
import { dismiss } from '../actions/engine.js';
import { openFiles } from '../actions/open.js';
import { dropped } from '../folders.js';
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
    this.over = true;
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
    const { problem } = get();
    return html`
      ${this.over ? html`<div class="drop">Drop a model (ONNX, safetensors, PyTorch, Keras, NumPy, TensorFlow Lite, .nut), samples (IDX, npz, npy, CSV, pictures, or a folder of them) or a recipe (JSON) to open it</div>` : nothing}
      <div role="alert" class="alert" ?hidden=${!problem} id="problem">
        <span>${problem}</span>
        <button type="button" @click=${dismiss}>Dismiss</button>
      </div>
    `;
  }
}

customElements.define('drop-zone', DropZone);
