// Opening the page, and files.
import { takePictures } from '../folders.js';
import { get, set } from '../state.js';
import { attempt, notWhileRunning, report } from './engine.js';
import { keptFiles } from './keep-files.js';
import { followAddress, keepAddress, lookAt } from './link.js';
import { keepMeasured } from './measure.js';
import { openBundled, openFile } from './network.js';
import { openRecipe, takeSettings } from './recipe.js';
import { offerResume } from './run.js';
import { loadRuns, showRun } from './runs.js';
import { watchTabs } from './tabs.js';
import { keepTold } from './tell.js';
import { choose, loadMnist, nameOf, openSamples, readAllPictures, readFiles, takeSamples } from './samples.js';

/** Opens the page with its example: the network, the test images, and then the training images part by part. */
export async function start() {
  try {
    const { net, asked, look, left } = await followAddress();
    keepMeasured();
    keepTold();
    const runs = loadRuns();
    const files = left ? await keptFiles([left.files.samples, left.files.network]) : [];
    const data = left?.files.samples && files.length > 0 ? null : loadMnist();
    if (files.length > 0) {
      await openFiles(files);
      // They are set for what was open.
      await takeSettings(asked);
      set({ notice: null });
    }
    if (!get().network && !get().weights) await openBundled(net);
    lookAt(look);
    await watchTabs();
    await offerResume();
    await runs;
    if (left?.run && get().keptRuns.some(({ id }) => id === left.run)) {
      await showRun(left.run);
      lookAt(look);
    }
    if (left && left.lesson !== null) set({ lesson: left.lesson });
    keepAddress();
    await data;
  } catch (error) {
    report(error);
  }
}

/** A file that was read. @typedef {{ name: string, bytes: Uint8Array<ArrayBuffer>, file: File }} Content */
/** @typedef {import('../folders.js').Found} Found */

/** The most files that are opened together, but for pictures. */
const MOST_FILES = 200;

/** Opens files that the user chose or dropped: a network, samples, or a recipe. @param {Found[] | Promise<Found[]>} found */
export const openFiles = (found) => attempt('', async () => openAll(await takePictures(await found)));

/** @param {Awaited<ReturnType<typeof takePictures>>} found */
async function openAll({ pictures, others: files }) {
  set({ ambiguousFile: null });
  if (files.length > MOST_FILES) throw new Error(`expected at most ${MOST_FILES} files that are not pictures, got ${files.length}`);
  const contents = await Promise.all(
    files.map(async ({ file }) => ({ name: file.name, file, bytes: new Uint8Array(await file.arrayBuffer()) })),
  );
  const isIdx = (/** @type {Content} */ { name, bytes }) => (bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8) || /idx|ubyte/.test(name);
  const isWhole = (/** @type {Content} */ { name }) => name.endsWith('.onnx') || name.endsWith('.index.json');
  const isRecipe = (/** @type {Content} */ content) => content.name.endsWith('.json') && !isWhole(content);
  const idx = contents.filter(isIdx);
  const recipe = contents.find(isRecipe);
  const rest = contents.filter((content) => !isIdx(content) && !isRecipe(content));
  const choices = await choose(rest.map(({ name, bytes }) => ({ name, bytes })));
  const chosen = (/** @type {typeof choices} */ ...wanted) => rest.filter((_, index) => wanted.includes(choices[index]));
  const tables = chosen('samples');
  // An array by itself may be anything; beside other files, only if its name says so.
  const doubtful = contents.length === 1 ? chosen('likely', 'perhaps') : chosen('likely');
  const models = rest.filter((content) => !tables.includes(content) && !doubtful.includes(content));
  // Files beside an ONNX file, or an index of shards, are those that it has its numbers in.
  const network = models.find(isWhole) ?? models[0];
  const others = models.filter((model) => model !== network);
  if (idx.length > 0) await openSamples(idx);
  /** @type {Content[]} */
  let left = [];
  const names = nameOf(tables.map(({ name }) => name));
  if (pictures.length > 0) {
    left = tables;
    await takeRead(nameOf([...new Set(pictures.map(({ path }) => path.split('/')[0]))]), () => readAllPictures(pictures), []);
  } else if (tables.length > 0) {
    const named = tables.map(({ name, bytes }) => ({ name, bytes }));
    await takeRead(names, () => readFiles(named), named);
  }
  const whole = network && isWhole(network) ? others : [];
  if (network) {
    await openFile(network.name, network.bytes, whole);
    await offerResume();
  }
  // It is for what was dropped with it.
  if (recipe)
    await attempt(recipe.name, () => {
      notWhileRunning();
      return openRecipe(recipe.name, recipe.bytes);
    });
  for (const content of doubtful) await ask(content, choices[rest.indexOf(content)] === 'likely');
  left = [...left, ...others.filter((other) => !whole.includes(other))];
  if (left.length > 0)
    report(new Error(`not opened, because only one network and one set of samples can be open at a time: ${left.map(({ name }) => name).join(', ')}`));
}

/** Reads samples, and takes them in place of those that are there. @param {string} name @param {() => Promise<import('./samples.js').Opened>} read
 * @param {import('./samples.js').Named[]} files Of which, to be kept. */
const takeRead = (name, read, files) =>
  attempt(name, async () => {
    notWhileRunning();
    await takeSamples(name, await read(), files);
  });

/** Asks the user what an array is, where it may be samples: where no network is open, where they would fit it, and where its name says so.
 * @param {Content} content @param {boolean} likely */
async function ask({ name, bytes }, likely) {
  const opened = await readFiles([{ name, bytes }]).catch((error) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    return null;
  });
  const part = opened && (opened.summary.training ?? opened.summary.test);
  if (!opened || !part || (get().network && !fits(part.shape) && !likely)) return openFile(name, bytes);
  set({ ambiguousFile: { name, bytes, opened, shape: part.shape } });
}

/** Whether samples of this shape can be given to the network that is open. @param {number[]} shape */
export const fits = (shape) => String(get().network?.graph.input_shape) === String(shape);

/** Opens the array that was asked about. @param {'samples' | 'weights'} answer */
export async function answer(answer) {
  const { ambiguousFile } = get();
  if (!ambiguousFile) return;
  const { name, bytes, opened } = ambiguousFile;
  set({ ambiguousFile: null });
  if (answer === 'weights') return openFile(name, bytes);
  await takeRead(name, async () => opened, [{ name, bytes }]);
}

/** Opens what came of a run, as if its file had been dropped. @param {{ nut: Uint8Array, name: string }} result */
export const openResult = ({ nut, name }) => openFiles([{ path: name, file: new File([/** @type {Uint8Array<ArrayBuffer>} */ (nut)], name) }]);
