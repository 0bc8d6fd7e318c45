// Loading samples: the example's, or the user's own.
import { get, set } from '../state.js';
import { fetchBytes } from '../files.js';
import { attempt, bridge, notWhileRunning, report, viewer } from './engine.js';
import { measure } from './network.js';

/** Ends the loading of the example's samples when the user brings others. */
const loading = new AbortController();

/** Training samples that the viewer keeps to measure on: the last ones, which no training of ours sees. */
const HELD = 1000;

/** Adds samples to the engine, and to the viewer what it needs. @param {import('../engine.js').Part} part @param {boolean} last */
async function add(part, last) {
  const images = await bridge.addData(part);
  if (part.set === 'test' || last) await viewer.addData(part, HELD);
  if (part.set === 'train' && last) set({ held: Math.min(HELD, images) });
  return images;
}

/** Test images first: the page is usable before the training images have come. */
export async function loadMnist() {
  const part = (/** @type {string} */ name) => fetchBytes(new URL(`data/${name}.bin`, document.baseURI).href);
  try {
    const test = { images: await part('t10k-images-0'), labels: await part('t10k-labels') };
    if (loading.signal.aborted) return;
    const count = await add({ set: 'test', ...test }, false);
    set({ data: { ...get().data, test: count } });
    if (get().network) await measure();
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
  loading.abort();
  await bridge.clearData();
  await viewer.clearData();
  set({ held: 0, data: { name: 'Your samples', test: 0, train: 0, trainTotal: 0, problem: '' } });
  for (const { file, bytes } of files) {
    const which = /test|t10k/i.test(file.name) ? 'test' : 'train';
    await attempt(file.name, async () => {
      const part = { set: which, ...(/label/i.test(file.name) ? { labels: bytes } : { images: bytes }) };
      const images = await add(/** @type {import('../engine.js').Part} */ (part), true);
      const { data } = get();
      set({ data: which === 'test' ? { ...data, test: images } : { ...data, train: images, trainTotal: images } });
    });
  }
  holdOut();
}

/** Holds out a fifth to validate where the recipe's number would leave little to train on. */
function holdOut() {
  const { recipe, data } = get();
  if (!recipe || data.train === 0 || 2 * recipe.split.validation <= data.train) return;
  set({ recipe: { ...recipe, split: { ...recipe.split, validation: Math.floor(data.train / 5) } } });
}
