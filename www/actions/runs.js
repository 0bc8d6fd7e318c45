// The runs so far: kept in the browser, shown again, forgotten.
import * as format from '../format.js';
import { get, set } from '../state.js';
import * as storage from '../storage.js';
import { report as reportError, viewer } from './engine.js';

/** @typedef {import('../types.js').Kept} Kept */

/** Finds the runs that were kept before the page was loaded. */
export async function loadRuns() {
  // A browser that keeps nothing has none.
  set({ runs: await storage.loadRuns().catch(() => []) });
}

/** Keeps a run that is over.
 * @param {NonNullable<import('../types.js').State['result']>} result
 * @param {import('../types.js').Network} network */
export async function remember({ id, report, nut }, { name, file }) {
  const { effort, target } = report.recipe;
  const aim = 'budget' in target ? format.bytes(target.budget) : `${format.number(target.tolerance)} points`;
  /** @type {Kept} */
  const kept = { id, name: `${name}, ${effort}, ${aim}`, file, date: Date.now(), report, nut };
  set({ runs: [...get().runs, kept] });
  await storage.keepRun(kept).catch(() => {});
}

/** Shows a run again: its report and its file; what lay between the stages is not kept. @param {string} id */
export async function showRun(id) {
  const { runs, run, network, stored } = get();
  const kept = runs.find((own) => own.id === id);
  if (!kept || run?.status === 'running') return;
  const { report, nut, file } = kept;
  const result = { id, report, nut, name: `${file.replace(/\.[^.]*$/, '')}.nut` };
  // Of another network its answers could not be compared with those of the opened one.
  const same = network?.file === file;
  set({ run: null, result, step: 'result', part: null, stored: stored.filter((stage) => stage === 'original') });
  try {
    if (!same) return;
    await viewer.put('code', nut);
    set({ stored: ['original', 'code'] });
  } catch (error) {
    reportError(error);
  }
}

/** Forgets all runs that were kept. */
export async function clearRuns() {
  set({ runs: [] });
  await storage.forgetRuns().catch(() => {});
}
