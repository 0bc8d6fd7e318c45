// The page's address: it is followed, and says what is set and looked at, so that a link reproduces it. What only this browser knows (the shown run,
// the user's files, the lesson of the walk) is in the history's state: it outlives a reload.
import { describe, difference, readAddress, readLook, writeAddress } from '../address.js';
import { busy, get, set, whenChanged } from '../state.js';
import { STEPS } from '../steps.js';
import { bridge, notWhileRunning, report } from './engine.js';
import { BUNDLED, largest, openBundled } from './network.js';
import { EFFORT, resetRecipe, takeSettings } from './recipe.js';

/** The network of an address without one. */
export const FIRST = 'lenet5';

/** How long a slider rests before the address says where it is, in milliseconds: browsers take only so many changes a second. */
const REST = 300;

/** What the page was at when it was left. @typedef {{ run: string | null, lesson: number | null, files: import('../types.js').State['files'] }} Left */

/** Takes the recipe of the page's address, follows the address, and keeps it as the page is set.
 * @returns {Promise<{ net: keyof typeof BUNDLED, asked: Record<string, any>, look: import('../address.js').Look, left: Left | null }>} What the caller opens, and looks at. */
export async function followAddress() {
  const [settings, stages, formats] = await Promise.all([bridge.settings(), bridge.stages(), bridge.formats()]);
  set({ settings, stages, formats });
  const look = readLook(location.hash);
  /** @type {string | null} */
  let net = null;
  /** @type {Record<string, any>} */
  let asked = {};
  try {
    ({ net, settings: asked } = readAddress(location.hash));
    await takeSettings(asked);
    // After a reload the user knows.
    if (Object.keys(asked).length > 0 && !history.state) announce(asked);
  } catch (error) {
    report(error);
    asked = {};
    await takeSettings(asked);
  }
  if (net !== null && !isBundled(net)) report(new Error(`this link asks for the network "${net}", which does not come with the page: LeNet-5 is shown instead`));
  return { net: isBundled(net) ? net : FIRST, asked, look, left: history.state };
}

/** From now on the address is kept as the page is set. */
export function keepAddress() {
  addEventListener('popstate', () => void follow());
  const controls = () => JSON.stringify(get().viewControls);
  whenChanged((state) => address(false) + JSON.stringify([left(), state.followsRun]), write);
  let resting = 0;
  whenChanged(controls, () => {
    clearTimeout(resting);
    resting = window.setTimeout(write, REST);
  });
  write();
}

/** Says what a link has set. @param {Record<string, any>} settings */
const announce = (settings) => set({ notice: { text: `This link sets: ${describe(settings)}.`, button: 'Reset to defaults', act: resetRecipe } });

/** @param {string | null} net @returns {net is keyof typeof BUNDLED} */
const isBundled = (net) => net !== null && net in BUNDLED;

/** Looks at what an address says, as far as that is there. @param {import('../address.js').Look} look */
export function lookAt({ step = 'model', part, layer, tensor, threshold, centroids, bits }) {
  const { network, weights, evidence } = get();
  const layers = network?.graph.layers.length ?? 0;
  const onlyWeights = evidence === 'weights' && step !== 'model' && step !== 'result';
  const chosenStage = STEPS.flatMap(({ stages }) => stages).find((stage) => stage === part) ?? null;
  set({
    step: onlyWeights ? 'model' : step,
    chosenStage,
    ...(layer !== undefined && layer < layers ? { layer } : {}),
    ...(tensor !== undefined && weights && tensor < weights.summary.tensors.length ? { tensor } : {}),
    viewControls: { threshold: threshold ?? null, centroids: centroids ?? null, bits: bits ?? null },
  });
}

/** Follows the address when it is changed by hand, or by going back. A network of the user's stays open. */
async function follow() {
  if (location.hash === address()) return;
  try {
    const { net, settings } = readAddress(location.hash);
    const { recipe, preset } = get();
    const now = recipe && preset ? settingsOf(recipe, preset) : {};
    const wanted = isBundled(net) ? net : FIRST;
    const another = get().network?.file !== `${wanted}.onnx`;
    if (JSON.stringify(settings) !== JSON.stringify(now) || (another && !get().ownNetwork)) notWhileRunning();
    if (another && !get().ownNetwork) await openBundled(wanted);
    else if (another && isBundled(net)) {
      const act = () => openBundled(net);
      set({ notice: { text: `This address is of ${BUNDLED[net].name}; ${get().weights?.name ?? get().network?.name} stays open.`, button: `Open ${BUNDLED[net].name}`, act } });
    }
    if (JSON.stringify(settings) !== JSON.stringify(now)) {
      await takeSettings(settings);
      if (Object.keys(settings).length > 0) announce(settings);
    }
    set({ followsRun: false });
    lookAt(readLook(location.hash));
  } catch (error) {
    report(error);
  }
}

/** What a recipe has other than what the page begins with. @param {import('../types.js').Recipe} recipe @param {import('../types.js').Recipe} preset */
function settingsOf(recipe, preset) {
  const settings = difference(preset, recipe);
  return recipe.effort === EFFORT ? settings : { effort: recipe.effort, ...settings };
}

/** The address of what is set; before anything is open, that which the page was opened with. @param {boolean} [controls] Whether the sliders are in it. */
export function address(controls = true) {
  const { recipe, preset, network, weights, viewControls } = get();
  if (!recipe || !preset || !(network ?? weights)) return location.hash;
  const net = Object.keys(BUNDLED).find((id) => network?.file === `${id}.onnx` && id !== FIRST) ?? null;
  const sliders = Object.fromEntries(Object.entries(viewControls).filter(([, value]) => value !== null));
  return writeAddress(net, settingsOf(recipe, preset), { ...looked(), ...(controls ? sliders : {}) });
}

/** What is looked at, as far as it is not what an opened network begins with. @returns {import('../address.js').Look} */
function looked() {
  const { step, chosenStage, layer, tensor, network } = get();
  return {
    ...(step === 'model' ? {} : { step }),
    ...(chosenStage ? { part: chosenStage } : {}),
    ...(network && layer !== largest(network.graph.layers) ? { layer } : {}),
    ...(tensor > 0 ? { tensor } : {}),
  };
}

/** What only this browser knows. @returns {Left} */
function left() {
  const { result, lesson, files } = get();
  return { run: result?.id ?? null, lesson, files };
}

/** Each step that the user chooses is one to come back to. */
function write() {
  const [own, before] = [address(), readLook(location.hash).step ?? 'model'];
  const url = own || location.pathname + location.search;
  const isStep = before !== get().step && !get().followsRun && !busy() && get().lesson === null;
  if (own === location.hash || !isStep) history.replaceState(left(), '', url);
  else history.pushState(left(), '', url);
}

/** Copies the address to the clipboard, and says what it does not have. */
export async function copyLink() {
  const link = location.href.split('#')[0] + address();
  const own = [get().ownNetwork && (get().network ?? get().weights)?.name, get().data.bundled ? null : get().data.name].filter((name) => name);
  const without = own.length > 0 ? ` It does not have ${own.join(' and ')}: whoever opens it sees LeNet-5 and MNIST with these settings.` : '';
  try {
    await navigator.clipboard.writeText(link);
    set({ notice: { text: `Link copied.${without}` } });
  } catch {
    // Where a browser lets no page write there.
    set({ notice: { text: `The link: ${link}${without}` } });
  }
}
