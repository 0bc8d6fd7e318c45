// Opening and measuring a network.
import { get, set } from '../state.js';
import { download } from './download.js';
import { fetchBytes } from '../files.js';
import { attempt, bridge, notWhileRunning, reader, report, viewer } from './engine.js';
import { look } from './look.js';
import { writeHash } from './recipe.js';

/** The networks that come with the page. */
export const BUNDLED = {
  lenet5: { name: 'LeNet-5' },
  lenet300: { name: 'LeNet-300-100' },
};

/** Counts openings, so that a slow one that was overtaken is not shown. */
let openings = 0;

/** @param {keyof typeof BUNDLED} id */
export async function openBundled(id) {
  const url = new URL(`models/${id}.bin`, document.baseURI);
  try {
    await open(BUNDLED[id].name, `${id}.onnx`, () => fetchBytes(url.href));
  } catch (error) {
    report(error);
  }
}

/** Opens a file that the user brought. @param {string} name @param {Uint8Array} bytes */
export const openFile = (name, bytes) => attempt(name, () => open(name, name, () => networkOf(bytes)));

/** The network of a file that the user brought. @param {Uint8Array} bytes */
async function networkOf(bytes) {
  const { summary, network } = await reader.open(bytes);
  if (!network) throw new Error(summary.obstacle ?? 'there are weights, and no graph');
  return network;
}

/** @param {string} name @param {string} file @param {() => Promise<Uint8Array>} load */
async function open(name, file, load) {
  notWhileRunning();
  const opening = ++openings;
  set({ opening: name });
  try {
    const bytes = await load();
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
  const nut = result?.nut ?? bridge.network;
  if (!network || !nut) return;
  try {
    const { bytes } = await reader.ask((remote) => remote.export(nut, compact ? 'onnx-compact' : 'onnx'));
    download(bytes, (result?.name ?? network.file).replace(/(\.[^.]*)?$/, '.onnx'));
  } catch (error) {
    report(error);
  }
}
