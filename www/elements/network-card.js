// Two places: the opened network, what it is and how accurate it is; and the samples. Each can be replaced, also by the example's again.
import { html, nothing } from 'lit';
import { measure, stopMeasuring } from '../actions/measure.js';
import { BUNDLED, cancelOpening, downloadOnnx, openBundled } from '../actions/network.js';
import { answer, fits, openFiles } from '../actions/open.js';
import { cancelReading, openMnist } from '../actions/samples.js';
import { chosen } from '../folders.js';
import * as format from '../format.js';
import { busy, get } from '../state.js';
import { dataFacts } from './data-facts.js';
import { Element } from './element.js';
import './export-table.js';
import './sample-strip.js';
import { weightsFacts } from './weights-facts.js';
import { working } from './working.js';

/** @typedef {import('../types.js').Network} Network */

class NetworkCard extends Element {
  render() {
    const { network, weights, openingFile, readingSamples, ambiguousFile, formats, data } = get();
    const disabled = busy();
    return html`
      <section class="slot" aria-labelledby="slot-network">
      <h2 id="slot-network">Network</h2>
      <div class="row">
        ${Object.entries(BUNDLED).map(
          ([id, { name }]) => html`<button
            type="button"
            class="choice"
            aria-pressed=${network?.file === `${id}.onnx`}
            ?disabled=${disabled}
            @click=${() => openBundled(/** @type {keyof typeof BUNDLED} */ (id))}
          >
            ${name}
          </button>`,
        )}
        ${this.#chooser('Replace', 'Replace the network with a file of yours', false)}
      </div>
      ${ambiguousFile ? question(ambiguousFile) : nothing}
      ${openingFile ? html`<p class="quiet" role="status" id="opening">${openingWords(openingFile)}</p>` : nothing}
      ${network ? this.#facts(network) : weights ? weightsFacts(weights) : openingFile ? nothing : html`<p class="quiet">No network is open.</p>`}
      ${weights
        ? html`<export-table own=${weights.summary.format} .file=${weights.bytes} .name=${weights.file}></export-table>`
        : nothing}
      </section>
      <section class="slot" aria-labelledby="slot-data">
      <h2 id="slot-data">Data</h2>
      <div class="row">
        <button type="button" class="choice" id="mnist" aria-pressed=${data.bundled} ?disabled=${disabled} @click=${() => (data.bundled && !data.problem ? null : openMnist())}>MNIST</button>
        ${this.#chooser('Replace', 'Replace the data with files of yours', false)} ${this.#chooser('Replace with a folder', 'Replace the data with a folder of yours', true)}
      </div>
      ${readingSamples ? html`<p role="status" id="reading">${readingWords(readingSamples)}</p>` : nothing}
      ${dataFacts()}
      </section>
      <p class="quiet small-text formats">Opens ${format.openable(formats)}.</p>
    `;
  }

  /** A button that lets the user choose files. @param {string} words @param {string} label @param {boolean} folder */
  #chooser(words, label, folder) {
    return html`<label class="choice file" ?data-disabled=${busy()}>
      ${words}
      <input
        type="file"
        aria-label=${label}
        ?disabled=${busy()}
        ?webkitdirectory=${folder}
        multiple
        @change=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) => {
          const files = chosen(target.files);
          target.value = '';
          void openFiles(files);
        }}
      />
    </label>`;
  }

  /** @param {Network} network */
  #facts({ name, file, summary, graph, measured }) {
    const { compressed } = graph;
    // A .nut file of named weights whose architecture is known.
    const packed = get().weights?.summary.nut;
    return html`
      <p class="lead"><strong>${name}</strong>${name === file ? nothing : html` <span class="quiet">${file}</span>`}</p>
      ${graph.recognised
        ? html`<p class="quiet" id="recognised">
            Recognised by the names and shapes of its weights. The file has no graph, so the graph and the sample size are those of the known architecture.
          </p>`
        : nothing}
      <p id="accuracy" role="status">${accuracy(measured)}</p>
      <sample-strip></sample-strip>
      <dl class="facts">
        <dt>Size</dt>
        <dd>
          ${compressed
            ? html`${format.bytes(summary.file_bytes)} on disk,
                ${format.ratio(graph.baseline_bytes / summary.file_bytes)} smaller than
                ${format.bytes(graph.baseline_bytes)} of 32-bit parameters`
            : packed
              ? html`${format.bytes(summary.file_bytes)} on disk, ${format.ratio(packed.ratio)} smaller than its tensors; ${format.count(graph.parameters)} parameters`
              : html`${format.bytes(graph.baseline_bytes)}, ${format.count(graph.parameters)} parameters of 32 bits`}
        </dd>
        <dt>Work</dt>
        <dd>${format.count(graph.macs)} multiplications per sample</dd>
      </dl>
      <details>
        <summary>${graph.nodes.length} operators</summary>
        <div class="scroll" tabindex="0" role="region" aria-label="The network's operators">
          <table>
            <thead>
              <tr><th scope="col">Node</th><th scope="col">Operator</th><th scope="col">Output</th><th scope="col">Parameters</th></tr>
            </thead>
            <tbody>
              ${graph.nodes.map(
                (node) => html`<tr>
                  <th scope="row">${node.name}</th>
                  <td>${node.op}</td>
                  <td>${format.shape(node.shape)}</td>
                  <td class="number">${node.parameters ? format.count(node.parameters) : ''}</td>
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </details>
      ${compressed
        ? html`<div class="row actions">
            <button type="button" id="onnx" @click=${() => downloadOnnx(false)}>Save as ONNX</button>
            <button type="button" @click=${() => downloadOnnx(true)}>Save as ONNX, compact</button>
          </div>`
        : nothing}
    `;
  }
}

/** @param {import('../types.js').OpeningFile} opening */
const openingWords = ({ name, done, started }) =>
  done === null ? `Opening ${name}` : working(`Decoding ${name}`, done, started, cancelOpening);

/** @param {import('../types.js').ReadingSamples} reading */
const readingWords = ({ name, done, total, started }) =>
  total > 0
    ? working(`Reading ${format.count(done)} of ${format.count(total)} pictures of ${name}`, done / total, started, cancelReading)
    : html`<span class="working-on"><span class="quiet">Reading ${name}</span> <button type="button" class="small" @click=${cancelReading}>Cancel</button></span>`;

/** What an array is, which only the user knows. @param {import('../types.js').AmbiguousFile} asked */
function question({ name, shape, opened }) {
  const { training, test } = opened.summary;
  const count = (training?.samples ?? 0) + (test?.samples ?? 0);
  return html`<section class="asked" id="asked" aria-label="Samples or weights">
    <p role="status">
      <strong>${name}</strong> is one array of ${format.count(count)} × ${format.shape(shape)} numbers. Are these ${format.count(count)} samples, or a model's weights?
      ${fits(shape) ? html`As samples they would fit ${get().network?.name}.` : nothing}
    </p>
    <div class="row">
      <button type="button" id="as-samples" @click=${() => answer('samples')}>Samples</button>
      <button type="button" id="as-weights" @click=${() => answer('weights')}>Weights</button>
    </div>
  </section>`;
}

/** @param {import('../types.js').Measured} measured */
function accuracy(measured) {
  switch (measured.kind) {
    case 'known':
      return measured.accuracy.correct === null
        ? html`<strong class="figure">${measured.accuracy.accuracy.toFixed(4)}</strong> R\u00b2 on ${format.count(measured.accuracy.samples)} test samples`
        : html`<strong class="figure">${format.percent(measured.accuracy.accuracy)}</strong> correct on
            ${format.count(measured.accuracy.samples)} test samples`;
    case 'none':
      return html`<span class="quiet">Its accuracy is not known: ${measured.reason}</span>
        <button type="button" class="plain" @click=${measure}>Measure it</button>`;
    case 'unlabelled':
      return get().network?.graph.classifies
        ? html`The samples have no labels: runs are judged by agreement with this network's answers`
        : html`The samples have no labels: runs are judged by R\u00b2 to this network's outputs`;
    case 'waiting':
      return measured.total
        ? working('Measuring accuracy', measured.done / measured.total, measured.started, stopMeasuring)
        : html`<span class="quiet">Accuracy will be measured once the test images have loaded</span>`;
  }
}

customElements.define('network-card', NetworkCard);
