// Owns the wasm. It translates and reports; it decides nothing.
import * as Comlink from 'comlink';
import init, { compress, Network, randomSeed, recipe, Samples } from '../pkg/nutshell.js';

/** @typedef {import('./types.js').Recipe} Recipe */
/** @typedef {import('./types.js').Accuracy} Accuracy */

/** Never settles: what waits for it holds its lock for as long as this worker lives. */
const { promise: never } = Promise.withResolvers();

/** @type {Network | null} */
let network = null;
/** Made when the wasm has started. @type {{ train: Samples, test: Samples }} */
let sets;

/** Samples between two reports of an evaluation. */
const BLOCK = 1000;

const api = {
  /** Starts the wasm, and holds the lock that says that this worker lives.
   * @param {string} lock */
  async start(lock) {
    if (navigator.locks) await new Promise((held) => navigator.locks.request(lock, () => (held(0), never)));
    await init();
    sets = { train: new Samples(), test: new Samples() };
  },

  /** Opens a model file, in place of the one before. @param {Uint8Array} bytes */
  open(bytes) {
    const opened = Network.open(bytes);
    network?.free();
    network = opened;
    return opened.summary();
  },

  /** Forgets all samples. */
  clearData() {
    for (const samples of Object.values(sets)) samples.free();
    sets = { train: new Samples(), test: new Samples() };
  },

  /** Adds a part of a set; both are IDX files, gzipped or not.
   * @param {'train' | 'test'} set
   * @param {{ images?: Uint8Array, labels?: Uint8Array }} part
   * @returns {number} images so far */
  addData(set, { images, labels }) {
    if (images) sets[set].addImages(images);
    if (labels) sets[set].addLabels(labels);
    return sets[set].length;
  },

  /** A seed for those who want another one. */
  randomSeed,

  /** The recipe of an effort. @param {'quick' | 'balanced' | 'thorough'} effort */
  recipe: (effort) => recipe(effort),

  /** Accuracy of the opened network on the test samples; reports after each block.
   * @param {Recipe['scaling']} scaling
   * @param {MessagePort} reports */
  async evaluate(scaling, reports) {
    const model = opened();
    const total = sets.test.length;
    let correct = 0;
    let loss = 0;
    for (let done = 0; done < total; ) {
      const end = Math.min(done + BLOCK, total);
      const block = model.evaluate(sets.test, done, end, scaling);
      correct += block.correct;
      loss += block.loss * block.samples;
      done = end;
      reports.postMessage(done);
    }
    reports.close();
    return /** @type {Accuracy} */ ({
      split: 'test',
      samples: total,
      correct,
      accuracy: correct / total,
      loss: loss / total,
    });
  },

  /** Some test images, evenly spread from `first` on, with the opened network's answers.
   * @param {number} first
   * @param {number} count
   * @param {Recipe['scaling']} scaling
   * @returns {import('./types.js').Look[]} */
  look(first, count, scaling) {
    const model = opened();
    const shape = model.summary().input_shape;
    const total = sets.test.length;
    return Array.from({ length: Math.min(count, total) }, (_, place) => {
      const index = (first + Math.floor((place * total) / count)) % total;
      const pixels = sets.test.image(index) ?? new Uint8Array();
      const logits = model.forward(pixels, scaling);
      return { shape, pixels, label: sets.test.label(index) ?? null, answer: logits.indexOf(Math.max(...logits)) };
    });
  },

  /** Runs a recipe. Events and checkpoints go to the port while this call does not return.
   * @param {Recipe} recipe
   * @param {Uint8Array | undefined} checkpoint
   * @param {MessagePort} port */
  compress(recipe, checkpoint, port) {
    const { nut, report } = compress(
      opened(),
      sets.train,
      sets.test,
      recipe,
      checkpoint,
      (/** @type {unknown} */ event) => port.postMessage({ event }),
      (/** @type {Uint8Array<ArrayBuffer>} */ bytes) => port.postMessage({ checkpoint: bytes }, [bytes.buffer]),
    );
    port.close();
    return Comlink.transfer({ nut, report }, [nut.buffer]);
  },

  /** The opened network as an ONNX file, in its compact or in the original's shapes. @param {boolean} compact */
  toOnnx(compact) {
    const bytes = opened().toOnnx(compact);
    return Comlink.transfer(bytes, [bytes.buffer]);
  },
};

function opened() {
  if (!network) throw new Error('no network is open');
  return network;
}

/** @typedef {typeof api} WorkerApi */

Comlink.expose(api);
