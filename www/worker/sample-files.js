// Reads files of samples.
import * as Comlink from 'comlink';
import { chooseSamples, PictureFiles, SampleFile } from '../../pkg/nutshell.js';
import { decodeAll } from './pictures.js';

/** A file by its name. @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer> }} Named */
/** Where samples have no part for testing: the share that is held out, drawn by the seed. @typedef {{ share: number, seed: number }} HoldOut */
/** How many of how many files have been read. @typedef {{ done: number, total: number }} Progress */

/** The most that a file may take, in bytes; the wasm has the same limit for what it unpacks. */
const MOST = 2 ** 30;

export const sampleFiles = {
  /** Which of several files, that were opened together, are samples. @param {Named[]} files */
  choose: (files) => chooseSamples(...apart(files)),

  /** The samples of files that belong together, or of an archive of pictures.
   * @param {Named[]} files
   * @param {HoldOut} holdOut
   * @param {MessagePort} port Is told of each picture. */
  async read(files, holdOut, port) {
    const pictures = files.length === 1 ? PictureFiles.ofArchive(files[0].bytes) : undefined;
    if (pictures) return read(pictures, (index) => /** @type {Uint8Array<ArrayBuffer>} */ (pictures.unpack(index)), holdOut, port);
    return opened(files.length === 1 ? SampleFile.open(files[0].bytes) : SampleFile.openTogether(...apart(files)), holdOut);
  },

  /** The samples of pictures.
   * @param {import('../folders.js').Found[]} found
   * @param {HoldOut} holdOut
   * @param {MessagePort} port Is told of each. */
  async readPictures(found, holdOut, port) {
    const pictures = new PictureFiles(found.map(({ path }) => path));
    const bytes = async (/** @type {number} */ index) => {
      const { file } = found[/** @type {number} */ (pictures.number(index))];
      if (file.size > MOST) throw new Error(`picture file, ${pictures.place(index)}: ${file.size} bytes are more than the limit of ${MOST}`);
      return new Uint8Array(await file.arrayBuffer());
    };
    return read(pictures, bytes, holdOut, port);
  },
};

/** @param {Named[]} files @returns {[string[], Uint8Array[]]} */
const apart = (files) => [files.map(({ name }) => name), files.map(({ bytes }) => bytes)];

/** @param {PictureFiles} pictures @param {Parameters<typeof decodeAll>[1]} bytes @param {HoldOut} holdOut @param {MessagePort} port */
async function read(pictures, bytes, holdOut, port) {
  await decodeAll(pictures, bytes, (done) => port.postMessage({ done, total: pictures.length }));
  return opened(pictures.finish(), holdOut);
}

/** @param {SampleFile} file @param {HoldOut} holdOut */
function opened(file, { share, seed }) {
  if (!file.hasTest) file.holdOutTest(share, seed);
  const summary = file.summary();
  /** @type {import('./parts.js').Part[]} */
  const parts = [];
  for (const part of /** @type {const} */ (['test', 'training'])) {
    const [values, about] = [file.values(part), summary[part]];
    if (values && about) parts.push({ set: part === 'test' ? 'test' : 'train', shape: about.shape, values, classes: file.labels(part), targets: file.targets(part), outputs: about.outputs });
  }
  file.free();
  return Comlink.transfer({ summary, parts }, parts.flatMap(({ values }) => (values ? [values.buffer] : [])));
}
