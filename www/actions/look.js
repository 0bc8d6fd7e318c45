// Looking at a few test samples.
import { get, set } from '../state.js';
import { isImage } from '../format.js';
import { bridge, report } from './engine.js';

/** How many are shown. */
const COUNT = 10;

/** Which test image is shown first; each look takes the next ones. */
let first = 0;

/** Shows some test images with the opened network's answers. */
export async function look() {
  const { network, recipe, run, data } = get();
  const known = network?.measured.kind === 'known' || network?.measured.kind === 'unlabelled';
  if (!recipe || !known || run?.status === 'running') return;
  if (!isImage(data.shape)) return;
  try {
    set({ examples: await bridge.look(first++, COUNT, recipe.scaling) });
  } catch (error) {
    report(error);
  }
}
