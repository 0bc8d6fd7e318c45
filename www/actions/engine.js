// The one engine, and what is said when it fails.
import { Bridge } from '../bridge.js';
import { get, set } from '../state.js';

export const bridge = new Bridge();

/** Shows an error in words. @param {unknown} error */
export function report(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  set({ problem: error instanceof Error ? error.message : String(error) });
}

/** Takes the shown error away. */
export const dismiss = () => set({ problem: '' });

/** Does something with a file, and reports in words what goes wrong. @param {string} name @param {() => unknown} work */
export async function attempt(name, work) {
  try {
    await work();
  } catch (error) {
    report(error instanceof Error && name ? new Error(`${name}: ${error.message}`) : error);
  }
}

/** Throws while a run is going on, which another network or other samples would disturb. */
export function notWhileRunning() {
  set({ problem: '' });
  if (get().run?.status === 'running') throw new Error('a run is going on: cancel it before you open something else');
}

/** The bytes of a file that comes with the page. @param {string} file @returns {Promise<Uint8Array>} */
export async function fetchBytes(file) {
  const response = await fetch(file);
  if (!response.ok) throw new Error(`${file.split('/').at(-1)} could not be loaded (${response.status})`);
  return new Uint8Array(await response.arrayBuffer());
}
