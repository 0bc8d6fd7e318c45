// The worker that knows the files of other programs. It is started with the first such file.
import { Bridge } from './bridge.js';
import { makeWorker } from './files.js';
import wasmUrl from '../pkg/files_bg.wasm?url';
import workerUrl from './reader-worker.js?worker&url';

/** @typedef {import('./reader-worker.js').ReaderApi} ReaderApi */
/** @typedef {import('./reader-worker.js').ExportKind} ExportKind */
/** @typedef {import('comlink').Remote<ReaderApi>} Remote */

/** Files that the worker has open at a time: the opened one, and what came of it. */
const MOST = 2;

export class Reader {
  /** Files that the worker has open, the one that was asked for last at the end. @type {Uint8Array[]} */
  #open = [];
  /** @type {WeakMap<Uint8Array, number>} */
  #ids = new WeakMap();
  #count = 0;
  /** Settled when the last question is: one follows the other, so that none closes a file that another needs. */
  #last = Promise.resolve();
  #bridge = newBridge('nutshell-reader', async () => {
    this.#open = [];
  });

  /** A number that tells a file from others. @param {Uint8Array} file */
  idOf(file) {
    const id = this.#ids.get(file) ?? this.#count++;
    this.#ids.set(file, id);
    return id;
  }

  /** Opens a model file of any kind: what is in it, and its network for the engine, if it can be run. @param {Uint8Array} bytes */
  open = async (bytes) => ({ bytes, ...(await this.#ask(bytes, (remote, id) => remote.contents(id))) });

  /** Moments of a tensor's numbers. @param {Uint8Array} file @param {number} tensor */
  moments = (file, tensor) => this.#ask(file, (remote, id) => remote.moments(id, tensor));

  /** Counts of a tensor's nonzero numbers in equal bins. @param {Uint8Array} file @param {number} tensor @param {[number, number]} range @param {number} bins */
  histogram = (file, tensor, range, bins) => this.#ask(file, (remote, id) => remote.histogram(id, tensor, range, bins));

  /** A tensor as a picture of at most so many pixels across and down. @param {Uint8Array} file @param {number} tensor @param {[number, number]} most */
  picture = (file, tensor, most) => this.#ask(file, (remote, id) => remote.picture(id, tensor, most));

  /** What a file can be written as. @param {Uint8Array} file */
  exportKinds = (file) => this.#ask(file, (remote, id) => remote.exportKinds(id));

  /** A file in another format. @param {Uint8Array} file @param {ExportKind} kind */
  export = (file, kind) => this.#ask(file, (remote, id) => remote.export(id, kind));

  /** Bytes of a file in another format, or as it is, and once it is zipped. @param {Uint8Array} file @param {ExportKind | null} kind */
  size = (file, kind) => this.#ask(file, (remote, id) => (kind ? remote.exportSize(id, kind) : remote.size(file)));

  /** Compresses a file by its weights alone. The run has a worker of its own: meanwhile the tensors can be looked at, the end of the run gives
   * its memory back, and aborting the signal ends it at once.
   * @param {Uint8Array} file
   * @param {import('../pkg/files.js').WeightsTarget} target
   * @param {(event: import('../pkg/files.js').WeightsEvent) => void} onEvent
   * @param {AbortSignal} signal
   * @returns {Promise<import('../pkg/files.js').CompressedWeights>} */
  async compress(file, target, onEvent, signal) {
    const id = this.idOf(file);
    const bridge = newBridge('nutshell-packer', async (remote) => {
      await remote.open(id, file);
    });
    const abort = () => bridge.end(new DOMException('the run was cancelled', 'AbortError'));
    signal.addEventListener('abort', abort);
    try {
      return await bridge.callWithPort(onEvent, (remote, port) => remote.compress(id, target, port));
    } finally {
      signal.removeEventListener('abort', abort);
      bridge.end(new Error('the run is over'));
    }
  }

  /** Asks about a file; a worker that does not have it is given it first.
   * @template T
   * @param {Uint8Array} file
   * @param {(remote: Remote, id: number) => Promise<T>} work
   * @returns {Promise<T>} */
  #ask(file, work) {
    const answer = this.#last.then(() =>
      this.#bridge.call(async (remote) => {
        await this.#bring(remote, file);
        return work(remote, this.idOf(file));
      }),
    );
    this.#last = answer.then(
      () => {},
      () => {},
    );
    return answer;
  }

  /** @param {Remote} remote @param {Uint8Array} file */
  async #bring(remote, file) {
    if (!this.#open.includes(file)) await remote.open(this.idOf(file), file);
    this.#open = [...this.#open.filter((other) => other !== file), file];
    const [oldest] = this.#open;
    if (this.#open.length <= MOST) return;
    this.#open.shift();
    await remote.close(this.idOf(oldest));
  }
}

/** @param {string} name @param {(remote: Remote) => Promise<void>} tell @returns {Bridge<ReaderApi>} */
const newBridge = (name, tell) => new Bridge(wasmUrl, () => makeWorker(workerUrl, name), tell);
