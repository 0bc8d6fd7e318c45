// The runs so far: kept in the browser, shown again, forgotten.
import * as format from '../format.js';
import { get, set } from '../state.js';
import * as storage from '../storage.js';
import { report as reportError, viewer } from './engine.js';
import { BUNDLED, openBundled } from './network.js';

/** @typedef {import('../types.js').Kept} Kept */

/** Finds the runs that were kept before the page was loaded. */
export async function loadRuns() {
  // A browser that keeps nothing has none.
  set({ runs: await storage.loadRuns().catch(() => []) });
}

/** Keeps a run that is over.
 * @param {NonNullable<import('../types.js').State['result']>} result
 * @param {import('../types.js').Network} network
 * @param {storage.Stages} stages The networks after its stages. */
export async function remember({ id, report, nut }, { name, file }, stages) {
  const { effort, target } = report.recipe;
  const aim = 'budget' in target ? format.bytes(target.budget) : `${format.number(target.tolerance)} points`;
  /** @type {Kept} */
  const kept = { id, name: `${name}, ${effort}, ${aim}`, file, date: Date.now(), report, nut };
  set({ runs: [...get().runs, kept] });
  await storage.keepRun(kept, stages).catch(() => {});
}

/** Shows a run again, with the networks after its stages; for that its network is opened, if that comes with the page. @param {string} id */
export async function showRun(id) {
  const kept = get().runs.find((own) => own.id === id);
  if (!kept || get().run?.status === 'running') return;
  const { report, nut, file } = kept;
  try {
    const bundled = file.replace('.onnx', '');
    if (get().network?.file !== file && bundled in BUNDLED) await openBundled(/** @type {keyof typeof BUNDLED} */ (bundled));
    const result = { id, report, nut, name: `${file.replace(/\.[^.]*$/, '')}.nut` };
    set({ run: null, result, step: 'result', part: null, stored: ['original'] });
    // Of another network its answers could not be compared with those of the opened one.
    if (get().network?.file !== file) return;
    const stages = await storage.loadStages(id).catch(() => new Map());
    for (const [stage, checkpoint] of [...stages, ['code', nut]]) {
      await viewer.put(stage, checkpoint);
      set({ stored: [...get().stored, stage] });
    }
  } catch (error) {
    reportError(error);
  }
}

/** Forgets all runs that were kept, and what could be resumed. */
export async function clearRuns() {
  const { run } = get();
  set({ runs: [], ...(run && run.status !== 'running' ? { run: { ...run, resumable: false } } : {}) });
  await storage.forgetRuns().catch(() => {});
}
