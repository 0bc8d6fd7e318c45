// A recipe's settings may stand in the page's address: #recipe={"seed":7,"target":{"budget":4479}}

/** The settings in the part of an address after its #, or none. Throws if they cannot be read.
 * @param {string} hash */
export function recipeOfAddress(hash) {
  const text = new URLSearchParams(hash.slice(1)).get('recipe');
  if (text === null) return {};
  try {
    const settings = JSON.parse(text);
    if (settings !== null && typeof settings === 'object') return settings;
  } catch {
    // Told below, in the same words.
  }
  throw new Error(`the settings in the page's address are not a recipe: ${text}`);
}

/** A recipe with some of its settings replaced; the target as a whole, since its kinds exclude each other.
 * @template T
 * @param {T} recipe
 * @param {any} settings
 * @returns {T} */
export function merge(recipe, settings) {
  const merged = /** @type {any} */ ({ ...recipe });
  for (const [name, value] of Object.entries(settings)) {
    const whole = name === 'target' || name === 'scaling' || value === null || typeof value !== 'object';
    merged[name] = whole ? value : merge(merged[name], value);
  }
  return merged;
}
