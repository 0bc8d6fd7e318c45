// Keeps checkpoints and runs in the browser, so that they survive a reload.
import { clear, createStore, del, get, keys, promisifyRequest, set, values } from 'idb-keyval';

/**
 * @typedef {object} Resumable
 * @property {import('./types.js').Checkpoint | null} checkpoint The last one; null until a stage is finished.
 * @property {Map<import('./types.js').Stage, import('./types.js').Checkpoint>} stages All of them.
 * @property {import('./types.js').Run} run What had been shown.
 * @property {string} file Name of the network's file.
 * @property {number} elapsed Milliseconds that the run had taken.
 */

/** @returns {Promise<IDBDatabase>} */
function database() {
  const request = indexedDB.open('nutshell', 3);
  request.onupgradeneeded = () => {
    // What an older page kept has another form.
    for (const name of request.result.objectStoreNames) request.result.deleteObjectStore(name);
    request.result.createObjectStore('checkpoints');
    request.result.createObjectStore('runs', { keyPath: 'id' });
    request.result.createObjectStore('stages');
  };
  return promisifyRequest(request);
}

/** A store of the database, which is open only while it is used: several tabs may have the page. @param {string} name @returns {import('idb-keyval').UseStore} */
const store = (name) => async (mode, work) => {
  const opened = await database();
  try {
    return await work(opened.transaction(name, mode).objectStore(name));
  } finally {
    opened.close();
  }
};

const CHECKPOINTS = store('checkpoints');
const RUNS = store('runs');
/** The networks after each stage of the kept runs: large, and read only when one is shown again. */
const STAGES = store('stages');
const KEY = 'last';

/** @param {Resumable} resumable */
export const keep = (resumable) => set(KEY, resumable, CHECKPOINTS);

/** @returns {Promise<Resumable | null>} */
export const load = async () => (await get(KEY, CHECKPOINTS)) ?? null;

/** Nothing is left to resume. */
export const forget = () => del(KEY, CHECKPOINTS).catch(() => {});

/** A file by its name. @typedef {{ name: string, bytes: Uint8Array }} Named */

/** @type {import('idb-keyval').UseStore | undefined} */
let opened;

/** The user's files that are open in some tab, in a database of its own. @type {import('idb-keyval').UseStore} */
const FILES = (mode, work) => (opened ??= createStore('nutshell-files', 'files'))(mode, work);

/** So many sets of files are kept: those that were opened last. */
const MOST_FILES = 6;

/** Keeps files under a name that begins with the time, and forgets the oldest. @param {string} name @param {Named[]} files */
export async function keepFiles(name, files) {
  await set(name, files, FILES);
  for (const old of (await keys(FILES)).sort().slice(0, -MOST_FILES)) await del(old, FILES);
}

/** Files that were kept; none if they are gone. @param {string} name @returns {Promise<Named[]>} */
export const loadFiles = async (name) => (await get(name, FILES)) ?? [];

/** What the viewer needs of a run: the original's file, and the networks after its stages. @typedef {Map<import('./types.js').Stage, import('./viewer.js').File>} Stages */

/** Keeps a run that is over, and its stages. @param {import('./types.js').Kept} run @param {Stages} stages */
export async function keepRun(run, stages) {
  // A run has its key inside.
  await RUNS('readwrite', (runs) => promisifyRequest(runs.put(run)));
  await set(run.id, stages, STAGES);
}

/** All runs that were kept, the oldest first. @returns {Promise<import('./types.js').Kept[]>} */
export async function loadRuns() {
  const kept = await values(RUNS);
  // Earlier pages kept what judged a run as `by`; those before them had only samples for that, and did not say so.
  const judged = kept.map(({ by = 'samples', ...run }) => /** @type {import('./types.js').Kept} */ ({ ...run, evidence: run.evidence ?? by }));
  return judged.sort((a, b) => a.date - b.date);
}

/** The stages of a kept run; none if there was no room for them. @param {string} id @returns {Promise<Stages>} */
export const loadStages = async (id) => (await get(id, STAGES)) ?? new Map();

/** Forgets a run, and its stages. @param {string} id */
export async function forgetRun(id) {
  for (const store of [RUNS, STAGES]) await del(id, store);
}

/** Forgets all runs, and what could be resumed. */
export async function forgetRuns() {
  for (const store of [RUNS, STAGES, CHECKPOINTS]) await clear(store);
}
