// Writing what is open, or what came of a run, as the files of other programs.
import { stem } from '../format.js';
import { download } from './download.js';
import { reader, report } from './engine.js';

/** @typedef {import('../reader.js').ExportKind} ExportKind */

/** How the name of each kind of file ends. @satisfies {Record<ExportKind, string>} */
const ENDINGS = {
  onnx: '.onnx',
  'onnx-compact': '.compact.onnx',
  'onnx-shared': '.shared.onnx',
  'onnx-scaled': '.scaled.onnx',
  safetensors: '.safetensors',
  npz: '.npz',
  tflite: '.tflite',
};

/** Hands a file in another format to the user. @param {Uint8Array} file @param {ExportKind} kind @param {string} name Of the file as it is. */
export async function exportFile(file, kind, name) {
  try {
    download(await reader.export(file, kind), stem(name) + ENDINGS[kind]);
  } catch (error) {
    report(error);
  }
}
