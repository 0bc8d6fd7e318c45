// The workers that know the files of other programs: each has one file open. The first is started with the first such file.
import { Bridge, copyOf, withPort } from './bridge.js';

/** @typedef {typeof import('./worker/files.js').files} ReaderApi */
/** @typedef {import('./worker/files.js').ExportKind} ExportKind */
/** @typedef {import('comlink').Remote<ReaderApi>} Remote */
/** A file beside a model. @typedef {{ name: string, bytes: Uint8Array }} Companion */

/** Files that stay open: the user's, and what came of it. Others are opened again when they are asked about. */
const MOST = 2;

export class Reader {
  /** The one that was opened last at the end. @type {{ file: Uint8Array, bridge: Bridge<ReaderApi> }[]} */
  #workers = [];
  /** @type {WeakMap<Uint8Array, number>} */
  #ids = new WeakMap();
  #count = 0;

  /** A number that tells a file from others. @param {Uint8Array} file */
  idOf(file) {
    const id = this.#ids.get(file) ?? this.#count++;
    this.#ids.set(file, id);
    return id;
  }

  /** Opens a model file of any kind: what is in it, and the file once more as a network, if that can be run.
   * @param {Uint8Array} file
   * @param {object} [options]
   * @param {Companion[]} [options.others] Files that an ONNX file has its numbers in.
   * @param {(done: number) => void} [options.hear] Is told the share that is decoded.
   * @param {AbortSignal} [options.signal] Ends it at once. */
  async open(file, { others = [], hear, signal } = {}) {
    const bytes = others.length > 0 ? await join(file, others) : file;
    const abort = () => this.#close(bytes, new DOMException('opening was cancelled', 'AbortError'));
    signal?.addEventListener('abort', abort);
    try {
      const summary = await this.#ask(bytes, (remote) => remote.summary(), hear);
      return { bytes, summary, network: summary.graph ? bytes : undefined };
    } catch (error) {
      this.#close(bytes);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Moments of a tensor's numbers. @param {Uint8Array} file @param {number} tensor */
  moments = (file, tensor) => this.#ask(file, (remote) => remote.moments(tensor));

  /** Counts of a tensor's nonzero numbers in equal bins. @param {Uint8Array} file @param {number} tensor @param {[number, number]} range @param {number} bins */
  histogram = (file, tensor, range, bins) => this.#ask(file, (remote) => remote.histogram(tensor, range, bins));

  /** A tensor as a picture of at most so many pixels across and down. @param {Uint8Array} file @param {number} tensor @param {[number, number]} most */
  picture = (file, tensor, most) => this.#ask(file, (remote) => remote.picture(tensor, most));

  /** What a file can be written as. @param {Uint8Array} file */
  exportKinds = (file) => this.#ask(file, (remote) => remote.exportKinds());

  /** A file in another format. @param {Uint8Array} file @param {ExportKind} kind */
  export = (file, kind) => this.#ask(file, (remote) => remote.export(kind));

  /** Bytes of a file in another format, or as it is, and once it is zipped. @param {Uint8Array} file @param {ExportKind | null} kind */
  size = (file, kind) => this.#ask(file, (remote) => (kind ? remote.exportSize(kind) : remote.size(file)));

  /** Compresses a file by its weights alone. The run has a worker of its own: meanwhile the tensors can be looked at, the end of the run gives
   * its memory back, and aborting the signal ends it at once.
   * @param {Uint8Array} file
   * @param {import('../pkg/nutshell.js').Target} target
   * @param {(event: import('./types.js').RunEvent) => void} onEvent
   * @param {AbortSignal} signal
   * @returns {Promise<import('../pkg/nutshell.js').Compressed>} */
  async compress(file, target, onEvent, signal) {
    const bridge = newBridge(file);
    const abort = () => bridge.end(new DOMException('the run was cancelled', 'AbortError'));
    signal.addEventListener('abort', abort);
    try {
      return await bridge.callWithPort(onEvent, (remote, port) => remote.compress(target, port));
    } finally {
      signal.removeEventListener('abort', abort);
      bridge.end(new Error('the run is over'));
    }
  }

  /** Asks the worker that has a file open, starting one if there is none.
   * @template T
   * @param {Uint8Array} file
   * @param {(remote: Remote) => Promise<T>} work
   * @param {(done: number) => void} [hear] Is told the share that is decoded, if it is opened for this.
   * @returns {Promise<T>} */
  #ask(file, work, hear) {
    const known = this.#workers.find((worker) => worker.file === file);
    if (known) return known.bridge.call(work);
    const bridge = newBridge(file, hear);
    this.#workers.push({ file, bridge });
    if (this.#workers.length > MOST) this.#close(this.#workers[0].file);
    return bridge.call(work);
  }

  /** @param {Uint8Array} file @param {Error} [reason] */
  #close(file, reason = new Error('another file was opened')) {
    this.#workers.find((worker) => worker.file === file)?.bridge.end(reason);
    this.#workers = this.#workers.filter((worker) => worker.file !== file);
  }
}

/** A worker to be, with a file open. @param {Uint8Array} file @param {(done: number) => void} [hear] @returns {Bridge<ReaderApi>} */
const newBridge = (file, hear) =>
  new Bridge(
    'files',
    (remote) => withPort((done) => hear?.(done), (port) => remote.open(copyOf(file), port)),
  );

/** An ONNX file with the numbers in it that it has in other files. @param {Uint8Array} file @param {Companion[]} others */
function join(file, others) {
  /** @type {Bridge<ReaderApi>} */
  const bridge = new Bridge('files');
  return bridge.once((remote) => remote.join(file, others));
}
