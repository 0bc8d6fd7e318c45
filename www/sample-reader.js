// The worker that reads files of samples. It is started with such a file, and ends with it: what it has read is in other hands then.
import { Bridge } from './bridge.js';
import { makeWorker } from './files.js';
import wasmUrl from '../pkg/samples_bg.wasm?url';
import workerUrl from './samples-worker.js?worker&url';

/** @typedef {import('./samples-worker.js').SamplesApi} SamplesApi */
/** @typedef {import('./samples-worker.js').Named} Named */
/** @typedef {import('./samples-worker.js').HoldOut} HoldOut */
/** @typedef {import('./samples-worker.js').Progress} Progress */

/** @returns {Bridge<SamplesApi>} */
const newBridge = () => new Bridge(wasmUrl, () => makeWorker(workerUrl, 'nutshell-samples'), async () => {});

/** Which of several files, that were opened together, are samples. @param {Named[]} files */
export const chooseSamples = (files) => newBridge().once((remote) => remote.choose(files));

/** The samples of files that belong together. @param {Named[]} files @param {HoldOut} holdOut @param {(progress: Progress) => void} hear @param {AbortSignal} signal */
export const readSampleFiles = (files, holdOut, hear, signal) =>
  reading((remote, port) => remote.read(files, holdOut, port), hear, signal);

/** The samples of pictures. @param {import('./folders.js').Found[]} found @param {HoldOut} holdOut @param {(progress: Progress) => void} hear @param {AbortSignal} signal */
export const readPictures = (found, holdOut, hear, signal) =>
  reading((remote, port) => remote.readPictures(found, holdOut, port), hear, signal);

/** Asks a worker that ends with its answer, or at once where the signal is given.
 * @template T
 * @param {(remote: import('comlink').Remote<SamplesApi>, port: MessagePort) => Promise<T>} work
 * @param {(progress: Progress) => void} hear
 * @param {AbortSignal} signal */
async function reading(work, hear, signal) {
  const bridge = newBridge();
  const abort = () => bridge.end(new DOMException('reading was cancelled', 'AbortError'));
  signal.addEventListener('abort', abort);
  try {
    return await bridge.callWithPort(hear, work);
  } finally {
    signal.removeEventListener('abort', abort);
    bridge.end(new Error('the samples are read'));
  }
}
