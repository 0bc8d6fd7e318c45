// Loading samples: the example's, or the user's own.
import { get, MNIST, set, until } from '../state.js';
import { fetchBytes } from '../files.js';
import { chooseSamples, readPictures, readSampleFiles } from '../sample-reader.js';
import { attempt, bridge, notWhileRunning, report, viewer } from './engine.js';
import { keepFiles } from './keep-files.js';
import { suitRecipe } from './recipe.js';

/** Ends the loading of the example's samples when others take their place. */
let loading = new AbortController();

/** Counts sets of samples. */
let sets = 0;

/** Training samples that the viewer keeps to measure on: the last ones, which no training of ours sees. */
const HELD = 1000;

/** Share of the samples that is held out for testing, where a file has no such part. */
const TEST_SHARE = 0.2;

/** Adds samples to the engine, and to the viewer what it needs. @param {import('../engine.js').Part} part @param {boolean} last
 * @param {AbortSignal} [signal] Once it is given, the samples are no longer wanted. */
async function add(part, last, signal) {
  const { count, shape, labelled } = await bridge.addData(part);
  if (signal?.aborted) return count;
  if (part.set === 'test' || last) await viewer.addData(part, HELD);
  const { data } = get();
  set({ data: { ...data, shape, labelled: { ...data.labelled, [part.set]: labelled } } });
  if (part.set === 'train' && last) set({ heldOutCount: labelled ? Math.min(HELD, count) : 0 });
  return count;
}

/** Takes the example's samples in place of those that are there. */
export const openMnist = () =>
  attempt(MNIST.name, async () => {
    notWhileRunning();
    cancelReading();
    await begin(MNIST, null);
    await suitRecipe('samples');
    await loadMnist();
  });

/** Test images first: the page is usable before the training images have come. */
export async function loadMnist() {
  const { signal } = (loading = new AbortController());
  const part = (/** @type {string} */ name) => fetchBytes(new URL(`data/${name}.bin`, document.baseURI).href);
  try {
    const test = { images: await part('t10k-images-0'), labels: await part('t10k-labels') };
    if (signal.aborted) return;
    const count = await add({ set: 'test', ...test }, false, signal);
    if (signal.aborted) return;
    set({ data: { ...get().data, id: sets++, test: count } });
    // What is shown first is not slowed down by what is needed later.
    await until(({ network }) => network?.measured.kind !== 'waiting');
    const labels = await part('train-labels');
    if (signal.aborted) return;
    await add({ set: 'train', labels }, true, signal);
    for (let index = 0; index < 6; index++) {
      const images = await part(`train-images-${index}`);
      if (signal.aborted) return;
      const train = await add({ set: 'train', images }, index === 5, signal);
      if (signal.aborted) return;
      set({ data: { ...get().data, train } });
    }
  } catch (error) {
    if (signal.aborted) return;
    const problem = error instanceof Error ? error.message : String(error);
    set({ data: { ...get().data, problem } });
    report(error);
  }
}

/** Takes the user's samples in place of those that are there. A file with "test" or "t10k" in its name is of the test
 * samples, one with "label" holds labels.
 * @param {{ file: File, bytes: Uint8Array<ArrayBuffer> }[]} files */
export async function openSamples(files) {
  await attempt('', () => notWhileRunning());
  if (get().problem) return;
  await begin(unread('Your samples', null), files.map(({ file, bytes }) => ({ name: file.name, bytes })));
  for (const { file, bytes } of files) {
    const which = /test|t10k/i.test(file.name) ? 'test' : 'train';
    await attempt(file.name, () => take({ set: which, ...(/label/i.test(file.name) ? { labels: bytes } : { images: bytes }) }));
  }
  await complete();
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
    return await ask({ share: TEST_SHARE, seed: 0 }, show, own.signal);
  } finally {
    if (own === reading) set({ readingSamples: null });
  }
}

/** Takes samples in place of those that are there. @param {string} name @param {Opened} opened @param {Named[]} files Of which they were read, to
 * be kept; none for what is too much. */
export async function takeSamples(name, { summary, parts }, files) {
  await begin(unread(name, summary), files);
  try {
    for (const part of parts) await take(part);
  } finally {
    await complete();
  }
}

/** Has the user's samples read as the opened network wants them: their scaling, and its numbers of their classes. Where there is no such network, or
 * they do not fit it, as suits them. */
export async function suitSamples() {
  const { network, data, ownNetwork } = get();
  // The example's network and samples are known to fit.
  if (data.bundled && !ownNetwork) return;
  const { class_names: names, scaling } = data.summary ?? { class_names: [], scaling: /** @type {const} */ ('unit') };
  // What networks of this kind expect holds where no labels tell.
  const labelled = data.labelled.train || data.labelled.test;
  const known = network?.graph.scaling ?? (labelled ? null : network?.summary.usual_scaling) ?? null;
  const reading = network && (await bridge.readingOf(names, known).catch(() => null));
  const numbers = reading?.numbers ?? [];
  await bridge.numberClasses(numbers);
  await viewer.numberClasses(numbers);
  const told = reading?.readings.some(({ accuracy }) => accuracy !== null) || known || reading?.scaling === 'raw';
  set({ data: { ...get().data, reading, scaling: told && reading ? reading.scaling : scaling } });
}

/** Samples of the user's, of which none has come. @param {string} name @param {import('../types.js').SamplesSummary | null} summary
 * @returns {import('../types.js').Data} */
const unread = (name, summary) => ({ ...MNIST, name, bundled: false, trainTotal: 0, labelled: { train: false, test: false }, summary });

/** Forgets the samples that are there. @param {import('../types.js').Data} data Those that come. @param {Named[] | null} files Of which, if they
 * are the user's. */
async function begin(data, files) {
  loading.abort();
  await bridge.clearData();
  await viewer.clearData();
  const { network } = get();
  // Nothing is known of it on other samples.
  const unmeasured = network && { ...network, measured: /** @type {const} */ ({ kind: 'waiting', done: 0, total: 0, started: 0 }) };
  set({ network: unmeasured, heldOutCount: 0, examples: [], data, files: { ...get().files, samples: files && keepFiles('samples', files) } });
}

/** Takes a part of the user's samples. @param {import('../engine.js').Part} part */
async function take(part) {
  const count = await add(part, true);
  const { data } = get();
  set({ data: part.set === 'test' ? { ...data, test: count } : { ...data, train: count, trainTotal: count } });
}

/** All have come. They can be measured and compressed on once the recipe suits them. */
async function complete() {
  await suitSamples();
  await suitRecipe('samples');
  set({ data: { ...get().data, id: sets++ } });
}
