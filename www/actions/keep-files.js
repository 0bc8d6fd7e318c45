// The user's files that are open, kept in the browser: after a reload, or a way back to the page, they are opened again.
import { get } from '../state.js';
import * as storage from '../storage.js';

/** The most bytes that are kept of one network, or of one set of samples. */
const MOST = 2 ** 28;

/** Keeps files; returns the name under which they can be found, which the page's history has, or null where they are too large.
 * @param {'network' | 'samples'} kind @param {storage.Named[]} files */
export function keepFiles(kind, files) {
  const size = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (size === 0 || size > MOST) return null;
  const name = `${Date.now()} ${kind} ${crypto.randomUUID()}`;
  // A browser that keeps nothing opens the example again.
  storage.keepFiles(name, files).catch(() => {});
  return name;
}

/** The files that were open, as if they had been dropped. @param {(string | null)[]} names @returns {Promise<import('../folders.js').Found[]>} */
export async function keptFiles(names) {
  const found = [];
  for (const name of names) if (name) found.push(...(await storage.loadFiles(name).catch(() => [])));
  return found.map(({ name, bytes }) => ({ path: name, file: new File([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)], name) }));
}

/** Whether a network or samples of the user's are open. */
export const hasOwnFiles = () => !get().data.bundled || get().ownNetwork;
