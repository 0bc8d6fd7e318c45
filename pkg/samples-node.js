// Node has no fetch for files: the wasm is read from the disk, so that no call to init is needed.
import { readFileSync } from 'node:fs';
import { initSync } from './samples.js';

initSync({ module: readFileSync(new URL('./samples_bg.wasm', import.meta.url)) });

export * from './samples.js';

/** Does nothing: here so that the same program runs in Node and in a browser. */
export default async function init() {}
