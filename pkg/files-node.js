// Node has no fetch for files: the wasm is read from the disk, so that no call to init is needed.
import { readFileSync } from 'node:fs';
import { initSync } from './files.js';

initSync({ module: readFileSync(new URL('./files_bg.wasm', import.meta.url)) });

export * from './files.js';

/** Does nothing: here so that the same program runs in Node and in a browser. */
export default async function init() {}
