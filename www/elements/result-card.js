// What came of a run.
import { html, nothing } from 'lit';
import '../charts/waterfall.js';
import { download, downloadJson } from '../actions/download.js';
import { downloadOnnx } from '../actions/network.js';
import { chooseStep } from '../actions/look-at.js';
import { openResult } from '../actions/open.js';
import { announce } from '../actions/run.js';
import * as format from '../format.js';
import { reportPage } from '../report-page.js';
import { get } from '../state.js';
import { verdict } from '../verdict.js';
import './answer-changes.js';
import './draw-pad.js';
import { Element } from './element.js';
import './export-table.js';
import { keptRuns } from './kept-runs.js';
import './shrink-player.js';
import { criterion, tensorParts } from './tensor-parts.js';
import { term } from './term.js';

/** @typedef {import('../types.js').Report} Report */

class ResultCard extends Element {
  render() {
    const { result } = get();
    if (!result) return html`<p class="quiet">${get().run?.status === 'running' ? 'The result will be here when the run is finished.' : 'No result is open: press Compress, or choose one of the runs so far.'}</p><div class="part"><draw-pad></draw-pad></div>${keptRuns('')}`;
    const { report, nut, name, id } = result;
    return html`
      <p class="sr" role="status">${announce(report)}</p>
      ${judged(report)} ${hero(report)} ${report.after ? nothing : html`<p id="criterion">${criterion(report)}</p>`}
      ${(report.warnings ?? []).map((warning) => html`<p class="quiet">Warning: ${warning}.</p>`)}
      <div class="row actions">
        <button type="button" class="primary" id="download" @click=${() => download(nut, name)}>Download ${name}</button>
        <button type="button" id="open-result" @click=${() => openResult(result)}>Open it here</button>
        ${report.after
          ? html`<span class="group">Export <button type="button" class="small" id="save-onnx" @click=${() => downloadOnnx(false, result)}>ONNX</button>
              <button type="button" class="small" @click=${() => downloadOnnx(true, result)}>ONNX, compact</button></span>`
          : nothing}
        <span class="group">Report ${report.after
          ? html`<button type="button" class="small" id="save-page" @click=${() => savePage(report, name)}>as a page</button>`
          : nothing}
          <button type="button" class="small" id="save-report" @click=${() => downloadJson(report, `${format.stem(name)}.json`)}>as JSON</button></span>
      </div>
      <section class="part"><export-table ?open=${!report.after} own="nut" .file=${nut} .name=${fileName(result)}></export-table></section>
      ${report.after ? sampleParts(report) : nothing} ${keptRuns(id)} ${report.after ? tables(report) : tensorParts(result)}
    `;
  }
}

/** What an export is named after. @param {import('../types.js').Result} result */
const fileName = ({ report, name }) => (report.after ? name : (get().weights?.file ?? name));

/** Whether the target was met. @param {Report} report */
function judged(report) {
  const { met, words } = verdict(report);
  return html`<p id="verdict" class=${met ? 'met' : 'problem'}><b>${met ? 'Target met' : 'Target missed'}:</b> ${words}.</p>`;
}

/** @param {Report} report */
const hero = (report) => html`<dl class="hero">
  <div>
    <dt>Size on disk</dt>
    <dd><strong id="bytes">${format.bytes(report.file_bytes)}</strong> from ${format.bytes(report.baseline_bytes)}</dd>
  </div>
  <div>
    <dt>Ratio</dt>
    <dd><strong id="ratio">${format.ratio(report.ratio)}</strong> smaller than ${report.after ? '32-bit parameters' : 'the tensors in their own types'}</dd>
  </div>
  ${report.before && report.after ? answers(report, report.before, report.after) : noise(report)}
  <div>
    <dt>Time</dt>
    <dd><strong>${report.seconds < 60 ? `${report.seconds.toFixed(1)} s` : format.duration(report.seconds)}</strong>
      ${report.after ? `with effort ${report.recipe.effort}, ` : ''}${report.platform}</dd>
  </div>
</dl>`;

/** @param {Report} report @param {import('../../pkg/nutshell.js').Accuracies} before @param {import('../../pkg/nutshell.js').Accuracies} after */
function answers(report, before, after) {
  const [original, own] = [before.test ?? before.validation, after.test ?? after.validation];
  const distance = report.output_distance && (report.output_distance.test ?? report.output_distance.validation);
  return html`<div>
    <dt>${format.measureOf(report)}</dt>
    <dd>
      ${own.correct === null
        ? html`<strong id="after">${own.accuracy.toFixed(4)}</strong> on ${format.count(own.samples)} ${format.SPLITS[own.split]} samples, where 1 is the
            same${distance === null ? html`; original ${original.accuracy.toFixed(4)}` : html`; the outputs differ by ${format.percent(distance)} of their size`}`
        : html`<strong id="after">${format.percent(own.accuracy)}</strong> of ${format.count(own.samples)}
            ${format.SPLITS[own.split]} samples${distance === null
              ? html`; original ${format.percent(original.accuracy)}`
              : html` have the same answer as the original; the outputs differ by ${format.percent(distance)} of their size`}; standard error
            ${format.points(own)}`}
    </dd>
  </div>`;
}

/** @param {Report} report */
function noise({ tensors, snr, snr_of_all, drawn }) {
  const worst = Math.min(...tensors.map(({ snr }) => snr ?? Infinity));
  return html`<div>
    <dt>${term('signal-to-noise ratio', 'Signal to noise')}</dt>
    <dd>
      ${snr === null
        ? html`<strong id="snr">lossless</strong> every number is unchanged`
        : html`<strong id="snr">${format.decibels(snr)}</strong> mean over all layers; ${snr_of_all === null
              ? nothing
              : html`${format.decibels(snr_of_all)} over all weights, `}${format.decibels(worst)} in the worst layer`}
    </dd>
  </div>
  ${drawn ? ofDrawn(drawn) : nothing}`;
}

/** What the weights' noise changes of answers, as far as pictures that are drawn tell. @param {NonNullable<Report['drawn']>} drawn */
const ofDrawn = ({ pictures, agreement, distance }) => html`<div>
  <dt>Answers</dt>
  <dd id="drawn">
    ${agreement === null ? nothing : html`<strong>${format.percent(agreement)}</strong> are the same; `}the outputs differ by
    ${format.percent(distance)} of their size, on ${format.count(pictures)} drawn pictures. On real ones more may change.
  </dd>
</div>`;

/** Whether channels or neurons were removed. @param {Report} report */
const shrinks = ({ stages }) => stages.some(({ layers }) => layers.some(({ shape }, index) => shape[0] !== stages[0].layers[index].shape[0]));

/** The layers whose rounding counts most, and where they can be locked. @param {Report} report */
function sensitive({ stages }) {
  const layers = stages.find(({ stage }) => stage === 'round')?.layers.filter(({ sensitivity }) => typeof sensitivity === 'number') ?? [];
  if (layers.length === 0) return nothing;
  const first = layers.toSorted((a, b) => Number(b.sensitivity) - Number(a.sensitivity)).slice(0, 3);
  return html`<p>
    Most ${term('sensitivity', 'sensitive')} to rounding: ${first.map(({ name, sensitivity }, index) => html`${index > 0 ? ', ' : ''}<b>${name}</b> (${format.percent(Number(sensitivity))})`)}.
    <button type="button" class="plain" id="see-layers" @click=${() => chooseStep('quantize', 'round')}>See all layers, and lock some</button>
  </p>`;
}

/** What a run that samples judged has to show. @param {Report} report */
const sampleParts = (report) => html`
  <div class="charts pair">
    <figure>
      <figcaption><h3>From 32-bit floats to the file</h3><span class="quiet">Brown: the original. Blue: what each stage has taken away.</span></figcaption>
      <nutshell-waterfall
        label="Bytes after each stage"
        .steps=${report.stages.map(({ stage, bytes }) => ({ name: format.stage(stage), bytes }))}
      ></nutshell-waterfall>
    </figure>
    ${shrinks(report) ? html`<shrink-player></shrink-player>` : nothing}
  </div>
  ${sensitive(report)}
  <div class="part"><draw-pad></draw-pad></div>
  <answer-changes></answer-changes>
`;

/** @param {Report} report */
const tables = (report) => html`${stageTable(report)} ${accuracyTable(report)} ${baselineTable(report)}`;

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
            <th scope="row">${format.stage(state.stage)}</th>
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
    ...(file_bytes_with_graph === null ? [] : [{ name: 'This file, with its graph stored', bytes: file_bytes_with_graph }]),
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
