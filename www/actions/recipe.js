// The recipe: its presets, its numbers, its address, its file.
import { difference, merge, parseSettings, readAddress, writeAddress } from '../address.js';
import { get, set } from '../state.js';
import { downloadJson } from './download.js';
import { bridge, notWhileRunning, report } from './engine.js';
import { BUNDLED, measure, openBundled } from './network.js';

/** @typedef {import('../types.js').Recipe} Recipe */

/** What the page starts with. */
const EFFORT = 'quick';

/** Reads the recipe and the network of the page's address; the network is to be opened by whoever asks.
 * @returns {Promise<keyof typeof BUNDLED>} */
export async function startRecipe() {
  const { net, settings } = readAddress(location.hash);
  set({ settings: await bridge.settings() });
  await take(settings);
  addEventListener('hashchange', () => void follow());
  return net !== null && net in BUNDLED ? /** @type {keyof typeof BUNDLED} */ (net) : 'lenet5';
}

/** Follows the address when it is changed by hand. */
async function follow() {
  if (location.hash === addressNow()) return;
  try {
    notWhileRunning();
    const { net, settings } = readAddress(location.hash);
    await take(settings);
    if (net !== null && net in BUNDLED && get().network?.file !== `${net}.onnx`) await openBundled(/** @type {keyof typeof BUNDLED} */ (net));
  } catch (error) {
    report(error);
  }
}

/** Takes settings over the preset of their effort. @param {Record<string, any>} settings */
async function take(settings) {
  const preset = await bridge.recipe(settings.effort ?? EFFORT);
  const recipe = merge(preset, settings);
  await bridge.checkRecipe(recipe);
  const scaled = get().recipe && JSON.stringify(get().recipe?.scaling) !== JSON.stringify(recipe.scaling);
  set({ preset, recipe });
  if (scaled) void measure();
}

/** Takes another effort, and keeps what the user has set. @param {import('../types.js').Effort} effort */
export async function chooseEffort(effort) {
  try {
    const { recipe } = get();
    const preset = await bridge.recipe(effort);
    if (!recipe) return;
    const { target, seed, scaling } = recipe;
    const split = { ...preset.split, validation: recipe.split.validation, seed: recipe.split.seed };
    set({ preset, recipe: { ...preset, target, seed, scaling, split } });
    writeHash();
  } catch (error) {
    report(error);
  }
}

/** Changes the recipe; another scaling also measures the network again. @param {any} change To be merged. */
export function changeRecipe(change) {
  const { recipe } = get();
  if (!recipe) return;
  set({ recipe: merge(recipe, change) });
  writeHash();
  if (change.scaling) void measure();
}

/** Takes the preset's numbers again. */
export function resetRecipe() {
  const { preset } = get();
  if (preset) set({ recipe: preset });
  writeHash();
}

/** Takes a seed from the platform's random numbers. */
export async function drawSeed() {
  try {
    changeRecipe({ seed: await bridge.randomSeed() });
  } catch (error) {
    report(error);
  }
}

/** The address of what is set. */
function addressNow() {
  const { recipe, preset, network } = get();
  const net = Object.keys(BUNDLED).find((id) => network?.file === `${id}.onnx` && id !== 'lenet5') ?? null;
  if (!recipe || !preset) return location.hash;
  const settings = difference(preset, recipe);
  return writeAddress(net, recipe.effort === EFFORT ? settings : { effort: recipe.effort, ...settings });
}

/** Puts what is set into the page's address, so that a link reproduces it. */
export function writeHash() {
  const address = addressNow();
  if (address !== location.hash) history.replaceState(null, '', address || location.pathname + location.search);
}

/** Hands the recipe to the user, as the command line's `--recipe` reads it. */
export function saveRecipe() {
  const { recipe } = get();
  if (recipe) downloadJson(recipe, 'recipe.json');
}

/** Takes the recipe of a JSON file: a recipe, a part of one, or a report with one. @param {string} name @param {Uint8Array} bytes */
export async function openRecipe(name, bytes) {
  const settings = parseSettings(new TextDecoder().decode(bytes), 'its contents');
  await take(settings.recipe ?? settings);
  writeHash();
}
