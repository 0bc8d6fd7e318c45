// The page in headless Chromium: how soon it is ready, how long its main thread is ever busy while it compresses (by the clock, and
// without the time in which other programs had the processor), and how long that takes.
// `node benches/page.js [EFFORT BUDGET]...` after `cargo xtask dist`.
import { loadavg } from 'node:os';
import { launch, newPage, serve } from '../tests/e2e/site.js';

/** Navigations whose times are given. */
const LOADS = 5;
/** A task that is longer than this is felt, in milliseconds. */
const LONG = 50;
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
  console.log(`navigation to an interactive example: ${times.map((time) => Math.round(time)).join(', ')} ms; load ${loadavg()[0].toFixed(1)}`);

  for (let index = 0; index + 1 < runs.length; index += 2) await compress(runs[index], Number(runs[index + 1]));
} finally {
  await browser.close();
  site.close();
}

/** The tasks of the page's main thread, in milliseconds. @param {Uint8Array | undefined} trace */
function mainTasks(trace) {
  /** @type {{ traceEvents: any[] }} */
  const { traceEvents } = JSON.parse(new TextDecoder().decode(trace));
  const id = (/** @type {any} */ { pid, tid }) => `${pid} ${tid}`;
  const threads = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(id));
  return traceEvents
    .filter((event) => event.ph === 'X' && event.name.endsWith('RunTask') && threads.has(id(event)))
    .map(({ dur, tdur }) => ({ wall: dur / 1000, cpu: (tdur ?? 0) / 1000 }));
}

/** @param {string} effort @param {number} budget */
async function compress(effort, budget) {
  const context = await browser.createBrowserContext();
  const { page, faults } = await newPage(context);
  const recipe = JSON.stringify({ effort, target: { budget } });
  await page.goto(`${site.url}#${new URLSearchParams({ recipe })}`);
  await page.waitForSelector('#accuracy .figure', { timeout: RUN });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: RUN });
  await page.tracing.start({ categories: ['toplevel'] });
  const start = performance.now();
  await page.click('#compress');
  await page.waitForSelector('#download, #run-status.problem', { timeout: RUN });
  const seconds = (performance.now() - start) / 1000;
  const [bytes, accuracy, status] = await page.evaluate(() =>
    ['#bytes', '#after', '#run-status'].map((selector) => document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? ''),
  );
  const tasks = mainTasks(await page.tracing.stop());
  const long = tasks.filter(({ wall }) => wall > LONG);
  const longest = (/** @type {'wall' | 'cpu'} */ kind) => `${Math.round(Math.max(...tasks.map((task) => task[kind])))} ms`;
  console.log(`${effort}, budget ${budget}: ${bytes}, ${accuracy} of the test images, ${seconds.toFixed(1)} s${status && `; ${status}`}`);
  console.log(
    `tasks of the main thread above ${LONG} ms meanwhile: ${long.length} of ${tasks.length} by the clock, the longest ${longest('wall')};` +
      ` ${tasks.filter(({ cpu }) => cpu > LONG).length} by processor time, the longest ${longest('cpu')}; load ${loadavg()[0].toFixed(1)}`,
  );
  for (const fault of faults) console.log(`fault: ${fault}`);
  await context.close();
}
