// Measures and compresses the network that is open. It translates and reports; it decides nothing.
import * as Comlink from 'comlink';
import { checkRecipe, compress, formats, Network, randomSeed, recipe, Samples, settings, stages } from '../../pkg/nutshell.js';
import { addPart } from './parts.js';
import { release } from './release.js';
import { stopper } from './stopper.js';

/** @typedef {import('../types.js').Recipe} Recipe */
/** @typedef {import('../types.js').Accuracy} Accuracy */
/** @typedef {import('../types.js').Checkpoint} Checkpoint */

/** @type {Network | null} */
let network = null;
/** @type {{ train: Samples, test: Samples }} */
let sets;

/** Begins without samples, once the wasm has started. */
export const begin = () => void (sets = { train: new Samples(), test: new Samples() });

/** Samples between two reports of an evaluation. */
const BLOCK = 500;

export const runs = {
  /** Opens a .nut file, or a network from the reader, in place of the one before. @param {Uint8Array<ArrayBuffer>} bytes */
  open(bytes) {
    const opened = Network.open(bytes);
    release(bytes);
    network?.free();
    network = opened;
    return opened.summary();
  },

  /** Forgets all samples. */
  clearData() {
    for (const samples of Object.values(sets)) samples.free();
    sets = { train: new Samples(), test: new Samples() };
  },

  /** Adds a part of a set, and says what the set is like so far. @param {import('./parts.js').Part} part */
  addData(part) {
    const samples = sets[part.set];
    addPart(samples, part);
    return { count: samples.length, shape: [...samples.shape], labelled: samples.labelled };
  },

  /** How the samples are to be read for the opened network: by trying, where neither says it.
   * @param {string[]} classNames @param {Recipe['scaling'] | null} scaling If it is known. */
  readingOf(classNames, scaling) {
    runs.numberClasses([]);
    return opened().readingOf(sets.train, sets.test, classNames, scaling);
  },

  /** Numbers the classes as a network does, at the places of the samples' own numbers; an empty list keeps these. @param {number[]} numbers */
  numberClasses(numbers) {
    for (const samples of Object.values(sets)) samples.numberClasses(Uint32Array.from(numbers));
  },

  /** A seed for those who want another one. */
  randomSeed,

  /** Every number of a recipe, with its range. */
  settings,

  /** The stages in their order. */
  stages,

  /** What can be opened. */
  formats,

  /** Fails with what is wrong with a recipe. */
  checkRecipe,

  /** The recipe of an effort. @param {import('../types.js').Effort} effort */
  recipe: (effort) => recipe(effort),

  /** @param {import('../types.js').Effort} usual @param {number} samples */
  suitedEffort: (usual, samples) => opened().suitedEffort(usual, samples),

  /** Accuracy of the opened network on the test samples; reports after each block, and may be ended early, or by another network or
   * other samples: then it is that on the samples so far, or null.
   * @param {Recipe['scaling']} scaling
   * @param {MessagePort} reports */
  async evaluate(scaling, reports) {
    const [model, samples] = [opened(), sets.test];
    const total = samples.length;
    const stopped = stopper(reports);
    /** @type {[number, number | null, number]} */
    let [done, correct, loss] = [0, 0, 0];
    while (done < total) {
      if ((await stopped()) || model !== network || samples !== sets.test) break;
      const end = Math.min(done + BLOCK, total);
      const block = model.evaluate(samples, done, end, scaling);
      correct = correct === null || block.correct === null ? null : correct + block.correct;
      loss += block.loss * block.samples;
      done = end;
      reports.postMessage(done);
    }
    reports.close();
    return done === 0 ? null : /** @type {Accuracy} */ ({ split: 'test', samples: done, correct, accuracy: correct === null ? 1 - loss / done : correct / done, loss: loss / done });
  },

  /** Some test samples, evenly spread from `first` on, with the opened network's answers.
   * @param {number} first
   * @param {number} count
   * @param {Recipe['scaling']} scaling
   * @returns {import('../types.js').Look[]} */
  look(first, count, scaling) {
    const model = opened();
    const shape = [...sets.test.shape];
    const total = sets.test.length;
    const shown = Math.min(count, total);
    return Array.from({ length: shown }, (_, place) => {
      const index = (first + Math.floor((place * total) / shown)) % total;
      const pixels = sets.test.image(index) ?? new Uint8Array();
      const [answer] = model.answers(sets.test, index, index + 1, scaling);
      return { shape, pixels, label: sets.test.label(index) ?? null, answer };
    });
  },

  /** Runs a recipe. Events and checkpoints go to the port while this call does not return.
   * @param {Recipe} recipe
   * @param {Checkpoint | undefined} checkpoint
   * @param {MessagePort} port */
  compress(recipe, checkpoint, port) {
    const { nut, report } = compress(
      opened(),
      sets.train,
      sets.test,
      recipe,
      checkpoint,
      (/** @type {unknown} */ event) => port.postMessage({ event }),
      (/** @type {Checkpoint} */ checkpoint) => port.postMessage({ checkpoint }, [checkpoint.numbers.buffer]),
    );
    port.close();
    return Comlink.transfer({ nut, report }, [nut.buffer]);
  },
};

function opened() {
  if (!network) throw new Error('no network is open');
  return network;
}
