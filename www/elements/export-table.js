// What a file can be written as, and how large that is.
import { html, nothing } from 'lit';
import { reader, report } from '../actions/engine.js';
import { exportFile } from '../actions/export.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { Element } from './element.js';

/** @typedef {import('../reader.js').ExportKind} ExportKind */
/** @typedef {{ raw: number, zipped: number }} Size */

/** @type {Record<ExportKind, { name: string, note: string }>} */
const KINDS = {
  onnx: { name: 'ONNX', note: "the original's graph, names, shapes and types" },
  'onnx-compact': { name: 'ONNX, compact', note: 'the network as it runs, in its reduced shapes' },
  'onnx-shared': { name: 'ONNX, shared values', note: 'a list of shared values, and an 8-bit index per weight' },
  'onnx-scaled': { name: 'ONNX, 8-bit integers', note: 'integers times a step (DequantizeLinear), where that is exact' },
  safetensors: { name: 'safetensors', note: 'named weights, for Python, Rust and others' },
  npz: { name: 'npz', note: 'named arrays, for numpy' },
  tflite: { name: 'TensorFlow Lite', note: "the original file with these numbers" },
};

/** What the file as it is stands under among the sizes. */
const SELF = 'self';

class ExportTable extends Element {
  static properties = { file: {}, name: {}, own: {}, open: { type: Boolean }, sizes: { state: true }, working: { state: true } };

  #kinds = new Query(this);

  constructor() {
    super();
    /** The file as it is. @type {Uint8Array} */
    this.file = new Uint8Array();
    /** Its name. */
    this.name = '';
    /** Its format. */
    this.own = '';
    /** Whether the table is shown at once: only then the reader is asked. */
    this.open = false;
    /** Sizes that were measured. @type {Map<ExportKind | typeof SELF, Size>} */
    this.sizes = new Map();
    /** What is being written or measured. @type {string} */
    this.working = '';
  }

  /** @param {Map<string, unknown>} changed */
  willUpdate(changed) {
    if (changed.has('file')) this.sizes = new Map();
  }

  render() {
    return html`<details ?open=${this.open} @toggle=${(/** @type {Event & { target: HTMLDetailsElement }} */ { target }) => (this.open = target.open)}>
      <summary>${this.own === 'nut' ? 'Export to other formats' : 'Save in another format'}</summary>
      ${this.open ? this.#table() : nothing}
    </details>`;
  }

  #table() {
    const kinds = this.#kinds.read(reader.idOf(this.file), [], () => reader.exportKinds(this.file));
    if (!kinds) return html`<p class="quiet">${this.#kinds.problem || 'Listing the formats'}</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label="Other formats">
        <table class="exports">
          <thead>
            <tr>
              <th scope="col">Format</th>
              <th scope="col"><span class="sr">Save</span></th>
              <th scope="col" class="number">Bytes</th>
              <th scope="col" class="number">Zipped</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">${this.own === 'nut' ? '.nut' : 'The file itself'}</th>
              <td></td>
              <td class="number">${format.bytes(this.file.length)}</td>
              <td class="number">${size(this.sizes.get(SELF)?.zipped)}</td>
            </tr>
            ${kinds.map((kind) => this.#row(kind))}
          </tbody>
        </table>
      </div>
      <div class="row tools">
        <button type="button" class="small" id="sizes" ?disabled=${this.working !== ''} @click=${() => this.#measure(kinds)}>Measure all sizes</button>
        <span class="quiet" role="status">${this.working ? `Measuring ${this.working}` : ''}</span>
      </div>`;
  }

  /** @param {ExportKind} kind */
  #row(kind) {
    const { name, note } = KINDS[kind];
    const own = this.sizes.get(kind);
    return html`<tr>
      <th scope="row">${name}<small>${note}</small></th>
      <td>
        <button type="button" class="small" data-export=${kind} aria-label="Save as ${name}" ?disabled=${this.working !== ''} @click=${() => this.#save(kind)}>Save</button>
      </td>
      <td class="number">${size(own?.raw)}</td>
      <td class="number">${size(own?.zipped)}</td>
    </tr>`;
  }

  /** @param {ExportKind} kind */
  async #save(kind) {
    this.working = KINDS[kind].name;
    await exportFile(this.file, kind, this.name);
    this.working = '';
  }

  /** @param {ExportKind[]} kinds */
  async #measure(kinds) {
    const { file } = this;
    try {
      for (const kind of [null, ...kinds]) {
        this.working = kind ? KINDS[kind].name : 'the file itself';
        const measured = await reader.size(file, kind);
        // Another file may have taken its place meanwhile.
        if (file !== this.file) break;
        this.sizes = new Map(this.sizes).set(kind ?? SELF, measured);
      }
    } catch (error) {
      report(error);
    }
    this.working = '';
  }
}

/** @param {number | undefined} bytes */
const size = (bytes) => (bytes === undefined ? html`<span class="quiet">\u2013</span>` : format.bytes(bytes));

customElements.define('export-table', ExportTable);
