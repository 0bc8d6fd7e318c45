// The script of every worker. Each owns an instance of the wasm, and has the task that its name says.
import * as Comlink from 'comlink';
import init from '../../pkg/nutshell.js';
import { files } from './files.js';
import { begin as beginRuns, runs } from './runs.js';
import { sampleFiles } from './sample-files.js';
import { begin as beginViews, views } from './views.js';

const TASKS = { runs, views, files, 'sample-files': sampleFiles };

/** A worker's task, which is its name. @typedef {keyof typeof TASKS} Task */

/** Never settles: what waits for it holds its lock for as long as this worker lives. */
const { promise: never } = Promise.withResolvers();

/** Starts the wasm, and holds the lock that says that this worker lives.
 * @param {string} lock
 * @param {WebAssembly.Module} module */
async function start(lock, module) {
  // Where locks are refused, as in a page opened from disk, nobody waits for them either.
  await new Promise((held) => {
    if (!navigator.locks) return held(0);
    navigator.locks.request(lock, () => (held(0), never)).catch(held);
  });
  await init({ module_or_path: module });
  beginRuns();
  beginViews();
}

Comlink.expose({ start, ...TASKS[/** @type {Task} */ (self.name)] });
