// The network and the recipe stand in the page's address: #net=lenet300&recipe={"seed":7,"target":{"budget":4479}}

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

/** The address of a network and of what a recipe has other than the preset of its effort; empty for what the page starts with.
 * @param {string | null} net
 * @param {Record<string, any>} settings */
export function writeAddress(net, settings) {
  const parts = new URLSearchParams();
  if (net !== null) parts.set('net', net);
  if (Object.keys(settings).length > 0) parts.set('recipe', JSON.stringify(settings));
  const text = parts.toString();
  return text && `#${text}`;
}

/** Whether a field is one of several kinds, and so replaced as a whole. @param {string} name @param {unknown} value */
const whole = (name, value) => name === 'target' || name === 'scaling' || value === null || typeof value !== 'object';

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
