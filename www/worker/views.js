// Looks at networks, in a worker of its own, so that looking goes on while another one compresses.
import * as Comlink from 'comlink';
import { compareAnswers, normaliseDrawing, Samples, View } from '../../pkg/nutshell.js';
import { addPart } from './parts.js';
import { release } from './release.js';
import { stopper } from './stopper.js';

/** @typedef {import('../types.js').Stage} Stage */
/** @typedef {import('../types.js').Scaling} Scaling */
/** @typedef {import('../types.js').Look} Look */

/** A network as a stage left it, or as one change would make it.
 * @typedef {{ stage: Stage, pruned?: number, shared?: number, rounded?: number }} Which */

/** Samples between two reports. */
const BLOCK = 500;

/** How long a network's answer is timed, in milliseconds. */
const TIMING = 30;

/** A model file, checkpoints, and a .nut, until they are looked at. @type {Map<Stage, Uint8Array<ArrayBuffer> | import('../types.js').Checkpoint>} */
const files = new Map();
/** Those of them that were looked at. @type {Map<Stage, View>} */
const openViews = new Map();
/** The last changed network of each kind. @type {Map<string, { key: string, view: View }>} */
const changed = new Map();
/** @type {{ held: Samples, test: Samples }} */
let sets;

/** Begins without samples, once the wasm has started. */
export const begin = () => void (sets = { held: new Samples(), test: new Samples() });

export const views = {
  /** Takes the network of a stage; the original takes the place of all others.
   * @param {Stage} stage
   * @param {Uint8Array<ArrayBuffer> | import('../types.js').Checkpoint} file */
  put(stage, file) {
    if (stage === 'original') views.forget();
    openViews.get(stage)?.free();
    openViews.delete(stage);
    dropChanged();
    files.set(stage, file);
  },

  /** Forgets every stage's network. */
  forget() {
    for (const view of openViews.values()) view.free();
    openViews.clear();
    files.clear();
    dropChanged();
  },

  /** Forgets all samples. */
  clearData() {
    for (const samples of Object.values(sets)) samples.free();
    sets = { held: new Samples(), test: new Samples() };
  },

  /** Numbers the classes as a network does: see the engine. @param {number[]} numbers */
  numberClasses(numbers) {
    for (const samples of Object.values(sets)) samples.numberClasses(Uint32Array.from(numbers));
  },

  /** Adds a part of the test samples, or of the training samples, of which only the last `keep` are kept.
   * @param {import('./parts.js').Part} part
   * @param {number} keep */
  addData(part, keep) {
    const samples = part.set === 'test' ? sets.test : sets.held;
    addPart(samples, part);
    if (part.set === 'train') samples.keepLast(keep);
  },

  /** A layer of each stage in numbers. @param {Stage} stage @param {number} layer */
  moments: (stage, layer) => view({ stage }).moments(layer),

  /** @param {Which} which @param {number} layer @param {[number, number]} range @param {number} bins */
  histogram: (which, layer, [low, high], bins) => [...view(which).histogram(layer, low, high, bins)],

  /** @param {Which} which @param {number} layer @param {[number, number]} most */
  picture: (which, layer, [width, height]) => plain(view(which).picture(layer, width, height)),

  /** @param {Stage} stage @param {number} layer @param {number} threshold @param {number} bins @param {[number, number]} range */
  pruning: (stage, layer, threshold, bins, [low, high]) => view({ stage }).pruning(layer, threshold, bins, low, high),

  /** @param {Stage} stage @param {number} layer */
  sharing: (stage, layer) => view({ stage }).sharing(layer),

  /** @param {Stage} stage @param {number} layer @param {number} k */
  codebook: (stage, layer, k) => view({ stage }).codebook(layer, k),

  /** Which of k values each weight has. @param {Stage} stage @param {number} layer @param {number} k @param {[number, number]} most */
  indices: (stage, layer, k, [width, height]) => plain(view({ stage }).indices(layer, k, width, height)),

  /** The bytes of a stage's symbols in other formats. @param {Stage} stage */
  baselines: (stage) => view({ stage }).baselines(),

  /** The format of each layer. @param {Stage} stage @param {number} bits */
  formats: (stage, bits) => view({ stage }).formats(bits),

  /** @param {[number, number][]} values @param {number} bits */
  grid: (values, bits) => view({ stage: 'original' }).grid(values, bits),

  /** @param {Stage} stage @param {number} layer */
  coded: (stage, layer) => view({ stage }).coded(layer),

  /** @param {Stage} stage @param {number} layer @param {[number, number]} most */
  costPicture(stage, layer, [width, height]) {
    const picture = view({ stage }).costPicture(layer, width, height);
    return picture && plain(picture);
  },

  /** Accuracy on the last `count` training samples; null if there are none, or they have no labels.
   * @param {Which} which
   * @param {number} count
   * @param {Scaling} scaling */
  accuracy(which, count, scaling) {
    const { length, labelled } = sets.held;
    return length === 0 || !labelled ? null : view(which).evaluate(sets.held, Math.max(0, length - count), length, scaling);
  },

  /** As `accuracy`, with integers only and activations of so many bits; null before quantization.
   * @param {Stage} stage
   * @param {number} count
   * @param {Scaling} scaling
   * @param {number} bits */
  integerAccuracy(stage, count, scaling, bits) {
    const { length, labelled } = sets.held;
    if (length === 0 || !labelled) return null;
    return view({ stage }).evaluateIntegers(sets.held, Math.max(0, length - count), length, scaling, bits) ?? null;
  },

  /** Compares the answers of the original and of the file to the test samples; reports how many are done, and may be ended early:
   * then it compares the answers so far.
   * @param {Scaling} scaling
   * @param {MessagePort} reports */
  async compare(scaling, reports) {
    const { test } = sets;
    const total = test.length;
    const networks = [view({ stage: 'original' }), view({ stage: 'code' })];
    const answers = networks.map(() => new Uint32Array(total));
    const stopped = stopper(reports);
    let done = 0;
    while (done < total) {
      const end = Math.min(done + BLOCK, total);
      for (const [index, network] of networks.entries()) answers[index].set(network.answers(test, done, end, scaling), done);
      done = end;
      reports.postMessage(done / total);
      if (await stopped()) break;
      if (test !== sets.test || networks[0] !== openViews.get('original')) throw new Error('another network or other samples were opened');
    }
    reports.close();
    const classes = networks[0].classify(test.image(0) ?? new Uint8Array(), scaling).length;
    return compareAnswers(test, answers[0].subarray(0, done), answers[1].subarray(0, done), classes);
  },

  /** One test image. @param {number} index */
  testImage: (index) => sets.test.image(index) ?? null,

  /** Test images with the answers of the original and of the file: a class, and its share of the softmax where there are several.
   * @param {number[]} indices @param {Scaling} scaling @returns {import('../types.js').Pair[]} */
  pairs(indices, scaling) {
    const networks = [view({ stage: 'original' }), view({ stage: 'code' })];
    return indices.flatMap((index) => {
      const pixels = sets.test.image(index);
      if (!pixels) return [];
      const [before, after] = networks.map((network) => {
        const [answer] = network.answers(sets.test, index, index + 1, scaling);
        const shares = network.classify(pixels, scaling);
        return { answer, share: shares.length > 1 ? shares[answer] : null };
      });
      return [{ pixels, label: sets.test.label(index) ?? null, before, after }];
    });
  },

  /** What networks take a drawing for, and how long each thinks.
   * @param {Uint8Array} drawing
   * @param {[number, number]} size
   * @param {number} side
   * @param {Scaling} scaling
   * @param {Stage[]} stages */
  draw(drawing, [width, height], side, scaling, stages) {
    const image = normaliseDrawing(drawing, width, height, side);
    if (!image) return null;
    const answers = stages.map((stage) => {
      const network = view({ stage });
      const probabilities = [...network.classify(image, scaling)];
      const start = performance.now();
      let runs = 0;
      do {
        network.classify(image, scaling);
        runs++;
      } while (performance.now() - start < TIMING);
      return { stage, probabilities, milliseconds: (performance.now() - start) / runs };
    });
    return { image, answers };
  },
};

/** The network that is meant. @param {Which} which */
function view({ stage, pruned, shared, rounded }) {
  const opened = openViews.get(stage) ?? openView(stage);
  const kind = pruned !== undefined ? 'pruned' : shared !== undefined ? 'shared' : rounded !== undefined ? 'rounded' : '';
  if (!kind) return opened;
  const key = `${stage} ${pruned} ${shared} ${rounded}`;
  const last = changed.get(kind);
  if (last?.key === key) return last.view;
  last?.view.free();
  changed.delete(kind);
  const made =
    pruned !== undefined ? opened.pruned(pruned) : shared !== undefined ? opened.shared(shared) : opened.rounded(rounded ?? 8);
  changed.set(kind, { key, view: made });
  return made;
}

/** @param {Stage} stage */
function openView(stage) {
  const file = files.get(stage);
  if (!file) throw new Error(`there is no network for the stage ${stage}`);
  const opened = file instanceof Uint8Array ? View.open(file) : View.ofCheckpoint(file);
  openViews.set(stage, opened);
  // What is looked at is not asked for again: a stage's next network comes with its own file.
  files.delete(stage);
  release(file instanceof Uint8Array ? file : file.numbers);
  return opened;
}

function dropChanged() {
  for (const { view } of changed.values()) view.free();
  changed.clear();
}

/** A picture as a plain object. @param {import('../../pkg/nutshell.js').Picture} picture */
function plain(picture) {
  const { width, height, reach, pixels } = picture;
  picture.free();
  return Comlink.transfer({ width, height, reach, pixels }, [pixels.buffer]);
}
