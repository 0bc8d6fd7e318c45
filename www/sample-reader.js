// The worker that reads files of samples. It is started with such a file, and ends with it: what it has read is in other hands then.
import { Bridge } from './bridge.js';
import { makeWorker } from './files.js';
import wasmUrl from '../pkg/samples_bg.wasm?url';
import workerUrl from './samples-worker.js?worker&url';

/** @typedef {import('./samples-worker.js').SamplesApi} SamplesApi */

/** The samples of a file, with a share held out for testing if it has no such part; null if it is no file of samples.
 * @param {Uint8Array} file @param {number} share @param {number} seed */
export function readSampleFile(file, share, seed) {
  /** @type {Bridge<SamplesApi>} */
  const bridge = new Bridge(wasmUrl, () => makeWorker(workerUrl, 'nutshell-samples'), async () => {});
  return bridge.once((remote) => remote.read(file, share, seed));
}
