// The runs so far: kept in the browser, shown again, forgotten.
import * as format from '../format.js';
import { busy, get, set } from '../state.js';
import * as storage from '../storage.js';
import { tell } from '../tabs.js';
import { report as reportError, viewer } from './engine.js';
import { judgeBy } from './judge.js';
import { BUNDLED, openBundled, openFile } from './network.js';

/** @typedef {import('../types.js').Kept} Kept */

/** Finds the runs that were kept before the page was loaded. */
export async function loadRuns() {
  // A browser that keeps nothing has none.
  set({ keptRuns: await storage.loadRuns().catch(() => []) });
}

/** The largest original that is kept with a run, in bytes. */
const MOST_KEPT = 2 ** 28;

/** Keeps a run. By the weights alone, the file that it was of is kept in place of the networks after the stages.
 * @param {import('../types.js').Result} result
 * @param {{ name: string, file: string, bytes?: Uint8Array }} opened
 * @param {import('../types.js').Evidence} evidence
 * @param {storage.Stages} stages The networks after its stages. */
export function remember({ id, report, nut }, { name, file, bytes }, evidence, stages) {
  if (evidence === 'weights' && bytes && bytes.length <= MOST_KEPT) stages.set('original', bytes);
  const how = evidence === 'weights' ? 'weights alone' : report.recipe.effort;
  return keep({ evidence, id, name: `${name}, ${how}, ${aim(report.recipe.target)}`, file, date: Date.now(), report, nut }, stages);
}

/** A target in few words. @param {import('../../pkg/nutshell.js').Target} target */
function aim(target) {
  if (target === 'lossless') return target;
  if ('budget' in target) return format.bytes(target.budget);
  return 'snr' in target ? `${format.number(target.snr)} dB` : `${format.number(target.tolerance)} points`;
}

/** @param {Kept} kept @param {storage.Stages} stages */
async function keep(kept, stages) {
  set({ keptRuns: [...get().keptRuns, kept] });
  await storage.keepRun(kept, stages).catch(() => {});
  tell('runs');
}

/** Shows a run again; for that its network, or its file of weights, is opened again, if another one is. @param {string} id */
export async function showRun(id) {
  const kept = get().keptRuns.find((own) => own.id === id);
  if (!kept || busy()) return;
  try {
    const stages = await storage.loadStages(id).catch(() => /** @type {storage.Stages} */ (new Map()));
    await (kept.evidence === 'weights' ? showByWeights(kept, stages) : showBySamples(kept, stages));
  } catch (error) {
    reportError(error);
  }
}

/** With the networks after its stages. @param {Kept} kept @param {storage.Stages} stages */
async function showBySamples({ id, report, nut, file }, stages) {
  await reopen(file, stages, async () => get().network?.file === file && get().network?.graph.baseline_bytes === report.baseline_bytes);
  stages.delete('original');
  const result = { id, report, nut, name: `${format.stem(file)}.nut` };
  set({ run: null, result, evidence: 'samples', step: 'result', chosenStage: null, viewerStages: ['original'] });
  for (const [stage, network] of stages.set('code', nut)) {
    await viewer.put(stage, network);
    set({ viewerStages: [...get().viewerStages, stage] });
  }
}

/** @param {Kept} kept @param {storage.Stages} stages */
async function showByWeights({ id, report, nut, file }, stages) {
  const isOpen = async () => {
    // Of a network the tensors are read when they are first asked for.
    if (get().network?.file === file) await judgeBy('weights');
    return get().weights?.file === file && get().weights?.summary.tensor_bytes === report.baseline_bytes;
  };
  await reopen(file, stages, isOpen);
  set({ evidence: 'weights', run: null, result: { id, report, nut, name: `${format.stem(file)}.nut` }, step: 'result', chosenStage: null });
}

/** Opens what a run was of, unless it is open. @param {string} file @param {storage.Stages} stages @param {() => Promise<boolean>} isOpen */
async function reopen(file, stages, isOpen) {
  const bundled = file.replace('.onnx', '');
  const original = stages.get('original');
  if (await isOpen()) return;
  if (bundled in BUNDLED) await openBundled(/** @type {keyof typeof BUNDLED} */ (bundled));
  else if (original instanceof Uint8Array) await openFile(file, original);
  if (!(await isOpen())) throw new Error(`${file} is not stored in this browser: open it to show this run again`);
}

/** Forgets a run. @param {string} id */
export async function forgetRun(id) {
  await storage.forgetRun(id).catch(() => {});
  set({ keptRuns: get().keptRuns.filter((own) => own.id !== id) });
  tell('runs');
}

/** Forgets all runs that were kept, and what could be resumed. */
export async function clearRuns() {
  // Shown as forgotten once they are.
  await storage.forgetRuns().catch(() => {});
  const { run } = get();
  set({ keptRuns: [], ...(run && run.status !== 'running' ? { run: { ...run, resumable: false } } : {}) });
  tell('runs');
}
