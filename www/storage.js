// Keeps the last checkpoint in the browser, so that a run survives a reload.

/**
 * @typedef {object} Resumable
 * @property {Uint8Array} checkpoint
 * @property {import('./types.js').Run} run What had been shown.
 * @property {string} file Name of the network's file.
 * @property {number} elapsed Milliseconds that the run had taken.
 */

const STORE = 'checkpoints';
const KEY = 'last';

/** @returns {Promise<IDBDatabase>} */
const database = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open('nutshell', 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @template T @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest<T>} ask @returns {Promise<T>} */
async function ask(mode, ask) {
  const opened = await database();
  try {
    return await new Promise((resolve, reject) => {
      const request = ask(opened.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    opened.close();
  }
}

/** @param {Resumable} resumable */
export const keep = (resumable) => ask('readwrite', (store) => store.put(resumable, KEY));

/** @returns {Promise<Resumable | null>} */
export const load = async () => (await ask('readonly', (store) => store.get(KEY))) ?? null;

/** Nothing is left to resume. */
export const forget = () => ask('readwrite', (store) => store.delete(KEY)).catch(() => {});
