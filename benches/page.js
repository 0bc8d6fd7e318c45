// The page in headless Chromium: how soon it is ready, how long its main thread is ever busy while it compresses, and how long
// that takes. `node benches/page.js [EFFORT BUDGET]...` after `cargo xtask dist`.
import { launch, newPage, serve } from '../tests/e2e/site.js';

/** Navigations whose times are given. */
const LOADS = 5;
/** The most that a run may take, in milliseconds. */
const RUN = 3_600_000;

const wanted = process.argv.slice(2);
const runs = wanted.length > 0 ? wanted : ['quick', '4479'];

const site = await serve();
const browser = await launch();
try {
  const times = [];
  for (let load = 0; load < LOADS; load++) {
    const context = await browser.createBrowserContext();
    const { page } = await newPage(context);
    await page.goto(site.url, { waitUntil: 'domcontentloaded' });
    // The example can be looked at: its layers are listed, and its weights are drawn.
    await page.waitForSelector('layer-table tbody tr');
    await page.waitForFunction(() => document.querySelector('model-view nutshell-histogram')?.shadowRoot?.querySelector('svg'));
    times.push(await page.evaluate(() => performance.now()));
    await context.close();
  }
  console.log(`navigation to an interactive example: ${times.map((time) => Math.round(time)).join(', ')} ms`);

  for (let index = 0; index + 1 < runs.length; index += 2) await compress(runs[index], Number(runs[index + 1]));
} finally {
  await browser.close();
  site.close();
}

/** @param {string} effort @param {number} budget */
async function compress(effort, budget) {
  const context = await browser.createBrowserContext();
  const { page, faults } = await newPage(context);
  const recipe = JSON.stringify({ effort, target: { budget } });
  await page.goto(`${site.url}#${new URLSearchParams({ recipe })}`);
  await page.waitForSelector('#accuracy .figure', { timeout: RUN });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: RUN });
  await page.evaluate(() => {
    const tasks = (/** @type {any} */ (window).tasks = /** @type {number[]} */ ([]));
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration))).observe({ type: 'longtask' });
  });
  const start = performance.now();
  await page.click('#compress');
  await page.waitForSelector('#download, #run-status.problem', { timeout: RUN });
  const seconds = (performance.now() - start) / 1000;
  const [bytes, accuracy, status] = await page.evaluate(() =>
    ['#bytes', '#after', '#run-status'].map((selector) => document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? ''),
  );
  /** @type {number[]} */
  const tasks = await page.evaluate(() => /** @type {any} */ (window).tasks);
  console.log(`${effort}, budget ${budget}: ${bytes} bytes, ${accuracy} of the test images, ${seconds.toFixed(1)} s; ${status}`);
  console.log(`tasks of the main thread above 50 ms meanwhile: ${tasks.length}${tasks.length > 0 ? `, the longest ${Math.max(...tasks)} ms` : ''}`);
  for (const fault of faults) console.log(`fault: ${fault}`);
  await context.close();
}
