// Keeps checkpoints and runs in the browser, so that they survive a reload.

/**
 * @typedef {object} Resumable
 * @property {import('./types.js').Checkpoint} checkpoint The last one.
 * @property {Map<import('./types.js').Stage, import('./types.js').Checkpoint>} stages All of them.
 * @property {import('./types.js').Run} run What had been shown.
 * @property {string} file Name of the network's file.
 * @property {number} elapsed Milliseconds that the run had taken.
 */

const STORE = 'checkpoints';
const RUNS = 'runs';
/** The networks after each stage of the kept runs: large, and read only when one is shown again. */
const STAGES = 'stages';
const KEY = 'last';

/** @returns {Promise<IDBDatabase>} */
const database = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open('nutshell', 3);
    request.onupgradeneeded = () => {
      // What an older page kept has another form.
      for (const name of request.result.objectStoreNames) request.result.deleteObjectStore(name);
      request.result.createObjectStore(STORE);
      request.result.createObjectStore(RUNS, { keyPath: 'id' });
      request.result.createObjectStore(STAGES);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @template T @param {IDBTransactionMode} mode @param {(store: IDBObjectStore) => IDBRequest<T>} ask @param {string} [name]
 * @returns {Promise<T>} */
async function ask(mode, ask, name = STORE) {
  const opened = await database();
  try {
    return await new Promise((resolve, reject) => {
      const request = ask(opened.transaction(name, mode).objectStore(name));
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

/** What the viewer needs of a run: the original's file, and the networks after its stages. @typedef {Map<import('./types.js').Stage, import('./viewer.js').File>} Stages */

/** Keeps a run that is over, and its stages. @param {import('./types.js').Kept} run @param {Stages} stages */
export async function keepRun(run, stages) {
  await ask('readwrite', (store) => store.put(run), RUNS);
  await ask('readwrite', (store) => store.put(stages, run.id), STAGES);
}

/** All runs that were kept, the oldest first. @returns {Promise<import('./types.js').Kept[]>} */
export async function loadRuns() {
  const kept = /** @type {import('./types.js').Kept[]} */ (await ask('readonly', (store) => store.getAll(), RUNS));
  // A page that kept no other runs did not say what judged them.
  const judged = kept.map((run) => /** @type {typeof run} */ ({ ...run, by: run.by ?? 'samples' }));
  return judged.sort((a, b) => a.date - b.date);
}

/** The stages of a kept run; none if there was no room for them. @param {string} id @returns {Promise<Stages>} */
export const loadStages = async (id) => (await ask('readonly', (store) => store.get(id), STAGES)) ?? new Map();

/** Forgets a run, and its stages. @param {string} id */
export async function forgetRun(id) {
  for (const name of [RUNS, STAGES]) await ask('readwrite', (store) => store.delete(id), name);
}

/** Forgets all runs, and what could be resumed. */
export async function forgetRuns() {
  for (const name of [RUNS, STAGES, STORE]) await ask('readwrite', (store) => store.clear(), name);
}
