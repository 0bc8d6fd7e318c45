// Opening a network.
import { get, set } from '../state.js';
import { fetchBytes } from '../files.js';
import { attempt, bridge, notWhileRunning, reader, report, viewer } from './engine.js';
import { exportFile } from './export.js';
import { keepFiles } from './keep-files.js';
import { suitRecipe } from './recipe.js';
import { suitSamples } from './samples.js';

/** The networks that come with the page. */
export const BUNDLED = {
  lenet5: { name: 'LeNet-5' },
  lenet300: { name: 'LeNet-300-100' },
};

/** Counts openings, so that a slow one that was overtaken is not shown. */
let openings = 0;

/** @param {keyof typeof BUNDLED} id */
export async function openBundled(id) {
  const url = new URL(`models/${id}.onnx`, document.baseURI);
  try {
    await open(BUNDLED[id].name, `${id}.onnx`, async () => ({ network: await fetchBytes(url.href) }), null);
  } catch (error) {
    report(error);
  }
}

/** Opens a file that the user brought. @param {string} name @param {Uint8Array} bytes @param {import('../reader.js').Companion[]} [others] */
export const openFile = (name, bytes, others) =>
  attempt(name, () => open(name, name, (hear, signal) => reader.open(bytes, { others, hear, signal }), [{ name, bytes }, ...(others ?? [])]));

/** @type {AbortController | null} */
let decoding = null;

/** Ends the opening of a file; what was open stays. */
export const cancelOpening = () => decoding?.abort();

/** A file as it is opened: its network if it can be run, its tensors if the reader knows them.
 * @typedef {{ network?: Uint8Array, bytes?: Uint8Array, summary?: import('../types.js').Summary }} Opened */

/** @param {string} name @param {string} file @param {(hear: (done: number) => void, signal: AbortSignal) => Promise<Opened>} load
 * @param {import('../storage.js').Named[] | null} files Of which, if they are the user's. */
async function open(name, file, load, files) {
  notWhileRunning();
  cancelOpening();
  const opening = ++openings;
  decoding = new AbortController();
  const started = performance.now();
  // The file may be decoded once more, by a new worker, when this is long over.
  const hear = (/** @type {number} */ done) => opening === openings && get().openingFile && set({ openingFile: { name, done, started } });
  set({ openingFile: { name, done: null, started } });
  try {
    const opened = await load(hear, decoding.signal);
    if (opening === openings) set({ openingFile: { name, done: null, started } });
    const { summary, obstacle } = await run(opened);
    if (opening !== openings) return;
    const graph = summary?.graph;
    const { network: last, weights: lastWeights } = get();
    if (graph && opened.network) await viewer.put('original', opened.network);
    set({
      network: graph ? { id: opening, name, file, summary, graph, measured: { kind: 'waiting', done: 0, total: 0, started: 0 } } : null,
      weights: opened.bytes && opened.summary ? { id: opening, name, file, bytes: opened.bytes, summary: opened.summary, obstacle } : null,
      evidence: graph ? 'samples' : 'weights',
      examples: [],
      run: null,
      result: null,
      tensor: 0,
      viewerStages: ['original'],
      step: 'model',
      chosenStage: null,
      layer: graph ? largest(graph.layers) : 0,
      viewControls: { threshold: null, centroids: null, bits: null },
      ownNetwork: files !== null,
      files: { ...get().files, network: files && keepFiles('network', files) },
    });
    if (!graph) return;
    await suitSamples();
    await suitRecipe(last || lastWeights ? 'network' : 'nothing');
  } finally {
    if (opening === openings) set({ openingFile: null });
  }
}

/** The layer that has most weights, counted from 0. @param {import('../types.js').LayerState[]} layers */
export const largest = (layers) => layers.reduce((best, { parameters }, index) => (parameters > layers[best].parameters ? index : best), 0);

/** Gives an opened file's network to the engine: what the engine says of it, or why it cannot be run.
 * @param {Opened} opened */
async function run({ network, summary }) {
  const obstacle = summary?.obstacle ?? 'the file has weights, but no graph that says how to use them';
  if (!network) return { summary: null, obstacle };
  try {
    return { summary: await bridge.open(network), obstacle: '' };
  } catch (error) {
    // A file of the user's can still be looked at, tensor by tensor.
    if (!summary) throw error;
    return { summary: null, obstacle: error instanceof Error ? error.message : String(error) };
  }
}

/** Hands the opened network, or that of a result, to the user as ONNX, in its compact or in the original's shapes.
 * @param {boolean} compact @param {{ nut: Uint8Array, name: string }} [result] */
export async function downloadOnnx(compact, result) {
  const { network } = get();
  const nut = result?.nut ?? bridge.network;
  if (!network || !nut) return;
  await exportFile(nut, compact ? 'onnx-compact' : 'onnx', result?.name ?? network.file);
}
