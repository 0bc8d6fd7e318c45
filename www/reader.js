// The worker that knows the files of other programs. It is started with the first such file.
import { Bridge } from './bridge.js';
import { makeWorker } from './files.js';
import wasmUrl from '../pkg/files_bg.wasm?url';
import workerUrl from './reader-worker.js?worker&url';

/** @typedef {import('./reader-worker.js').ReaderApi} ReaderApi */
/** @typedef {import('../pkg/files.js').ExportKind} ExportKind */

export class Reader {
  /** @type {Uint8Array | null} */
  #file = null;
  /** @type {Bridge<ReaderApi>} */
  #bridge = new Bridge(
    wasmUrl,
    () => makeWorker(workerUrl, 'nutshell-reader'),
    async (remote) => {
      if (this.#file) await remote.open(this.#file);
    },
  );

  /** Opens a model file of any kind: what is in it, and its network for the engine, if it can be run. @param {Uint8Array} bytes */
  async open(bytes) {
    const opened = await this.#bridge.call((remote) => remote.open(bytes));
    this.#file = bytes;
    return opened;
  }

  /** Asks the reader. @template T @param {(remote: import('comlink').Remote<ReaderApi>) => Promise<T>} work @returns {Promise<T>} */
  ask = (work) => this.#bridge.call(work);

  /** Compresses the opened file by its weights alone; aborting the signal ends the worker.
   * @param {import('../pkg/files.js').WeightsTarget} target
   * @param {(event: import('../pkg/files.js').WeightsEvent) => void} onEvent
   * @param {AbortSignal} signal
   * @returns {Promise<import('../pkg/files.js').CompressedWeights>} */
  async compress(target, onEvent, signal) {
    const abort = () => this.#bridge.end(new DOMException('the run was cancelled', 'AbortError'));
    signal.addEventListener('abort', abort);
    try {
      return await this.#bridge.callWithPort(onEvent, (remote, port) => remote.compress(target, port));
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
