// How long headless Chromium takes to open a .nut file, all of its numbers decoded, in one thread: prints the milliseconds of the fastest of three.
// `node benches/decoding.js FILE.nut` after `cargo xtask build`; `benches/decoding.py` calls it.
import { readFile } from 'node:fs/promises';
import { launch, serve } from '../tests/e2e/site.js';

/** Times that the file is opened. */
const TIMES = 3;

const file = (await readFile(process.argv[2])).toString('base64');
const site = await serve({ folder: 'pkg' });
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`${site.url}package.json`);
  const milliseconds = await page.evaluate(
    async (module, file, times) => {
      const nutshell = await import(module);
      await nutshell.default();
      const bytes = new Uint8Array(await (await fetch(`data:;base64,${file}`)).arrayBuffer());
      let fastest = Infinity;
      for (let time = 0; time < times; time++) {
        const start = performance.now();
        nutshell.ModelFile.open(bytes, () => {}).free();
        fastest = Math.min(fastest, performance.now() - start);
      }
      return fastest;
    },
    `${site.url}nutshell.js`,
    file,
    TIMES,
  );
  console.log(milliseconds.toFixed(0));
} finally {
  await browser.close();
  site.close();
}
