// The runs so far: kept in the browser, shown again, forgotten.
import * as format from '../format.js';
import { busy, get, set } from '../state.js';
import * as storage from '../storage.js';
import { report as reportError, viewer } from './engine.js';
import { BUNDLED, openBundled, openFile } from './network.js';

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

/** Shows a run again, with the networks after its stages; for that its network is opened again, if another one is. @param {string} id */
export async function showRun(id) {
  const kept = get().runs.find((own) => own.id === id);
  if (!kept || busy()) return;
  const { report, nut, file } = kept;
  const isOpen = () => get().network?.file === file && get().network?.summary.baseline_bytes === report.baseline_bytes;
  try {
    const stages = await storage.loadStages(id).catch(() => /** @type {storage.Stages} */ (new Map()));
    const bundled = file.replace('.onnx', '');
    const original = stages.get('original');
    if (!isOpen() && bundled in BUNDLED) await openBundled(/** @type {keyof typeof BUNDLED} */ (bundled));
    else if (!isOpen() && original instanceof Uint8Array) await openFile(file, original);
    if (!isOpen()) throw new Error(`${file} is not kept in this browser: open it, to look at this run again`);
    stages.delete('original');
    const result = { id, report, nut, name: `${format.stem(file)}.nut` };
    set({ run: null, result, by: 'samples', step: 'result', part: null, stored: ['original'] });
    for (const [stage, network] of stages.set('code', nut)) {
      await viewer.put(stage, network);
      set({ stored: [...get().stored, stage] });
    }
  } catch (error) {
    reportError(error);
  }
}

/** Forgets all runs that were kept, and what could be resumed. */
export async function clearRuns() {
  // Shown as forgotten once they are.
  await storage.forgetRuns().catch(() => {});
  const { run } = get();
  set({ runs: [], ...(run && run.status !== 'running' ? { run: { ...run, resumable: false } } : {}) });
}
