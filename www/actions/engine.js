// The engine, the viewer and the reader, and what is said when it fails.
import { Engine } from '../engine.js';
import { Reader } from '../reader.js';
import { busy, set } from '../state.js';
import { Viewer } from '../viewer.js';

export const bridge = new Engine();
export const viewer = new Viewer();
export const reader = new Reader();

/** Shows an error in words. @param {unknown} error */
export function report(error) {
  if (error instanceof DOMException && error.name === 'AbortError') return;
  set({ problem: error instanceof Error ? error.message : String(error) });
}

/** Takes the shown error away. */
export const dismiss = () => set({ problem: '' });

/** Takes the shown notice away. */
export const dismissNotice = () => set({ notice: null });

/** Does something with a file, and reports in words what goes wrong. @param {string} name @param {() => unknown} work */
export async function attempt(name, work) {
  try {
    await work();
  } catch (error) {
    const cancelled = error instanceof DOMException && error.name === 'AbortError';
    report(error instanceof Error && name && !cancelled ? new Error(`${name}: ${error.message}`) : error);
  }
}

/** Throws while a run is going on, which another network or other samples would disturb. */
export function notWhileRunning() {
  set({ problem: '' });
  if (busy()) throw new Error('a run is in progress: cancel it before you open something else');
}
