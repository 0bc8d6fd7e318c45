// Owns the wasm that reads files of samples.
import * as Comlink from 'comlink';
import init, { isSamples, SampleFile } from '../pkg/samples.js';
import { startWorker } from './worker-start.js';

const api = {
  /** Starts the wasm, and holds the lock that says that this worker lives.
   * @param {string} lock
   * @param {WebAssembly.Module} module */
  start: (lock, module) => startWorker(lock, () => init({ module_or_path: module })),

  /** The samples of a file, a share of which is held out for testing if the file has no such part; null if it has no samples.
   * @param {Uint8Array} bytes
   * @param {number} share
   * @param {number} seed */
  read(bytes, share, seed) {
    if (!isSamples(bytes)) return null;
    const opened = SampleFile.open(bytes);
    if (!opened.hasTest) opened.holdOutTest(share, seed);
    const summary = opened.summary();
    /** @type {import('./worker-samples.js').Part[]} */
    const parts = [];
    for (const part of /** @type {const} */ (['test', 'training'])) {
      const [values, about] = [opened.values(part), summary[part]];
      if (values && about) parts.push({ set: part === 'test' ? 'test' : 'train', shape: about.shape, values, classes: opened.labels(part) });
    }
    opened.free();
    return Comlink.transfer({ summary, parts }, parts.flatMap(({ values }) => (values ? [values.buffer] : [])));
  },
};

/** @typedef {typeof api} SamplesApi */

Comlink.expose(api);
