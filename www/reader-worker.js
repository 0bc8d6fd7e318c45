// Owns the wasm that knows the files of other programs: it opens, compresses by weights alone, and writes them.
import * as Comlink from 'comlink';
import init, { ModelFile, zippedBytes } from '../pkg/files.js';
import { startWorker } from './worker-start.js';

/** @typedef {import('../pkg/files.js').ExportKind} ExportKind */
/** @typedef {import('../pkg/files.js').WeightsTarget} WeightsTarget */

/** The opened file. @type {ModelFile | null} */
let file = null;

const api = {
  /** Starts the wasm, and holds the lock that says that this worker lives.
   * @param {string} lock
   * @param {WebAssembly.Module} module */
  start: (lock, module) => startWorker(lock, () => init({ module_or_path: module })),

  /** Opens a model file, in place of the one before: what is in it, and its network for the engine, if it can be run.
   * @param {Uint8Array} bytes */
  open(bytes) {
    const opened = ModelFile.open(bytes);
    file?.free();
    file = opened;
    const network = file.network();
    return Comlink.transfer({ summary: file.summary(), network }, network ? [network.buffer] : []);
  },

  /** Moments of a tensor, and counts of its nonzero numbers in so many equal bins between lowest and highest. @param {number} tensor @param {number} bins */
  look(tensor, bins) {
    const moments = opened().moments(tensor);
    return { moments, histogram: opened().histogram(tensor, moments.low, moments.high, bins) };
  },

  /** A tensor as a picture of at most so many pixels. @param {number} tensor @param {number} width @param {number} height */
  picture(tensor, width, height) {
    const made = opened().picture(tensor, width, height);
    const { width: columns, height: rows, reach, pixels } = made;
    made.free();
    return Comlink.transfer({ width: columns, height: rows, reach, pixels }, [pixels.buffer]);
  },

  /** Compresses the opened file by its weights alone. Events go to the port while this call does not return.
   * @param {WeightsTarget} target
   * @param {MessagePort} port */
  compress(target, port) {
    const { nut, report } = opened().compress(target, (event) => port.postMessage(event));
    port.close();
    return Comlink.transfer({ nut, report }, [nut.buffer]);
  },

  /** What a file can be written as. @param {Uint8Array} bytes */
  exportKinds: (bytes) => withFile(bytes, (other) => other.exportKinds()),

  /** A file in another format, and its size once it is zipped. @param {Uint8Array} bytes @param {ExportKind | 'onnx-compact'} kind */
  export(bytes, kind) {
    const written = withFile(bytes, (other) => (kind === 'onnx-compact' ? other.toCompactOnnx() : other.export(kind)));
    return Comlink.transfer({ bytes: written, zipped: zippedBytes(written) }, [written.buffer]);
  },
};

function opened() {
  if (!file) throw new Error('no file is open');
  return file;
}

/** @template T @param {Uint8Array} bytes @param {(file: ModelFile) => T} work @returns {T} */
function withFile(bytes, work) {
  const other = ModelFile.open(bytes);
  try {
    return work(other);
  } finally {
    other.free();
  }
}

/** @typedef {typeof api} ReaderApi */

Comlink.expose(api);
