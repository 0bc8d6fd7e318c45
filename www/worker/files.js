// Knows one model file: opens it, looks at its tensors, compresses it by its weights alone, and writes it in other formats.
import * as Comlink from 'comlink';
import { ModelFile, withExternalData, zippedBytes } from '../../pkg/nutshell.js';
import { release } from './release.js';

/** What a file can be written as; `onnx-compact` is a network in its own shapes. @typedef {import('../../pkg/nutshell.js').ExportKind | 'onnx-compact'} ExportKind */
/** @typedef {import('../../pkg/nutshell.js').Target} Target */

/** Milliseconds between two reports. */
const PACE = 100;

/** The opened file. @type {ModelFile | null} */
let file = null;

export const files = {
  /** Opens a model file, which stays open until the worker ends. The port hears what share of it is decoded, where that takes time.
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {MessagePort} port */
  open(bytes, port) {
    let told = 0;
    file = ModelFile.open(bytes, (done) => {
      if (performance.now() - told < PACE) return;
      told = performance.now();
      port.postMessage(done);
    });
    release(bytes);
    port.close();
  },

  /** An ONNX file with the numbers in it that it has in other files. @param {Uint8Array} bytes @param {import('../reader.js').Companion[]} others */
  join(bytes, others) {
    const whole = withExternalData(bytes, others.map(({ name }) => name), others.map(({ bytes }) => bytes));
    return Comlink.transfer(whole, [whole.buffer]);
  },

  /** What is in the file. */
  summary: () => opened().summary(),

  /** Moments of a tensor's numbers. @param {number} tensor */
  moments: (tensor) => opened().moments(tensor),

  /** Counts of a tensor's nonzero numbers in equal bins. @param {number} tensor @param {[number, number]} range @param {number} bins */
  histogram: (tensor, [low, high], bins) => opened().histogram(tensor, low, high, bins),

  /** A tensor as a picture of at most so many pixels across and down. @param {number} tensor @param {[number, number]} most */
  picture(tensor, [across, down]) {
    const made = opened().picture(tensor, across, down);
    const { width, height, reach, pixels } = made;
    made.free();
    return Comlink.transfer({ width, height, reach, pixels }, [pixels.buffer]);
  },

  /** Compresses a file by its weights alone. Events go to the port while this call does not return.
   * @param {Target} target
   * @param {MessagePort} port */
  compress(target, port) {
    const { nut, report } = opened().compress(target, (event) => port.postMessage(event));
    port.close();
    return Comlink.transfer({ nut, report }, [nut.buffer]);
  },

  /** What a file can be written as. @returns {ExportKind[]} */
  exportKinds() {
    const kinds = opened().exportKinds();
    return opened().isNetwork ? ['onnx-compact', ...kinds] : kinds;
  },

  /** A file in another format. @param {ExportKind} kind */
  export(kind) {
    const bytes = written(kind);
    return Comlink.transfer(bytes, [bytes.buffer]);
  },

  /** Bytes of a file in another format, and once it is zipped. @param {ExportKind} kind */
  exportSize: (kind) => sizeOf(written(kind)),

  /** Bytes of a file as it is, and once it is zipped. @param {Uint8Array} bytes */
  size: (bytes) => sizeOf(bytes),
};

function opened() {
  if (!file) throw new Error('no file is open');
  return file;
}

/** @param {ExportKind} kind */
const written = (kind) => (kind === 'onnx-compact' ? opened().toCompactOnnx() : opened().export(kind));

/** @param {Uint8Array} bytes */
const sizeOf = (bytes) => ({ raw: bytes.length, zipped: zippedBytes(bytes) });
