// Owns the wasm that knows the files of other programs: it opens, compresses by weights alone, and writes them.
import * as Comlink from 'comlink';
import init, { ModelFile, zippedBytes } from '../pkg/files.js';
import { startWorker } from './worker-start.js';

/** What a file can be written as; `onnx-compact` is a network in its own shapes. @typedef {import('../pkg/files.js').ExportKind | 'onnx-compact'} ExportKind */
/** @typedef {import('../pkg/files.js').WeightsTarget} WeightsTarget */

/** The opened files. @type {Map<number, ModelFile>} */
const files = new Map();

const api = {
  /** Starts the wasm, and holds the lock that says that this worker lives.
   * @param {string} lock
   * @param {WebAssembly.Module} module */
  start: (lock, module) => startWorker(lock, () => init({ module_or_path: module })),

  /** Opens a model file under a number. @param {number} id @param {Uint8Array} bytes */
  open: (id, bytes) => void files.set(id, ModelFile.open(bytes)),

  /** Closes a file, and gives its memory back. @param {number} id */
  close(id) {
    opened(id).free();
    files.delete(id);
  },

  /** What is in a file, and its network for the engine, if it can be run. @param {number} id */
  contents(id) {
    const network = opened(id).network();
    return Comlink.transfer({ summary: opened(id).summary(), network }, network ? [network.buffer] : []);
  },

  /** Moments of a tensor's numbers. @param {number} id @param {number} tensor */
  moments: (id, tensor) => opened(id).moments(tensor),

  /** Counts of a tensor's nonzero numbers in equal bins. @param {number} id @param {number} tensor @param {[number, number]} range @param {number} bins */
  histogram: (id, tensor, [low, high], bins) => opened(id).histogram(tensor, low, high, bins),

  /** A tensor as a picture of at most so many pixels across and down. @param {number} id @param {number} tensor @param {[number, number]} most */
  picture(id, tensor, [across, down]) {
    const made = opened(id).picture(tensor, across, down);
    const { width, height, reach, pixels } = made;
    made.free();
    return Comlink.transfer({ width, height, reach, pixels }, [pixels.buffer]);
  },

  /** Compresses a file by its weights alone. Events go to the port while this call does not return.
   * @param {number} id
   * @param {WeightsTarget} target
   * @param {MessagePort} port */
  compress(id, target, port) {
    const { nut, report } = opened(id).compress(target, (event) => port.postMessage(event));
    port.close();
    return Comlink.transfer({ nut, report }, [nut.buffer]);
  },

  /** What a file can be written as. @param {number} id @returns {ExportKind[]} */
  exportKinds(id) {
    const kinds = opened(id).exportKinds();
    return opened(id).isNetwork ? ['onnx-compact', ...kinds] : kinds;
  },

  /** A file in another format. @param {number} id @param {ExportKind} kind */
  export(id, kind) {
    const bytes = written(id, kind);
    return Comlink.transfer(bytes, [bytes.buffer]);
  },

  /** Bytes of a file in another format, and once it is zipped. @param {number} id @param {ExportKind} kind */
  exportSize: (id, kind) => sizeOf(written(id, kind)),

  /** Bytes of a file as it is, and once it is zipped. @param {Uint8Array} bytes */
  size: (bytes) => sizeOf(bytes),
};

/** @param {number} id */
function opened(id) {
  const file = files.get(id);
  if (!file) throw new Error('the file is not open');
  return file;
}

/** @param {number} id @param {ExportKind} kind */
const written = (id, kind) => (kind === 'onnx-compact' ? opened(id).toCompactOnnx() : opened(id).export(kind));

/** @param {Uint8Array} bytes */
const sizeOf = (bytes) => ({ raw: bytes.length, zipped: zippedBytes(bytes) });

/** @typedef {typeof api} ReaderApi */

Comlink.expose(api);
