// Running a recipe.
import * as format from '../format.js';
import { advance, busy, get, set } from '../state.js';
import * as storage from '../storage.js';
import { bridge, reader, report as reportError, viewer } from './engine.js';
import { remember } from './runs.js';
import { targetOf } from './weights.js';
import { stepOf } from '../steps.js';

/** @typedef {import('../types.js').Run} Run */
/** @typedef {import('../types.js').Checkpoint} Checkpoint */

/** @type {AbortController | null} */
let running = null;

/** Where to go on after a cancel, a crash or a reload.
 * @type {import('../storage.js').Resumable | null} */
let resumable = null;

/** Runs what the form says: the recipe on samples, or a target by the weights alone. */
export async function compress() {
  const { network, weights, recipe, evidence } = get();
  const opened = evidence === 'samples' ? network : weights;
  if (!opened || !recipe) return;
  resumable = null;
  await run({
    status: 'running',
    evidence,
    recipe: evidence === 'samples' || !weights ? recipe : { ...recipe, target: targetOf(get().weightsTarget, weights.summary) },
    network: opened.name,
    started: performance.now(),
    finished: 0,
    stage: null,
    stages: [],
    probes: [],
    training: null,
    progress: null,
    warnings: [],
    resumable: false,
    message: '',
  });
}

/** Goes on from the last checkpoint. */
export async function resume() {
  const { run: last } = get();
  if (!last || !resumable) return;
  const started = performance.now() - (last.finished - last.started);
  await run({ ...last, status: 'running', started, finished: 0, training: null, message: '' }, resumable.checkpoint);
}

/** Ends the run; on samples it can be resumed from its last finished stage. */
export const cancel = () => running?.abort();

/** @param {Run} first @param {Checkpoint} [checkpoint] */
async function run(first, checkpoint) {
  const { network, weights } = get();
  const bySamples = first.evidence === 'samples';
  const opened = bySamples ? network : weights;
  if (!opened || busy()) return;
  set({ run: first, result: null, problem: '', followsRun: bySamples, viewerStages: checkpoint ? get().viewerStages : ['original'] });
  if (!bySamples) set({ step: 'model' });
  running = new AbortController();
  try {
    const { nut, report } = await (bySamples ? onSamples(first.recipe, running.signal, checkpoint) : byWeights(first.recipe.target, running.signal));
    const seconds = (performance.now() - first.started) / 1000;
    end('done', '');
    const result = { id: crypto.randomUUID(), nut, report: { ...report, seconds }, name: `${format.stem(opened.file)}.nut` };
    set({ result, step: 'result', chosenStage: null, followsRun: false });
    if (bySamples) await showStage('code', nut);
    await remember(result, opened, first.evidence, new Map([...(bySamples ? viewer.stages : []), ...(resumable?.stages ?? [])]));
    resumable = null;
    await storage.forget();
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    end(cancelled ? 'cancelled' : 'failed', error instanceof Error ? error.message : String(error));
  } finally {
    running = null;
  }
}

/** @param {import('../types.js').Recipe} recipe @param {AbortSignal} signal @param {Checkpoint} [checkpoint] */
const onSamples = (recipe, signal, checkpoint) =>
  bridge.compress(recipe, { checkpoint, signal, onEvent: hear, onCheckpoint: (checkpoint) => void keep(checkpoint).catch(reportError) });

/** @param {import('../../pkg/nutshell.js').Target} target @param {AbortSignal} signal */
function byWeights(target, signal) {
  const { weights } = get();
  if (!weights) throw new Error('no tensors are open');
  return reader.compress(weights.bytes, target, hear, signal);
}

/** @param {import('../types.js').RunEvent} event */
function hear(event) {
  const { run } = get();
  if (!run) return;
  set({ run: advance(run, event) });
  if (event.kind === 'started' && get().followsRun) set({ step: stepOf(event.stage), chosenStage: null });
}

/** @param {'done' | 'cancelled' | 'failed'} status @param {string} message */
function end(status, message) {
  const { run } = get();
  if (run) set({ run: { ...run, status, message, stage: null, training: null, finished: performance.now() } });
}

/** Keeps a checkpoint outside the worker: in memory, and in the browser's storage for a reload.
 * @param {Checkpoint} checkpoint */
async function keep(checkpoint) {
  const { run, network } = get();
  const stage = run?.stages.at(-1)?.stage;
  if (!run || !network || !stage) return;
  const stages = (resumable?.stages ?? new Map()).set(stage, checkpoint);
  resumable = { checkpoint, stages, run: { ...run, resumable: true }, file: network.file, elapsed: performance.now() - run.started };
  set({ run: resumable.run });
  // A browser that keeps nothing still resumes until the page is closed.
  storage.keep(resumable).catch(() => {});
  await showStage(stage, checkpoint);
}

/** Gives a stage's network to the viewer. @param {import('../types.js').Stage} stage @param {import('../viewer.js').File} file */
async function showStage(stage, file) {
  await viewer.put(stage, file);
  set({ viewerStages: [...get().viewerStages.filter((other) => other !== stage), stage] });
}

/** Shows what was under way when the page was left. */
export async function offerResume() {
  const kept = await storage.load().catch(() => null);
  const { network, run } = get();
  if (!kept || !network || run || kept.file !== network.file) return;
  resumable = kept;
  const finished = performance.now();
  for (const [stage, bytes] of kept.stages) await showStage(stage, bytes);
  set({ run: { ...kept.run, status: 'cancelled', stage: null, training: null, finished, started: finished - kept.elapsed } });
}

/** The words of a result, to be read aloud. @param {import('../types.js').Report} report */
export const announce = (report) => `Done: ${format.bytes(report.file_bytes)}, ${format.ratio(report.ratio)} smaller, ${format.quality(report)}`;
