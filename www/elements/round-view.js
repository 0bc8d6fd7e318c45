// Rounding without training: how sensitive each layer is, what the run made of it, which layers are locked, and the probes of the search.
import { html, nothing } from 'lit';
import { chooseLayer } from '../actions/look-at.js';
import { lockedLayers, lockLayers } from '../actions/recipe.js';
import * as format from '../format.js';
import { measureNow } from '../measures.js';
import { isTrial } from '../searches.js';
import { busy, get } from '../state.js';
import { layersOf, stageState } from '../steps.js';
import { SortedTable, sorted, sortHead } from './sorting.js';
import { term } from './term.js';

/** @typedef {import('../types.js').LayerState} LayerState */
/** @typedef {import('../types.js').Probe} Probe */
/** @typedef {{ index: number, name: string, sensitivity: number | null, own: LayerState | null, bits: number, zeros: number }} Row */

/** @type {import('./sorting.js').Column<Row>[]} */
const COLUMNS = [
  { name: 'Layer', key: ({ index }) => index },
  { name: 'Sensitivity', key: ({ sensitivity }) => sensitivity ?? -1, number: true },
];

/** What is known after the run. @type {import('./sorting.js').Column<Row>[]} */
const AFTER = [
  { name: 'Bits per weight', key: ({ bits }) => bits, number: true },
  { name: 'Step', key: ({ own }) => own?.step ?? 0, number: true },
  { name: 'Zeros', key: ({ zeros }) => zeros, number: true },
];

/** What the engine says that a probe is judged by where there are few samples. */
const OUTPUTS_MOVED = 'squared distance of the outputs in percent';

class RoundView extends SortedTable {
  render() {
    const { run, result, recipe, layer } = get();
    const rows = rowsOf();
    const columns = rows.some(({ own }) => own) ? [...COLUMNS, ...AFTER] : COLUMNS;
    const most = Math.max(...rows.map(({ sensitivity }) => sensitivity ?? 0));
    const locked = lockedLayers();
    const fixed = busy() || !recipe?.round.probes;
    const before = (result?.report.recipe ?? run?.recipe)?.round?.locked ?? [];
    const changed = result !== null && String(before) !== String(locked);
    const probes = (result?.report.probes ?? run?.probes ?? []).filter(({ stage }) => stage === 'round');
    return html`
      <h3 class="part">Layers by ${term('sensitivity')}</h3>
      <p class="quiet small-text">
        ${most > 0
          ? 'The longer the bar, the more the outputs move when this layer alone is rounded, with a signal-to-noise ratio of 25 dB. Sensitive layers get finer steps.'
          : run?.status === 'running'
            ? 'The run rounds each layer alone and measures how far the outputs move.'
            : 'A run with effort Calibrate rounds each layer alone and measures how far the outputs move.'}
        Lock a layer to keep its weights and biases in 16 bits in the next run. Large layers are rounded along a ${term('trellis')}.
      </p>
      <div class="scroll tall" tabindex="0" role="region" aria-label="Layers by sensitivity">
        <table class="layer-table" id="sensitivities">
          <thead>
            <tr>
              <th scope="col">Lock</th>
              ${columns.map((column, index) => sortHead(this, column, index))}
            </tr>
          </thead>
          <tbody>
            ${sorted(this, columns, rows).map(
              (row) => html`<tr class=${row.index === layer ? 'chosen' : ''}>
                <td class="lock">
                  <input
                    type="checkbox"
                    aria-label="Keep ${row.name} in 16 bits"
                    ?disabled=${fixed}
                    .checked=${locked.includes(row.name)}
                    @change=${(/** @type {Event & { target: HTMLInputElement }} */ { target }) =>
                      lockLayers(target.checked ? [...locked, row.name] : locked.filter((name) => name !== row.name))}
                  />
                </td>
                <th scope="row">
                  <button type="button" class="plain" title=${row.name} aria-pressed=${row.index === layer} @click=${() => chooseLayer(row.index)}>${format.brief(row.name)}</button>
                </th>
                <td>${bar(row.sensitivity, most)}</td>
                ${columns.length > 2
                  ? html`<td class="number">${row.own ? row.bits.toFixed(2) : ''}</td>
                      <td class="number">${typeof row.own?.step === 'number' ? format.number(row.own.step) : ''}</td>
                      <td class="number">${row.own ? format.percent(row.zeros) : ''}</td>`
                  : nothing}
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
      ${changed ? html`<p id="locks-changed">Other layers are locked than in this run: press <b>Compress</b> to apply that.</p>` : nothing}
      ${probes.length > 0 ? probeTable(probes) : nothing}
    `;
  }
}

/** Each layer, with what the run knows of it so far. @returns {Row[]} */
function rowsOf() {
  const { run } = get();
  const state = stageState('round');
  return (state?.layers ?? layersOf('original')).map((own, index) => ({
    index,
    name: own.name,
    sensitivity: (state ? own.sensitivity : run?.sensitivities?.[index]) ?? null,
    own: state ? own : null,
    bits: Object.values(own.bits).reduce((sum, part) => sum + part, 0) / own.parameters,
    zeros: 1 - own.nonzeros / own.parameters,
  }));
}

/** A sensitivity as a bar, and as a number. @param {number | null} value @param {number} most That of the longest bar. */
const bar = (value, most) =>
  value === null
    ? nothing
    : html`<span class="meter"><span aria-hidden="true"><span style="width: ${(100 * value) / (most || 1)}%"></span></span>${format.percent(value)}</span>`;

/** The search for the coarsest steps, as it goes on. @param {Probe[]} probes */
function probeTable(probes) {
  const { name, write } = measureNow();
  const distances = probes.some(({ distance }) => typeof distance === 'number');
  const held = probes.find(({ criterion }) => criterion === OUTPUTS_MOVED);
  const { target } = get().result?.report.recipe ?? get().run?.recipe ?? {};
  const tolerance = typeof target === 'object' && 'tolerance' in target ? target.tolerance : probes[0].limit;
  const trials = probes.every(isTrial);
  return html`
    <h3 class="part">${trials ? html`Trials of the budget` : html`The ${term('half-interval search')} for the coarsest steps`}</h3>
    <div class="scroll" tabindex="0" role="region" aria-label=${trials ? 'Trials of the budget' : 'The search for the coarsest steps'}>
      <table class="narrow" id="probes">
        <thead>
          <tr>
            <th scope="col" class="number">${trials ? 'Trial' : 'Probe'}</th>
            <th scope="col" class="number">Signal to noise</th>
            <th scope="col" class="number">${name}</th>
            ${distances ? html`<th scope="col" class="number">Outputs differ by</th>` : nothing}
            ${trials ? html`<th scope="col" class="number">File</th>` : html`<th scope="col">Verdict</th>`}
          </tr>
        </thead>
        <tbody>
          ${probes.map(
            (probe, index) => html`<tr>
              <td class="number">${index + 1}</td>
              <td class="number">${format.noiseRatio(probe.mid)}</td>
              <td class="number">${write(probe.accuracy)}</td>
              ${distances ? html`<td class="number">${typeof probe.distance === 'number' ? format.percent(probe.distance) : ''}</td>` : nothing}
              ${trials ? html`<td class="number">${format.bytes(probe.value)}</td>` : html`<td>${probe.accepted ? 'accepted' : 'rejected'}</td>`}
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <p class="quiet small-text">
      Signal to noise: of the weights, in the mean of the layers that are not locked, where sensitive layers count more. ${name}: on ${format.count(probes[0].samples)} ${term('validation samples')}.
      ${trials
        ? html`The largest file of at most ${format.bytes(probes[0].limit)} is kept.`
        : html`A probe is accepted if it falls by no more than ${format.number(tolerance)} percentage points.`}
      ${held ? `So few samples say little of that: the square of what the outputs differ by must be at most ${format.number(held.limit)} %, too.` : nothing}
    </p>
  `;
}

customElements.define('round-view', RoundView);
