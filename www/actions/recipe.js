// The recipe: its presets, its numbers, its file; and how it suits the opened network and samples.
import { describe, difference, merge, parseSettings } from '../address.js';
import { get, set } from '../state.js';
import { downloadJson } from './download.js';
import { bridge, report } from './engine.js';

/** @typedef {import('../types.js').Recipe} Recipe */
/** @typedef {import('../types.js').Effort} Effort */

/** What the page starts with. */
export const EFFORT = 'quick';

/** Whether the user, or a link, has chosen an effort: else one that suits the network and samples is taken. */
let chosen = false;

/** The effort where nobody has chosen one: none that would train for long. */
async function usualEffort() {
  const { network, data } = get();
  return network && data.train > 0 ? bridge.suitedEffort(EFFORT, data.train) : EFFORT;
}

/** The preset of an effort, suited to what is open: samples of the user's are drawn to validate, at most a fifth of them, since the order of a
 * table may be that of its classes; and numbers are scaled as the network says, or as suits the samples.
 * @param {Effort} effort @returns {Promise<Recipe>} */
async function presetOf(effort) {
  const preset = await bridge.recipe(effort);
  const { network, data } = get();
  const scaling = network?.graph.scaling ?? data.scaling ?? preset.scaling;
  if (data.bundled || data.train === 0) return { ...preset, scaling };
  const { validation, seed } = preset.split;
  const most = Math.max(1, Math.floor(data.train / 5));
  return { ...preset, scaling, split: { ...preset.split, validation: Math.min(validation, most), seed: data.summary ? seed || 1 : seed } };
}

/** Takes settings over the preset of their effort. @param {Record<string, any>} settings */
export async function takeSettings(settings) {
  const preset = await presetOf(settings.effort ?? EFFORT);
  const recipe = merge(preset, settings);
  await bridge.checkRecipe(recipe);
  chosen = settings.effort !== undefined;
  set({ preset, recipe });
}

/** Suits the recipe to another network, or to other samples. What the user has set stays, but for what was said of those before: a budget in
 * bytes and locked layers belong to a network, a split to samples, a scaling to both.
 * @param {'network' | 'samples' | 'nothing'} replaced */
export async function suitRecipe(replaced) {
  try {
    const { recipe, preset } = get();
    if (!recipe || !preset) return;
    const { target, split, scaling, ...kept } = difference(preset, recipe);
    const { locked, ...round } = kept.round ?? {};
    if (locked && replaced === 'network') {
      if (Object.keys(round).length > 0) kept.round = round;
      else delete kept.round;
    }
    if (target && (replaced !== 'network' || !('budget' in target))) kept.target = target;
    if (split && replaced !== 'samples') kept.split = split;
    if (scaling && replaced === 'nothing') kept.scaling = scaling;
    const effort = chosen ? recipe.effort : await usualEffort();
    const suited = await presetOf(effort);
    set({ preset: suited, recipe: merge(suited, kept) });
    if (replaced === 'nothing') return;
    const dropped = { ...(locked && replaced === 'network' ? { locked } : {}), ...(target && !kept.target ? { target } : {}), ...(split && !kept.split ? { split } : {}), ...(scaling ? { scaling } : {}) };
    const words = [
      ...(effort !== recipe.effort && effort === 'calibrate' ? ['Training would take long, so effort Calibrate is chosen: it rounds the weights without training.'] : []),
      ...(Object.keys(dropped).length > 0 ? [`Back to the default, because it was set for the ${replaced} before: ${describe(dropped)}.`] : []),
      ...(Object.keys(kept).length > 0 ? [`Settings that you changed still apply: ${describe(kept)}.`] : []),
    ];
    const reset = Object.keys(kept).length > 0 ? { button: 'Reset to defaults', act: resetRecipe } : {};
    if (words.length > 0) set({ notice: { text: words.join(' '), ...reset } });
  } catch (error) {
    report(error);
  }
}

/** Takes another effort, and keeps what the user has set of the run and its samples. @param {Effort} effort */
export async function chooseEffort(effort) {
  try {
    const { recipe, preset: last } = get();
    if (!recipe || !last) return;
    const { target, seed, scaling, split } = difference(last, recipe);
    const preset = await presetOf(effort);
    const kept = Object.fromEntries(Object.entries({ target, seed, scaling, split }).filter(([, value]) => value !== undefined));
    chosen = true;
    set({ preset, recipe: merge(preset, kept) });
  } catch (error) {
    report(error);
  }
}

/** The layers that the next run keeps in 16 bits. @returns {string[]} */
export const lockedLayers = () => get().recipe?.round.locked ?? [];

/** Keeps layers in 16 bits, all others as the run rounds them. @param {string[]} locked */
export const lockLayers = (locked) => changeRecipe({ round: { locked } });

/** Changes the recipe. @param {any} change To be merged. */
export function changeRecipe(change) {
  const { recipe } = get();
  if (recipe) set({ recipe: merge(recipe, change) });
}

/** Takes the preset's numbers again. */
export function resetRecipe() {
  const { preset } = get();
  if (preset) set({ recipe: preset, notice: null });
}

/** Takes a seed from the platform's random numbers. */
export async function drawSeed() {
  try {
    changeRecipe({ seed: await bridge.randomSeed() });
  } catch (error) {
    report(error);
  }
}

/** Hands the recipe to the user, as the command line's `--recipe` reads it. */
export function saveRecipe() {
  const { recipe } = get();
  if (recipe) downloadJson(recipe, 'recipe.json');
}

/** Takes the recipe of a JSON file: a recipe, a part of one, or a report with one. @param {string} name @param {Uint8Array} bytes */
export async function openRecipe(name, bytes) {
  const settings = parseSettings(new TextDecoder().decode(bytes), 'its contents');
  await takeSettings(settings.recipe ?? settings);
}
