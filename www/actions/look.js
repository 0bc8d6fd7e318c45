// Looking at a few test images.
import { get, set } from '../state.js';
import { bridge, report } from './engine.js';

/** How many are shown. */
const COUNT = 10;

/** Which test image is shown first; each look takes the next ones. */
let first = 0;

/** Shows some test images with the opened network's answers. */
export async function look() {
  const { network, recipe, run } = get();
  if (!recipe || network?.measured.kind !== 'known' || run?.status === 'running') return;
  // Images have channels, height and width; a vector cannot be drawn.
  if (network.summary.input_shape.length !== 3) return;
  try {
    set({ looks: await bridge.look(first++, COUNT, recipe.scaling) });
  } catch (error) {
    report(error);
  }
}
