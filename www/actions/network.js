// Opening and measuring a network.
import { get, set } from '../state.js';
import { download } from './download.js';
import { fetchBytes } from '../files.js';
import { attempt, bridge, notWhileRunning, report, viewer } from './engine.js';
import { look } from './look.js';
import { writeHash } from './recipe.js';

/** The networks that come with the page. */
export const BUNDLED = {
  lenet5: { name: 'LeNet-5', url: new URL('../models/lenet5.onnx', import.meta.url) },
  lenet300: { name: 'LeNet-300-100', url: new URL('../models/lenet300.onnx', import.meta.url) },
};

/** Counts openings, so that a slow one that was overtaken is not shown. */
let openings = 0;

/** @param {keyof typeof BUNDLED} id */
export async function openBundled(id) {
  const { name, url } = BUNDLED[id];
  try {
    await open(name, `${id}.onnx`, await fetchBytes(url.href));
  } catch (error) {
    report(error);
  }
}

/** Opens a file that the user brought. @param {string} name @param {Uint8Array} bytes */
export const openFile = (name, bytes) => attempt(name, () => open(name, name, bytes));

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
    await viewer.put('original', bytes);
    set({
      network: { id: opening, name, file, summary, measured: { kind: 'waiting', done: 0, total: 0, started: 0 } },
      run: null,
      result: null,
      stored: ['original'],
      step: 'model',
      part: null,
      layer: 0,
      explore: { threshold: null, centroids: null, bits: null },
    });
  } finally {
    if (opening === openings) set({ opening: '' });
  }
  writeHash();
  await measure();
}

/** Ends the measuring that is going on. */
let measuring = new AbortController();

/** Ends the measuring; what was measured so far stays. */
export const stopMeasuring = () => measuring.abort();

/** Measures the opened network on the test samples, if there are some that fit. */
export async function measure() {
  const { network, data, recipe } = get();
  if (!network || !recipe || data.test === 0) return;
  measuring.abort();
  const own = (measuring = new AbortController());
  set({ looks: [] });
  const total = data.test;
  const started = performance.now();
  /** @param {import('../types.js').Measured} measured */
  const show = (measured) => {
    const now = get().network;
    if (now && now.summary === network.summary && own === measuring) set({ network: { ...now, measured } });
  };
  show({ kind: 'waiting', done: 0, total, started });
  try {
    const accuracy = await bridge.evaluate(recipe.scaling, (done) => show({ kind: 'waiting', done, total, started }), own.signal);
    show(accuracy ? { kind: 'known', accuracy } : { kind: 'none', reason: 'the measuring was cancelled' });
    await look();
  } catch (error) {
    show({ kind: 'none', reason: error instanceof Error ? error.message : String(error) });
  }
}

/** Hands the opened network, or that of a result, to the user as ONNX, in its compact or in the original's shapes.
 * @param {boolean} compact @param {{ nut: Uint8Array, name: string }} [result] */
export async function downloadOnnx(compact, result) {
  const { network } = get();
  if (!network) return;
  try {
    download(await bridge.toOnnx(compact, result?.nut), (result?.name ?? network.file).replace(/(\.[^.]*)?$/, '.onnx'));
  } catch (error) {
    report(error);
  }
}

