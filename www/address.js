// The network, the recipe and what is looked at stand in the page's address:
// #net=lenet300&recipe={"seed":7,"target":{"budget":4479}}&step=prune&layer=1&threshold=0.02
import * as format from './format.js';

/** What is looked at, as far as it is not what the page begins with.
 * @typedef {object} Look
 * @property {import('./types.js').Step} [step]
 * @property {string} [part] The stage of a step that has two.
 * @property {number} [layer] Counted from 0.
 * @property {number} [tensor] The same, of a file's tensors.
 * @property {number} [threshold]
 * @property {number} [centroids]
 * @property {number} [bits] */

/** @type {import('./types.js').Step[]} */
const STEPS = ['model', 'prune', 'share', 'quantize', 'code', 'result'];
/** The least and the most that each number may be. */
const RANGES = /** @type {const} */ ({ layer: [0, Infinity], tensor: [0, Infinity], threshold: [0, Infinity], centroids: [1, 255], bits: [2, 8] });

/** What is looked at by the part of an address behind its #; what cannot be meant is left out. @param {string} hash @returns {Look} */
export function readLook(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  /** @type {Look} */
  const look = {};
  const step = STEPS.find((own) => own === parts.get('step'));
  if (step) look.step = step;
  const part = parts.get('part');
  if (part) look.part = part;
  for (const name of /** @type {(keyof typeof RANGES)[]} */ (Object.keys(RANGES))) {
    const [least, most] = RANGES[name];
    const value = Number(parts.get(name) || NaN);
    if (value >= least && value <= most && (name === 'threshold' ? Number.isFinite(value) : Number.isInteger(value))) look[name] = value;
  }
  return look;
}

/** The part of an address behind its #. Throws if its recipe cannot be read.
 * @param {string} hash
 * @returns {{ net: string | null, settings: Record<string, any> }} */
export function readAddress(hash) {
  const parts = new URLSearchParams(hash.slice(1));
  const text = parts.get('recipe');
  return { net: parts.get('net'), settings: text === null ? {} : parseSettings(text, "the settings in the page's address") };
}

/** The settings of a text. @param {string} text @param {string} what Where it stands. @returns {Record<string, any>} */
export function parseSettings(text, what) {
  try {
    const settings = JSON.parse(text);
    if (settings !== null && typeof settings === 'object' && !Array.isArray(settings)) return settings;
  } catch {
    // Told below, in the same words.
  }
  throw new Error(`${what} are not a recipe: ${text.slice(0, 200)}`);
}

/** The address of a network, of what a recipe has other than the preset of its effort, and of what is looked at; empty for what the page
 * starts with.
 * @param {string | null} net
 * @param {Record<string, any>} settings
 * @param {Look} [look] */
export function writeAddress(net, settings, look = {}) {
  const parts = new URLSearchParams();
  if (net !== null) parts.set('net', net);
  if (Object.keys(settings).length > 0) parts.set('recipe', JSON.stringify(settings));
  for (const [name, value] of Object.entries(look)) parts.set(name, typeof value === 'number' ? String(Number(value.toPrecision(4))) : value);
  const text = parts.toString();
  return text && `#${text}`;
}

/** Whether a field is one of several kinds, and so replaced as a whole. @param {string} name @param {unknown} value */
const whole = (name, value) => name === 'target' || name === 'scaling' || value === null || typeof value !== 'object' || Array.isArray(value);

/** A recipe with some of its settings replaced; the target as a whole, since its kinds exclude each other.
 * @template T
 * @param {T} recipe
 * @param {any} settings
 * @returns {T} */
export function merge(recipe, settings) {
  const merged = /** @type {any} */ ({ ...recipe });
  for (const [name, value] of Object.entries(settings)) merged[name] = whole(name, value) ? value : merge(merged[name], value);
  return merged;
}

/** What `merge` would need to make `recipe` from `preset`.
 * @param {any} preset
 * @param {any} recipe
 * @returns {Record<string, any>} */
export function difference(preset, recipe) {
  /** @type {Record<string, any>} */
  const settings = {};
  for (const [name, value] of Object.entries(recipe)) {
    if (JSON.stringify(value) === JSON.stringify(preset[name])) continue;
    settings[name] = whole(name, value) ? value : difference(preset[name], value);
  }
  return settings;
}

/** The number at a path such as `prune.training.batch`. @param {any} recipe @param {string} path @returns {number} */
export const numberAt = (recipe, path) => path.split('.').reduce((value, name) => value[name], recipe);

/** Settings with one number, to be merged. @param {string} path @param {number} value @returns {any} */
export const settingAt = (path, value) => path.split('.').reduceRight((inner, name) => ({ [name]: inner }), /** @type {any} */ (value));

/** Settings that are named one by one; of more the rest is counted. */
const NAMED = 5;

/** Settings in words: `effort balanced, seed 7, budget 900 B`. @param {Record<string, any>} settings */
export function describe(settings) {
  const words = flat(settings, []);
  return words.length > NAMED + 1 ? `${words.slice(0, NAMED).join(', ')} and ${words.length - NAMED} more` : words.join(', ');
}

/** @param {any} settings @param {string[]} path @returns {string[]} */
function flat(settings, path) {
  return Object.entries(settings).flatMap(([name, value]) => {
    if (name === 'budget') return [`budget ${format.bytes(Number(value))}`];
    if (name === 'tolerance') return [`tolerance ${value} percentage points`];
    if (name === 'locked' && Array.isArray(value)) return value.length > 0 ? [`${value.join(' and ')} in 16 bits`] : ['no layer in 16 bits'];
    if (name === 'target' && value !== null && typeof value === 'object') return flat(value, []);
    if (value !== null && typeof value === 'object' && name !== 'scaling') return flat(value, [...path, name]);
    return [[...path, name, typeof value === 'object' ? 'of its own' : value].join(' ').replaceAll('_', ' ')];
  });
}
