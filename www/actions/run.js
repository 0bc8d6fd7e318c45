// Running a recipe.
import * as format from '../format.js';
import { advance, busy, get, set } from '../state.js';
import * as storage from '../storage.js';
import { hold } from '../tabs.js';
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

/** Whether the run is kept for after a reload: not while another tab's is. */
let keeps = true;

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
    grown: false,
    resumable: false,
    message: '',
  });
}

/** Goes on from the last checkpoint. */
export async function resume() {
  const { run: last } = get();
  if (!last || !resumable?.checkpoint) return;
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
  set({ run: first, result: null, problem: '', notice: null, followsRun: bySamples, viewerStages: checkpoint ? get().viewerStages : ['original'] });
  if (!bySamples) set({ step: 'model' });
  running = new AbortController();
  keeps = get().elsewhere === '';
  const release = hold();
  resumable ??= { checkpoint: null, stages: new Map(), run: first, file: opened.file, elapsed: 0 };
  void store();
  try {
    const { nut, report } = await (bySamples ? onSamples(first.recipe, running.signal, checkpoint) : byWeights(first.recipe.target, running.signal));
    const seconds = (performance.now() - first.started) / 1000;
    end('done', '');
    const result = { id: crypto.randomUUID(), nut, report: { ...report, seconds }, name: `${format.stem(opened.file)}.nut` };
    set({ result, step: 'result', chosenStage: null, followsRun: false });
    if (bySamples) await showStage('code', nut);
    await remember(result, opened, first.evidence, new Map([...(bySamples ? viewer.stages : []), ...(resumable?.stages ?? [])]));
    resumable = null;
    await store();
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    end(cancelled ? 'cancelled' : 'failed', error instanceof Error ? error.message : String(error));
    // Without a finished stage there is nothing to go on from.
    if (!resumable?.checkpoint) resumable = null;
    await store();
  } finally {
    running = null;
    release();
  }
}

/** What is being stored, one after the other. */
let storing = Promise.resolve();

/** Keeps the run, as it stands, for after a reload, or forgets it where nothing is left to resume. A browser that keeps nothing still resumes until
 * the page is closed. */
function store() {
  const { run } = get();
  if (resumable && run) resumable = { ...resumable, run };
  const kept = resumable;
  if (keeps) storing = storing.then(() => (kept ? storage.keep(kept).catch(() => {}) : storage.forget()));
  return storing;
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
  void store();
  await showStage(stage, checkpoint);
}

/** Gives a stage's network to the viewer. @param {import('../types.js').Stage} stage @param {import('../viewer.js').File} file */
async function showStage(stage, file) {
  await viewer.put(stage, file);
  set({ viewerStages: [...get().viewerStages.filter((other) => other !== stage), stage] });
}

/** Shows what was under way when the page was left, unless another tab is at it. */
export async function offerResume() {
  const kept = await storage.load().catch(() => null);
  const { network, weights, run, elsewhere } = get();
  if (!kept || run || elsewhere || kept.file !== (kept.run.evidence === 'weights' ? (weights ?? network) : network)?.file) return;
  resumable = kept;
  const finished = performance.now();
  for (const [stage, bytes] of kept.stages) await showStage(stage, bytes);
  const status = kept.run.status === 'running' ? 'interrupted' : kept.run.status;
  set({ run: { ...kept.run, status, stage: null, training: null, finished, started: finished - kept.elapsed } });
}

/** The words of a result, to be read aloud. @param {import('../types.js').Report} report */
export const announce = (report) => `Done: ${format.bytes(report.file_bytes)}, ${format.ratio(report.ratio)} smaller, ${format.quality(report)}`;
