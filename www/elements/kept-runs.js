// The runs that are kept: compared, opened again, forgotten.
import { html, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { clearRuns, forgetRun, showRun } from '../actions/runs.js';
import '../charts/scatter.js';
import * as format from '../format.js';
import { busy, get } from '../state.js';
import './sure-button.js';
import { term } from './term.js';

/** @typedef {import('../types.js').Kept} Kept */
/** @typedef {import('../pareto.js').Point} Point */

/** Every run so far. @param {string} shown The run that is looked at. */
export function keptRuns(shown) {
  const { keptRuns: runs, network, weights } = get();
  if (runs.length === 0) return nothing;
  const judged = runs.flatMap((run) => accuracyOf(run, shown));
  // A ratio of signal to noise says nothing of other weights.
  const file = (weights ?? network)?.file;
  const weighed = runs.flatMap((run) => (run.file === file ? snrOf(run, shown) : []));
  return html`<section class="part" id="runs">
    <h3>Runs so far</h3>
    <p class="quiet small-text">Runs are stored in this browser; choose one to show it again. The line in each chart is the ${term('Pareto front')}.</p>
    <div class="charts ${judged.length > 0 && weighed.length > 0 ? 'pair' : ''}">
      ${judged.length > 0 ? chart('Bytes against accuracy', 'accuracy', judged) : nothing}
      ${weighed.length > 0 ? chart(`Bytes against signal-to-noise ratio of ${file}`, 'snr', weighed) : nothing}
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label="Runs so far">
      <table class="runs">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col" class="number">Bytes</th>
            <th scope="col" class="number">Ratio</th>
            <th scope="col">Quality</th>
            <th scope="col">When</th>
            <th scope="col"><span class="sr">Delete</span></th>
          </tr>
        </thead>
        <tbody>
          ${repeat(runs.toReversed(), ({ id }) => id, (run) => row(run, shown))}
        </tbody>
      </table>
    </div>
    <sure-button
      id="forget-runs"
      words="Delete all runs and checkpoints"
      question="Delete ${runs.length === 1 ? 'this run' : `all ${runs.length} runs`} from this browser for good?"
      @sure=${clearRuns}
    ></sure-button>
  </section>`;
}

/** @param {Kept} run @param {string} shown */
function row(run, shown) {
  const { id, name, date, report } = run;
  return html`<tr>
    <th scope="row"><button type="button" class="plain" data-run=${id} aria-pressed=${id === shown} ?disabled=${busy()} @click=${() => showRun(id)}>${name}</button></th>
    <td class="number">${format.bytes(report.file_bytes)}</td>
    <td class="number">${format.ratio(report.ratio)}</td>
    <td>${format.quality(report)}</td>
    <td>${format.when(date)}</td>
    <td><sure-button words="Delete" label="Delete ${name}" question="Delete for good?" @sure=${() => forgetRun(id)}></sure-button></td>
  </tr>`;
}

/** @param {string} label @param {'accuracy' | 'snr'} measure @param {Point[]} points */
const chart = (label, measure, points) => html`<figure>
  <figcaption>${label}</figcaption>
  <nutshell-scatter
    label="${label}, of ${points.length} runs"
    measure=${measure}
    .points=${points}
    @choose=${(/** @type {CustomEvent<string>} */ { detail }) => showRun(detail)}
  ></nutshell-scatter>
</figure>`;

/** Nothing of a run by the weights alone, or of one that is held to numbers: an R\u00b2 is no accuracy. @param {Kept} run @param {string} shown @returns {Point[]} */
function accuracyOf({ id, name, report }, shown) {
  const after = report.after && (report.after.test ?? report.after.validation);
  return after && after.correct !== null ? [{ id, name, bytes: report.file_bytes, quality: after.accuracy, samples: after.samples, shown: id === shown }] : [];
}

/** Nothing where nothing was lost. @param {Kept} run @param {string} shown @returns {Point[]} */
const snrOf = ({ id, name, report }, shown) =>
  report.after || report.snr === null ? [] : [{ id, name, bytes: report.file_bytes, quality: report.snr, shown: id === shown }];
