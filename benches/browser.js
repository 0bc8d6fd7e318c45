// The speeds of benches/rates.rs in headless Chromium, by the same code in wasm.
import { launch, serve } from '../tests/e2e/site.js';

const SECONDS = 2;

const site = await serve({ folder: 'pkg' });
const browser = await launch();
try {
  const page = await browser.newPage();
  await page.goto(`${site.url}package.json`);
  const rates = await page.evaluate(
    async (module, seconds) => {
      const nutshell = await import(module);
      await nutshell.default();
      return nutshell.rates(seconds);
    },
    `${site.url}nutshell.js`,
    SECONDS,
  );
  for (const { name, per_second, gflops, of_sgemm } of rates)
    console.log(`${name}: ${per_second.toFixed(1)}/s, ${gflops.toFixed(1)} GFLOP/s, ${(100 * of_sgemm).toFixed(0)}% of sgemm`);
} finally {
  await browser.close();
  site.close();
}
