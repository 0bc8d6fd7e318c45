// The worker that reads files of samples. It is started with such a file, and ends with it: what it has read is in other hands then.
import { Bridge } from './bridge.js';

/** @typedef {typeof import('./worker/sample-files.js').sampleFiles} SamplesApi */
/** @typedef {import('./worker/sample-files.js').Named} Named */
/** @typedef {import('./worker/sample-files.js').HoldOut} HoldOut */
/** @typedef {import('./worker/sample-files.js').Progress} Progress */

/** @returns {Bridge<SamplesApi>} */
const newBridge = () => new Bridge('sample-files');

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
