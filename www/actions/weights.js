// Compressing by the weights alone: no sample is looked at.
import * as format from '../format.js';
import { busy, get, set } from '../state.js';
import { reader } from './engine.js';
import { rememberWeights } from './runs.js';

/** @typedef {import('../types.js').WeightsTargetChoice} WeightsTargetChoice */

/** Bytes of the tensors over the budget that the form begins with. */
const USUAL_RATIO = 8;

/** @type {AbortController | null} */
let running = null;

/** Changes what is to be reached. @param {Partial<WeightsTargetChoice>} change */
export const changeWeightsTarget = (change) => set({ weightsTarget: { ...get().weightsTarget, ...change } });

/** The budget that is set, or what it begins with. @param {WeightsTargetChoice} chosen @param {import('../types.js').WeightsSummary} summary */
export const budgetOf = ({ budget }, summary) => budget ?? Math.ceil(summary.tensor_bytes / USUAL_RATIO);

/** Looks at a tensor. @param {number} tensor */
export const chooseTensor = (tensor) => set({ tensor });

/** Compresses the opened file by its weights alone. */
export async function compressWeights() {
  const { weights, weightsTarget } = get();
  if (!weights || busy()) return;
  const { bytes, file, summary } = weights;
  running = new AbortController();
  set({ weightsRun: { status: 'running', words: 'Opening the file', done: null }, weightsResult: null, step: 'model', problem: '' });
  try {
    const { nut, report } = await reader.compress(bytes, targetOf(weightsTarget, summary), hear, hearOpening, running.signal);
    const weightsResult = { id: crypto.randomUUID(), nut, report, name: `${format.stem(file)}.nut` };
    set({ weightsRun: null, weightsResult, step: 'result', chosenStage: null });
    await rememberWeights(weightsResult, weights, inWords(targetOf(weightsTarget, summary)));
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    const words = error instanceof Error ? error.message : String(error);
    set({ weightsRun: cancelled ? { status: 'cancelled', words: 'Cancelled: nothing was changed.', done: null } : { status: 'failed', words, done: null } });
  } finally {
    running = null;
  }
}

/** A target in few words. @param {import('../../pkg/nutshell.js').WeightsTarget} target */
const inWords = (target) => (target === 'lossless' ? 'lossless' : 'snr' in target ? `${format.number(target.snr)} dB` : format.bytes(target.budget));

/** Ends the run. */
export const cancelWeights = () => running?.abort();

/** @param {WeightsTargetChoice} chosen @param {import('../types.js').WeightsSummary} summary @returns {import('../../pkg/nutshell.js').WeightsTarget} */
function targetOf(chosen, summary) {
  switch (chosen.kind) {
    case 'lossless':
      return 'lossless';
    case 'snr':
      return { snr: chosen.snr };
    case 'budget':
      return { budget: budgetOf(chosen, summary) };
  }
}

/** @param {number} done */
function hearOpening(done) {
  if (get().weightsRun?.status === 'running') set({ weightsRun: { status: 'running', words: 'Decoding the file', done } });
}

/** @param {import('../../pkg/nutshell.js').WeightsEvent} event */
function hear(event) {
  if (get().weightsRun?.status !== 'running') return;
  switch (event.kind) {
    case 'searching':
      return set({ weightsRun: { status: 'running', words: 'Searching for the price of a bit', done: event.done } });
    case 'coding':
      return set({ weightsRun: { status: 'running', words: 'Writing the file', done: null } });
    case 'checking':
      return set({ weightsRun: { status: 'running', words: 'Checking the file', done: null } });
  }
}

/** The words of a result, to be read aloud. @param {import('../types.js').WeightsReport} report */
export const announce = ({ file_bytes, ratio, snr }) =>
  `Done: ${format.bytes(file_bytes)}, ${format.ratio(ratio)} smaller, ${snr === null ? 'every number unchanged' : `signal to noise ${format.decibels(snr)}`}`;
