// The files that come with the page: beside it, or inside it where the page is a single file.

/** Object URLs of files inside the page. @type {Map<string, string>} */
const inside = new Map();

/** Where a file can be read. In a single-file page every file is in an element of its own, in base64, under its name.
 * @param {string} url */
export function fileUrl(url) {
  const name = url.split('/').at(-1) ?? '';
  const element = document.getElementById(`file:${name}`);
  if (!element) return url;
  const known = inside.get(name);
  if (known) return known;
  const bytes = Uint8Array.from(atob(element.textContent ?? ''), (letter) => letter.charCodeAt(0));
  const made = URL.createObjectURL(new Blob([bytes], { type: element.dataset.type }));
  inside.set(name, made);
  return made;
}

/** Starts a worker. In a page that was opened from disk a browser starts scripts as workers, but no modules.
 * @param {string} url @param {string} name */
export const makeWorker = (url, name) =>
  new Worker(fileUrl(url), { type: import.meta.env.MODE === 'single-file' ? 'classic' : 'module', name });

/** The bytes of a file that comes with the page. @param {string} url @returns {Promise<Uint8Array>} */
export async function fetchBytes(url) {
  const response = await fetch(fileUrl(url));
  if (!response.ok) throw new Error(`${url.split('/').at(-1)} could not be loaded (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}
