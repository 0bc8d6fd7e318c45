// What came of a run by the weights alone.
import { html, nothing } from 'lit';
import { download, downloadJson } from '../actions/download.js';
import { reader } from '../actions/engine.js';
import { openResult } from '../actions/open.js';
import { announce } from '../actions/weights.js';
import '../charts/bars.js';
import * as format from '../format.js';
import { get } from '../state.js';
import { Element } from './element.js';
import './export-table.js';
import { keptRuns } from './kept-runs.js';
import './tensor-table.js';
import { figures, sourceOf } from './tensors-view.js';
import { term } from './term.js';

/** @typedef {import('../types.js').WeightsReport} WeightsReport */

class WeightsResult extends Element {
  render() {
    const { weightsResult, weights, tensor } = get();
    if (!weightsResult || !weights) return html`<p class="quiet">No run is finished yet: press Compress.</p>${keptRuns('')}`;
    const { id, nut, report, name } = weightsResult;
    const own = report.tensors[tensor];
    return html`
      <p class="sr" role="status">${announce(report)}</p>
      ${hero(report)}
      <p id="criterion">${criterion(report)}</p>
      <div class="row actions">
        <button type="button" class="primary" id="download" @click=${() => download(nut, name)}>Download ${name}</button>
        <button type="button" id="open-result" @click=${() => openResult(weightsResult)}>Open it here</button>
        <button type="button" id="save-report" @click=${() => downloadJson(report, `${format.stem(name)}.json`)}>Report as JSON</button>
      </div>
      <section class="part"><export-table open own="nut" .file=${nut} .name=${weights.file}></export-table></section>
      ${keptRuns(id)}
      <figure class="part">
        <figcaption><h3>Where the ${format.bytes(report.file_bytes)} go</h3></figcaption>
        <nutshell-bars label="Bytes of the file by kind" .bars=${kinds(report)}></nutshell-bars>
      </figure>
      <section class="part">
        <h3>What happened to each tensor</h3>
        <tensor-table reported .tensors=${report.tensors}></tensor-table>
      </section>
      ${own
        ? figures(own, `${reader.idOf(nut)} ${tensor}`, [sourceOf('before', weights.bytes, tensor), sourceOf('after', nut, tensor)])
        : nothing}
    `;
  }
}

/** @param {WeightsReport} report */
function hero(report) {
  const worst = Math.min(...report.tensors.map(({ snr }) => snr ?? Infinity));
  return html`<dl class="hero">
    <div>
      <dt>Size on disk</dt>
      <dd><strong id="bytes">${format.bytes(report.file_bytes)}</strong> from ${format.bytes(report.baseline_bytes)} of tensor data</dd>
    </div>
    <div>
      <dt>Ratio</dt>
      <dd><strong id="ratio">${format.ratio(report.ratio)}</strong> smaller than the tensors in their own types</dd>
    </div>
    <div>
      <dt>${term('signal-to-noise ratio', 'Signal to noise')}</dt>
      <dd>
        ${report.snr === null
          ? html`<strong id="snr">lossless</strong> every number is unchanged`
          : html`<strong id="snr">${format.decibels(report.snr)}</strong> mean over all layers; ${report.snr_of_all === null
                ? nothing
                : html`${format.decibels(report.snr_of_all)} over all weights, `}${format.decibels(worst)} in the worst layer`}
      </dd>
    </div>
    <div>
      <dt>Time</dt>
      <dd><strong>${report.seconds < 60 ? `${report.seconds.toFixed(1)} s` : format.duration(report.seconds)}</strong> in this tab</dd>
    </div>
  </dl>`;
}

/** @param {WeightsReport} report */
const criterion = ({ criterion, tensors }) =>
  criterion === 'none'
    ? html`No criterion was needed: every number in the file matches the original, bit for bit.`
    : html`Judged by the weights alone: no samples were used, so the effect on the network's answers is unknown.
        ${format.count(tensors.filter(({ step }) => step !== null).length)} of ${format.count(tensors.length)} tensors were rounded; the
        others are unchanged, bit for bit.`;

/** Bytes by kind; what is left over is the file's head and checksum. @param {WeightsReport} report */
function kinds({ file_bytes, sections, tensors }) {
  const of = (/** @type {boolean} */ rounded) =>
    Math.round(tensors.filter(({ step }) => (step !== null) === rounded).reduce((sum, { bytes }) => sum + bytes, 0));
  const named = [
    { name: 'Rounded tensors', value: of(true), ours: true },
    { name: 'Unchanged tensors', value: of(false), ours: true },
    ...sections.map(([name, value]) => ({ name: SECTIONS[name] ?? name, value })),
  ];
  const rest = file_bytes - named.reduce((sum, { value }) => sum + value, 0);
  // The coder's counts of bits are rounded, and may come to more than there is.
  return rest > 0 ? [...named, { name: 'Header, checksum and rounding', value: rest }] : named;
}

/** @type {Record<string, string>} */
const SECTIONS = { tensors: 'Shapes, types and steps', 'names and origin': "Names, and the original's graph" };

customElements.define('weights-result', WeightsResult);
