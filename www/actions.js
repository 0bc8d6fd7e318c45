// What the page can do: each changes the state, and none draws.
import { Bridge } from './bridge.js';
import { merge, recipeOfAddress } from './address.js';
import * as format from './format.js';
import { advance, get, set } from './state.js';
import * as storage from './storage.js';

/** @typedef {import('./types.js').Recipe} Recipe */
/** @typedef {import('./types.js').Run} Run */

/** The networks that come with the page. */
export const BUNDLED = {
  lenet5: { name: 'LeNet-5', url: new URL('./models/lenet5.onnx', import.meta.url) },
  lenet300: { name: 'LeNet-300-100', url: new URL('./models/lenet300.onnx', import.meta.url) },
};

const bridge = new Bridge();

/** @type {AbortController | null} */
let running = null;

/** Where to go on after a cancel, a crash or a reload.
 * @type {import('./storage.js').Resumable | null} */
let resumable = null;

/** Ends the loading of the example's samples when the user brings others. */
const loading = new AbortController();

/** Counts openings, so that a slow one that was overtaken is not shown. */
let openings = 0;

/** Shows an error in words. @param {unknown} error */
function report(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  set({ problem: error instanceof Error ? error.message : String(error) });
}

/** Takes the shown error away. */
export const dismiss = () => set({ problem: '' });

/** @param {string} file @returns {Promise<Uint8Array>} */
async function fetchBytes(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file.split('/').at(-1)} could not be loaded (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Opens the page with its example: the network, the test images, and then the training images part by part. */
export async function start() {
  try {
    set({ recipe: merge(await bridge.recipe('quick'), recipeOfAddress(location.hash)) });
    const data = loadMnist();
    await openBundled('lenet5');
    await offerResume();
    await data;
  } catch (error) {
    report(error);
  }
}

/** @param {keyof typeof BUNDLED} id */
export async function openBundled(id) {
  const { name, url } = BUNDLED[id];
  try {
    await open(name, `${id}.onnx`, await fetchBytes(url.href));
  } catch (error) {
    report(error);
  }
}

/** Opens files that the user chose or dropped: a network, or samples. @param {File[]} files */
export async function openFiles(files) {
  const contents = await Promise.all(files.map(async (file) => ({ file, bytes: new Uint8Array(await file.arrayBuffer()) })));
  const isSamples = (/** @type {{ file: File, bytes: Uint8Array }} */ { file, bytes }) =>
    (bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8) || /idx|ubyte/.test(file.name);
  const samples = contents.filter(isSamples);
  const network = contents.find((content) => !isSamples(content));
  if (samples.length > 0) await openSamples(samples);
  if (network) await attempt(network.file.name, () => open(network.file.name, network.file.name, network.bytes));
  else if (samples.length > 0) await measure();
}

/** Takes the user's samples in place of those that are there. A file with "test" or "t10k" in its name is of the test
 * samples, one with "label" holds labels.
 * @param {{ file: File, bytes: Uint8Array }[]} files */
async function openSamples(files) {
  await attempt('', () => notWhileRunning());
  if (get().problem) return;
  loading.abort();
  await bridge.clearData();
  set({ data: { name: 'Your samples', test: 0, train: 0, trainTotal: 0, problem: '' } });
  for (const { file, bytes } of files) {
    const which = /test|t10k/i.test(file.name) ? 'test' : 'train';
    await attempt(file.name, async () => {
      const images = await bridge.addData({ set: which, ...(/label/i.test(file.name) ? { labels: bytes } : { images: bytes }) });
      const { data } = get();
      set({ data: which === 'test' ? { ...data, test: images } : { ...data, train: images, trainTotal: images } });
    });
  }
}

/** Does something with a file, and reports in words what goes wrong. @param {string} name @param {() => unknown} work */
async function attempt(name, work) {
  try {
    await work();
  } catch (error) {
    report(error instanceof Error && name ? new Error(`${name}: ${error.message}`) : error);
  }
}

function notWhileRunning() {
  set({ problem: '' });
  if (get().run?.status === 'running') throw new Error('a run is going on: cancel it before you open something else');
}

/** @param {string} name @param {string} file @param {Uint8Array} bytes */
async function open(name, file, bytes) {
  notWhileRunning();
  const opening = ++openings;
  set({ opening: name });
  try {
    const summary = await bridge.open(bytes);
    if (opening !== openings) return;
    const { recipe } = get();
    if (summary.scaling && recipe) set({ recipe: { ...recipe, scaling: summary.scaling } });
    set({ network: { name, file, summary, measured: { kind: 'waiting', done: 0, total: 0 } }, run: null, result: null });
  } finally {
    if (opening === openings) set({ opening: '' });
  }
  await measure();
}

/** Measures the opened network on the test samples, if there are some that fit. */
async function measure() {
  const { network, data, recipe } = get();
  if (!network || !recipe || data.test === 0) return;
  const total = data.test;
  /** @param {import('./types.js').Measured} measured */
  const show = (measured) => {
    const now = get().network;
    if (now && now.summary === network.summary) set({ network: { ...now, measured } });
  };
  show({ kind: 'waiting', done: 0, total });
  try {
    const accuracy = await bridge.evaluate(recipe.scaling, (done) => show({ kind: 'waiting', done, total }));
    show({ kind: 'known', accuracy });
  } catch (error) {
    show({ kind: 'none', reason: error instanceof Error ? error.message : String(error) });
  }
}

/** Test images first: the page is usable before the training images have come. */
async function loadMnist() {
  const part = (/** @type {string} */ name) => fetchBytes(new URL(`data/${name}.bin`, document.baseURI).href);
  try {
    const test = { images: await part('t10k-images-0'), labels: await part('t10k-labels') };
    if (loading.signal.aborted) return;
    const count = await bridge.addData({ set: 'test', ...test });
    set({ data: { ...get().data, test: count } });
    if (get().network) await measure();
    const labels = await part('train-labels');
    if (loading.signal.aborted) return;
    await bridge.addData({ set: 'train', labels });
    for (let index = 0; index < 6; index++) {
      const images = await part(`train-images-${index}`);
      if (loading.signal.aborted) return;
      const train = await bridge.addData({ set: 'train', images });
      set({ data: { ...get().data, train } });
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    set({ data: { ...get().data, problem } });
    report(error);
  }
}

/** Takes another effort, and keeps what the user has set. @param {import('./types.js').Effort} effort */
export async function chooseEffort(effort) {
  try {
    const { recipe } = get();
    const chosen = await bridge.recipe(effort);
    set({ recipe: recipe ? { ...chosen, target: recipe.target, seed: recipe.seed, scaling: recipe.scaling } : chosen });
  } catch (error) {
    report(error);
  }
}

/** Changes the recipe; another scaling also measures the network again. @param {Partial<Recipe>} change */
export function changeRecipe(change) {
  const { recipe } = get();
  if (!recipe) return;
  set({ recipe: { ...recipe, ...change } });
  if (change.scaling) void measure();
}

/** Runs the recipe of the form. */
export async function compress() {
  const { network, recipe } = get();
  if (!network || !recipe) return;
  resumable = null;
  await run({
    status: 'running',
    recipe,
    network: network.name,
    started: performance.now(),
    finished: 0,
    stage: null,
    stages: [],
    probes: [],
    training: null,
    resumable: false,
    message: '',
  });
}

/** Goes on from the last checkpoint. */
export async function resume() {
  const { run: last } = get();
  if (!last || !resumable) return;
  const started = performance.now() - (last.finished - last.started);
  await run({ ...last, status: 'running', started, finished: 0, training: null, message: '' }, resumable.checkpoint);
}

/** Ends the run; it can be resumed from its last finished stage. */
export const cancel = () => running?.abort();

/** @param {Run} first @param {Uint8Array} [checkpoint] */
async function run(first, checkpoint) {
  const network = get().network;
  if (!network || get().run?.status === 'running') return;
  set({ run: first, result: null, problem: '' });
  running = new AbortController();
  try {
    const { nut, report } = await bridge.compress(first.recipe, {
      checkpoint,
      signal: running.signal,
      onEvent: (event) => {
        const { run } = get();
        if (run) set({ run: advance(run, event) });
      },
      onCheckpoint: (bytes) => keep(bytes),
    });
    const seconds = (performance.now() - first.started) / 1000;
    end('done', '');
    set({ result: { nut, report: { ...report, seconds }, name: nutName(network.file) } });
    resumable = null;
    await storage.forget();
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    end(cancelled ? 'cancelled' : 'failed', error instanceof Error ? error.message : String(error));
  } finally {
    running = null;
  }
}

/** @param {'done' | 'cancelled' | 'failed'} status @param {string} message */
function end(status, message) {
  const { run } = get();
  if (run) set({ run: { ...run, status, message, stage: null, training: null, finished: performance.now() } });
}

/** Keeps a checkpoint outside the worker: in memory, and in the browser's storage for a reload.
 * @param {Uint8Array} checkpoint */
function keep(checkpoint) {
  const { run, network } = get();
  if (!run || !network) return;
  resumable = { checkpoint, run: { ...run, resumable: true }, file: network.file, elapsed: performance.now() - run.started };
  set({ run: resumable.run });
  // A browser that keeps nothing still resumes until the page is closed.
  storage.keep(resumable).catch(() => {});
}

/** Shows what was under way when the page was left. */
async function offerResume() {
  const kept = await storage.load().catch(() => null);
  const { network, run } = get();
  if (!kept || !network || run || kept.file !== network.file) return;
  resumable = kept;
  const finished = performance.now();
  set({ run: { ...kept.run, status: 'cancelled', stage: null, training: null, finished, started: finished - kept.elapsed } });
}

/** @param {string} file */
const nutName = (file) => `${file.replace(/\.[^.]*$/, '')}.nut`;

/** Hands a file to the user. @param {Uint8Array} bytes @param {string} name */
export function download(bytes, name) {
  const url = URL.createObjectURL(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  // Not at once: the browser reads it after this returns.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Hands the opened network to the user as ONNX. */
export async function downloadOnnx() {
  const { network } = get();
  if (!network) return;
  try {
    download(await bridge.toOnnx(), network.file.replace(/(\.[^.]*)?$/, '.onnx'));
  } catch (error) {
    report(error);
  }
}

/** Opens the result, as if its file had been dropped. */
export async function openResult() {
  const { result } = get();
  if (!result) return;
  await openFiles([new File([/** @type {Uint8Array<ArrayBuffer>} */ (result.nut)], result.name)]);
}

/** The words of a result, to be read aloud. @param {import('./types.js').Report} report */
export function announce(report) {
  const { test, validation } = report.after;
  return `Done: ${format.bytes(report.file_bytes)}, ${format.ratio(report.ratio)} smaller, ${format.accuracy(test ?? validation)}`;
}
