// What came of a run that samples judged.
import { html, nothing } from 'lit';
import '../charts/waterfall.js';
import { download, downloadJson } from '../actions/download.js';
import { downloadOnnx } from '../actions/network.js';
import { openResult } from '../actions/open.js';
import { announce } from '../actions/run.js';
import * as format from '../format.js';
import { reportPage } from '../report-page.js';
import { get } from '../state.js';
import './answer-changes.js';
import './draw-pad.js';
import { Element } from './element.js';
import './export-table.js';
import { keptRuns } from './kept-runs.js';
import './shrink-player.js';

/** @typedef {import('../types.js').Report} Report */

class ResultCard extends Element {
  render() {
    const { result } = get();
    return html`
      ${result ? this.#result(result) : html`<p class="quiet">No run is finished yet: press Compress.</p>`}
      <div class="part"><draw-pad></draw-pad></div>
      ${result ? html`<answer-changes></answer-changes>` : nothing} ${keptRuns(result?.id ?? '')}
      ${result ? html`${stageTable(result.report)} ${accuracyTable(result.report)} ${baselineTable(result.report)}` : nothing}
    `;
  }

  /** @param {NonNullable<import('../types.js').State['result']>} result */
  #result(result) {
    const { report, nut, name } = result;
    const before = report.before.test ?? report.before.validation;
    const after = report.after.test ?? report.after.validation;
    const distance = report.output_distance && (report.output_distance.test ?? report.output_distance.validation);
    return html`
      <p class="sr" role="status">${announce(report)}</p>
      <dl class="hero">
        <div>
          <dt>Size on disk</dt>
          <dd><strong id="bytes">${format.bytes(report.file_bytes)}</strong> from ${format.bytes(report.baseline_bytes)}</dd>
        </div>
        <div>
          <dt>Ratio</dt>
          <dd><strong id="ratio">${format.ratio(report.ratio)}</strong> smaller than 32-bit parameters</dd>
        </div>
        <div>
          <dt>${format.measureOf(report)}</dt>
          <dd>
            <strong id="after">${format.percent(after.accuracy)}</strong> of ${format.count(after.samples)}
            ${format.SPLITS[after.split]} samples${distance === null
              ? html`; original ${format.percent(before.accuracy)}`
              : html` have the same answer as the original; the outputs differ by ${format.percent(distance)} of their size`}
          </dd>
        </div>
        <div>
          <dt>Time</dt>
          <dd><strong>${format.duration(report.seconds)}</strong> with effort ${report.recipe.effort}, ${report.platform}</dd>
        </div>
      </dl>
      ${(report.warnings ?? []).map((warning) => html`<p class="quiet">Warning: ${warning}.</p>`)}
      <div class="row actions">
        <button type="button" class="primary" id="download" @click=${() => download(nut, name)}>Download ${name}</button>
        <button type="button" id="open-result" @click=${() => openResult(result)}>Open it here</button>
        <span class="group">Export <button type="button" class="small" id="save-onnx" @click=${() => downloadOnnx(false, result)}>ONNX</button>
          <button type="button" class="small" @click=${() => downloadOnnx(true, result)}>ONNX, compact</button></span>
        <span class="group">Report <button type="button" class="small" id="save-page" @click=${() => savePage(report, name)}>as a page</button>
          <button type="button" class="small" id="save-report" @click=${() => downloadJson(report, `${format.stem(name)}.json`)}>as JSON</button></span>
      </div>
      <export-table own="nut" .file=${nut} .name=${name}></export-table>
      <div class="charts pair">
      <figure>
        <figcaption><h3>From 32-bit floats to the file</h3></figcaption>
        <nutshell-waterfall
          label="Bytes after each stage"
          .steps=${report.stages.map(({ stage, bytes }) => ({ name: format.STAGES[stage], bytes }))}
        ></nutshell-waterfall>
      </figure>
      <shrink-player></shrink-player>
      </div>
    `;
  }
}

/** @param {Report} report @param {string} name */
async function savePage(report, name) {
  const title = format.stem(name);
  download(new TextEncoder().encode(await reportPage(report, title)), `${title}.html`);
}

/** @param {Report} report */
function stageTable({ stages, criterion }) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="The stages">
    <table>
      <caption>After each stage</caption>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col" class="number">Bytes</th>
          <th scope="col" class="number">Ratio</th>
          <th scope="col" class="number">Nonzero</th>
          <th scope="col" class="number">Multiplications</th>
          <th scope="col">${format.measureOf({ criterion })}</th>
        </tr>
      </thead>
      <tbody>
        ${stages.map(
          (state) => html`<tr>
            <th scope="row">${format.STAGES[state.stage]}</th>
            <td class="number">${format.bytes(state.bytes)}</td>
            <td class="number">${format.ratio(state.ratio)}</td>
            <td class="number">${format.count(state.nonzeros)}</td>
            <td class="number">${format.count(state.layers.reduce((sum, layer) => sum + layer.macs, 0))}</td>
            <td>${format.accuracy(state.validation)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {Report} report */
function accuracyTable({ before, after, integer, criterion }) {
  /** @type {[string, import('../../pkg/nutshell.js').Accuracies | null][]} */
  const rows = [
    ['Original', before],
    ['Decoded from the file', after],
    ['Decoded, integers only', integer],
  ];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Accuracies">
    <table>
      <caption>${format.measureOf({ criterion })}</caption>
      <thead>
        <tr><th scope="col">Network</th><th scope="col">Validation</th><th scope="col">Test</th></tr>
      </thead>
      <tbody>
        ${rows.map(([name, accuracies]) =>
          accuracies
            ? html`<tr>
                <th scope="row">${name}</th>
                <td>${format.accuracy(accuracies.validation)}</td>
                <td>${accuracies.test ? format.accuracy(accuracies.test) : 'no test samples'}</td>
              </tr>`
            : nothing,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {Report} report */
function baselineTable({ file_bytes, file_bytes_with_graph, baseline_bytes, baselines }) {
  const rows = [
    { name: 'This file', bytes: file_bytes },
    { name: 'This file, with its graph stored', bytes: file_bytes_with_graph },
    ...baselines,
  ];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Other codings">
    <table>
      <caption>The same weights in other codings</caption>
      <thead>
        <tr><th scope="col">Coding</th><th scope="col" class="number">Bytes</th><th scope="col" class="number">Ratio</th></tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, bytes }) => html`<tr>
            <th scope="row">${name}</th>
            <td class="number">${format.bytes(bytes)}</td>
            <td class="number">${format.ratio(baseline_bytes / bytes)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

customElements.define('result-card', ResultCard);
