// The page's address: it is followed, and says what is set, so that a link reproduces it.
import { difference, readAddress, writeAddress } from '../address.js';
import { get, set, whenChanged } from '../state.js';
import { bridge, notWhileRunning, report } from './engine.js';
import { BUNDLED, openBundled } from './network.js';
import { EFFORT, takeSettings } from './recipe.js';

/** The network of an address without one. */
const FIRST = 'lenet5';

/** Takes the recipe of the page's address, follows the address, and keeps it as the page is set.
 * @returns {Promise<keyof typeof BUNDLED>} The network of the address, which the caller opens. */
export async function followAddress() {
  const { net, settings } = readAddress(location.hash);
  set({ settings: await bridge.settings(), stages: await bridge.stages() });
  await takeSettings(settings);
  addEventListener('hashchange', () => void follow());
  whenChanged(address, write);
  return isBundled(net) ? net : FIRST;
}

/** @param {string | null} net @returns {net is keyof typeof BUNDLED} */
const isBundled = (net) => net !== null && net in BUNDLED;

/** Follows the address when it is changed by hand. */
async function follow() {
  if (location.hash === address()) return;
  try {
    notWhileRunning();
    const { net, settings } = readAddress(location.hash);
    await takeSettings(settings);
    if (isBundled(net) && get().network?.file !== `${net}.onnx`) await openBundled(net);
  } catch (error) {
    report(error);
  }
}

/** The address of what is set; before anything is open, that which the page was opened with. */
function address() {
  const { recipe, preset, network, weights } = get();
  if (!recipe || !preset || !(network ?? weights)) return location.hash;
  const net = Object.keys(BUNDLED).find((id) => network?.file === `${id}.onnx` && id !== FIRST) ?? null;
  const settings = difference(preset, recipe);
  return writeAddress(net, recipe.effort === EFFORT ? settings : { effort: recipe.effort, ...settings });
}

function write() {
  if (address() !== location.hash) history.replaceState(null, '', address() || location.pathname + location.search);
}
