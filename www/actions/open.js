// Opening the page, and files.
import { attempt, notWhileRunning, report } from './engine.js';
import { measure, openBundled, openFile } from './network.js';
import { openRecipe, startRecipe } from './recipe.js';
import { offerResume } from './run.js';
import { loadRuns } from './runs.js';
import { loadMnist, openSamples, readSamples, takeSamples } from './samples.js';

/** Opens the page with its example: the network, the test images, and then the training images part by part. */
export async function start() {
  try {
    const bundled = await startRecipe();
    void loadRuns();
    const data = loadMnist();
    await openBundled(bundled);
    await offerResume();
    await data;
  } catch (error) {
    report(error);
  }
}

/** Opens files that the user chose or dropped: a network, samples, or a recipe. @param {File[]} files */
export async function openFiles(files) {
  const contents = await Promise.all(files.map(async (file) => ({ file, bytes: new Uint8Array(await file.arrayBuffer()) })));
  const isSamples = (/** @type {{ file: File, bytes: Uint8Array }} */ { file, bytes }) =>
    (bytes[0] === 0 && bytes[1] === 0 && bytes[2] === 8) || /idx|ubyte/.test(file.name);
  const isRecipe = (/** @type {{ file: File }} */ { file }) => file.name.endsWith('.json');
  const samples = contents.filter(isSamples);
  const recipe = contents.find(isRecipe);
  /** @type {typeof contents} */
  const models = [];
  /** @type {{ name: string, opened: import('./samples.js').Opened }[]} */
  const tables = [];
  for (const content of contents.filter((content) => !isSamples(content) && !isRecipe(content)))
    await attempt(content.file.name, async () => {
      const opened = await readSamples(content.bytes);
      if (opened) tables.push({ name: content.file.name, opened });
      else models.push(content);
    });
  // Files beside an ONNX file are those that it has its numbers in.
  const network = models.find(({ file }) => file.name.endsWith('.onnx')) ?? models[0];
  const others = models.filter((model) => model !== network).map(({ file, bytes }) => ({ name: file.name, bytes }));
  if (recipe)
    await attempt(recipe.file.name, () => {
      notWhileRunning();
      return openRecipe(recipe.file.name, recipe.bytes);
    });
  if (samples.length > 0) await openSamples(samples);
  const table = tables.at(-1);
  if (table) await takeSamples(table.name, table.opened);
  const whole = network?.file.name.endsWith('.onnx') ? others : [];
  if (network) await openFile(network.file.name, network.bytes, whole);
  else if (samples.length + tables.length > 0) await measure();
  const left = [...tables.slice(0, -1), ...others.filter((other) => !whole.includes(other))].map(({ name }) => name);
  if (left.length > 0) report(new Error(`not opened, since one network and one file of samples are open at a time: ${left.join(', ')}`));
}

/** Opens what came of a run, as if its file had been dropped. @param {{ nut: Uint8Array, name: string }} result */
export const openResult = ({ nut, name }) => openFiles([new File([/** @type {Uint8Array<ArrayBuffer>} */ (nut)], name)]);

