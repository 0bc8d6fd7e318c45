// The networks that come with the page, as its engine reads them, so that opening one needs no reader of other programs' files.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { initSync, ModelFile } from '../pkg/files.js';

const root = new URL('../', import.meta.url);
initSync({ module: readFileSync(new URL('pkg/files_bg.wasm', root)) });
mkdirSync(new URL('www/public/models/', root), { recursive: true });
for (const name of ['lenet5', 'lenet300']) {
  const file = ModelFile.open(readFileSync(new URL(`www/models/${name}.onnx`, root)));
  writeFileSync(new URL(`www/public/models/${name}.bin`, root), /** @type {Uint8Array} */ (file.network()));
}
