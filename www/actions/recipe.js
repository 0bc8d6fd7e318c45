// The recipe: its presets, its numbers, its file.
import { merge, parseSettings } from '../address.js';
import { get, set } from '../state.js';
import { downloadJson } from './download.js';
import { bridge, report } from './engine.js';

/** @typedef {import('../types.js').Recipe} Recipe */

/** What the page starts with. */
export const EFFORT = 'quick';

/** Takes settings over the preset of their effort. @param {Record<string, any>} settings */
export async function takeSettings(settings) {
  const preset = await bridge.recipe(settings.effort ?? EFFORT);
  const recipe = merge(preset, settings);
  await bridge.checkRecipe(recipe);
  set({ preset, recipe });
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
  } catch (error) {
    report(error);
  }
}

/** Changes the recipe. @param {any} change To be merged. */
export function changeRecipe(change) {
  const { recipe } = get();
  if (recipe) set({ recipe: merge(recipe, change) });
}

/** Takes the preset's numbers again. */
export function resetRecipe() {
  const { preset } = get();
  if (preset) set({ recipe: preset });
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
