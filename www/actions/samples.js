// Loading samples: the example's, or the user's own.
import { get, set, until } from '../state.js';
import { fetchBytes } from '../files.js';
import { chooseSamples, readPictures, readSampleFiles } from '../sample-reader.js';
import { attempt, bridge, notWhileRunning, report, viewer } from './engine.js';

/** Ends the loading of the example's samples when the user brings others. */
const loading = new AbortController();

/** Counts sets of samples. */
let sets = 0;

/** Training samples that the viewer keeps to measure on: the last ones, which no training of ours sees. */
const HELD = 1000;

/** Share of the samples that is held out for testing, where a file has no such part. */
const TEST_SHARE = 0.2;

/** Adds samples to the engine, and to the viewer what it needs. @param {import('../engine.js').Part} part @param {boolean} last */
async function add(part, last) {
  const { count, shape, labelled } = await bridge.addData(part);
  if (part.set === 'test' || last) await viewer.addData(part, HELD);
  const { data } = get();
  set({ data: { ...data, shape, labelled: { ...data.labelled, [part.set]: labelled } } });
  if (part.set === 'train' && last) set({ heldOutCount: labelled ? Math.min(HELD, count) : 0 });
  return count;
}

/** Test images first: the page is usable before the training images have come. */
export async function loadMnist() {
  const part = (/** @type {string} */ name) => fetchBytes(new URL(`data/${name}.bin`, document.baseURI).href);
  try {
    const test = { images: await part('t10k-images-0'), labels: await part('t10k-labels') };
    if (loading.signal.aborted) return;
    const count = await add({ set: 'test', ...test }, false);
    set({ data: { ...get().data, id: sets++, test: count } });
    // What is shown first is not slowed down by what is needed later.
    await until(({ network }) => network?.measured.kind !== 'waiting');
    const labels = await part('train-labels');
    if (loading.signal.aborted) return;
    await add({ set: 'train', labels }, true);
    for (let index = 0; index < 6; index++) {
      const images = await part(`train-images-${index}`);
      if (loading.signal.aborted) return;
      const train = await add({ set: 'train', images }, index === 5);
      set({ data: { ...get().data, train } });
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    set({ data: { ...get().data, problem } });
    report(error);
  }
}

/** Takes the user's samples in place of those that are there. A file with "test" or "t10k" in its name is of the test
 * samples, one with "label" holds labels.
 * @param {{ file: File, bytes: Uint8Array }[]} files */
export async function openSamples(files) {
  await attempt('', () => notWhileRunning());
  if (get().problem) return;
  // What the samples before were scaled by is not theirs.
  const { recipe, data } = get();
  if (recipe && data.summary) set({ recipe: { ...recipe, scaling: 'unit' } });
  await begin('Your samples', null);
  for (const { file, bytes } of files) {
    const which = /test|t10k/i.test(file.name) ? 'test' : 'train';
    await attempt(file.name, () => take({ set: which, ...(/label/i.test(file.name) ? { labels: bytes } : { images: bytes }) }));
  }
  complete();
}

/** Samples as the reader has opened them. @typedef {Awaited<ReturnType<typeof readSampleFiles>>} Opened */
/** @typedef {import('../sample-reader.js').Named} Named */

/** Which of several files are samples. Those that cannot be, by their first bytes, are not sent to who knows.
 * @param {Named[]} files @returns {Promise<import('../../pkg/nutshell.js').SampleChoice[]>} */
export async function choose(files) {
  const may = files.map(({ bytes }) => mayBeSamples(bytes));
  if (!may.includes(true)) return files.map(() => 'no');
  const choices = await chooseSamples(files.filter((_, index) => may[index]));
  return may.map((may) => (may ? /** @type {typeof choices[number]} */ (choices.shift()) : 'no'));
}

/** Text, an archive, an array, or something that is compressed. @param {Uint8Array} bytes */
function mayBeSamples(bytes) {
  const begins = (/** @type {number[]} */ ...first) => first.every((byte, place) => bytes[place] === byte);
  const isText = bytes.subarray(0, 256).every((byte) => byte >= 32 || byte === 9 || byte === 10 || byte === 13);
  return isText || begins(0x50, 0x4b) || begins(0x1f, 0x8b) || begins(0x93, 0x4e);
}

/** Reads the samples of files that belong together. @param {Named[]} files */
export const readFiles = (files) =>
  read(nameOf(files.map(({ name }) => name)), (...more) => readSampleFiles(files, ...more));

/** Reads the samples of pictures. @param {import('../folders.js').Found[]} pictures */
export const readAllPictures = (pictures) => {
  const folders = [...new Set(pictures.map(({ path }) => path.split('/')[0]))];
  return read(nameOf(folders), (...more) => readPictures(pictures, ...more));
};

/** What several files are called. @param {string[]} names */
export const nameOf = ([first, second, ...others]) =>
  second === undefined ? first : others.length === 0 ? `${first} and ${second}` : `${first} and ${others.length + 1} others`;

/** @type {AbortController | null} */
let reading = null;

/** Ends the reading of samples; those that were there stay. */
export const cancelReading = () => reading?.abort();

/** Reads samples, and shows how far that is.
 * @param {string} name
 * @param {(holdOut: import('../sample-reader.js').HoldOut, hear: (progress: import('../sample-reader.js').Progress) => void, signal: AbortSignal) => Promise<Opened>} ask */
async function read(name, ask) {
  cancelReading();
  const own = (reading = new AbortController());
  const started = performance.now();
  const show = (/** @type {import('../sample-reader.js').Progress} */ progress) => own === reading && set({ readingSamples: { name, started, ...progress } });
  show({ done: 0, total: 0 });
  try {
    return await ask({ share: TEST_SHARE, seed: get().recipe?.split.seed ?? 0 }, show, own.signal);
  } finally {
    if (own === reading) set({ readingSamples: null });
  }
}

/** Takes samples in place of those that are there. @param {string} name @param {Opened} opened */
export async function takeSamples(name, { summary, parts }) {
  await begin(name, summary);
  try {
    for (const part of parts) await take(part);
  } finally {
    complete();
  }
  const { recipe } = get();
  // A file's order may be that of its classes: the validation samples are drawn.
  if (recipe) {
    const scaling = await scalingOf(summary);
    set({ recipe: { ...recipe, scaling, split: { ...recipe.split, seed: recipe.split.seed || 1 } } });
  }
}

/** The most test samples that scalings are compared on. */
const COMPARED = 5000;

/** The scaling of samples: that of a .nut file; else the one by which the opened network answers better, as they are or as suits them.
 * @param {import('../types.js').SamplesSummary} summary */
async function scalingOf({ scaling }) {
  const { network, data } = get();
  if (network?.graph.scaling) return network.graph.scaling;
  const fits = String(network?.graph.input_shape) === String(data.shape);
  if (!network || !fits || !data.labelled.test || data.test > COMPARED || scaling === 'unit') return scaling;
  const accuracyWith = async (/** @type {import('../types.js').Scaling} */ own) =>
    (await bridge.evaluate(own, () => {}, new AbortController().signal))?.accuracy ?? -Infinity;
  return (await accuracyWith('unit')) > (await accuracyWith(scaling)) ? 'unit' : scaling;
}

/** Forgets the samples that are there. @param {string} name Of those that come. @param {import('../types.js').SamplesSummary | null} summary */
async function begin(name, summary) {
  loading.abort();
  await bridge.clearData();
  await viewer.clearData();
  set({ heldOutCount: 0, data: { id: null, name, test: 0, train: 0, trainTotal: 0, shape: [], labelled: { train: false, test: false }, summary, problem: '' } });
}

/** Takes a part of the user's samples. @param {import('../engine.js').Part} part */
async function take(part) {
  const count = await add(part, true);
  const { data } = get();
  set({ data: part.set === 'test' ? { ...data, test: count } : { ...data, train: count, trainTotal: count } });
}

/** All have come: holds out a fifth to validate where the recipe's number would leave little to train on. */
function complete() {
  const { recipe, data } = get();
  set({ data: { ...data, id: sets++ } });
  if (!recipe || data.train === 0 || 2 * recipe.split.validation <= data.train) return;
  set({ recipe: { ...recipe, split: { ...recipe.split, validation: Math.floor(data.train / 5) } } });
}
