// Model files in the page in headless Chromium, as a user has them: how long each takes to open, to compress by its weights alone, to open again,
// and to be written in another format; what that comes to. `node benches/weights.js FILE...` after `cargo xtask dist`; `--snr 30` is the target.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { launch, newPage, serve } from '../tests/e2e/site.js';

/** The most that anything may take, in milliseconds. */
const MOST = 1_200_000;

const { values, positionals: files } = parseArgs({ options: { snr: { type: 'string', default: '30' } }, allowPositionals: true });
const COLUMNS = ['File', 'Bytes', 'Tensors', 'Opens', 'Compressed', 'Ratio', 'SNR', 'Compresses', 'Opens again', 'Exported as', 'Exports'];

const site = await serve();
const browser = await launch();
try {
  console.log(`| ${COLUMNS.join(' | ')} |\n|${COLUMNS.map(() => '---').join('|')}|`);
  for (const file of files) {
    const context = await browser.createBrowserContext();
    const { page, faults } = await newPage(context);
    page.setDefaultTimeout(MOST);
    await page.goto(site.url);
    await page.waitForSelector('#compress:not(:disabled)');
    const row = await measure(page, file);
    console.log(`| ${row.join(' | ')} |`);
    for (const fault of faults) console.log(`fault: ${fault}`);
    await context.close();
  }
  console.log(`load ${loadavg()[0].toFixed(1)}`);
} finally {
  await browser.close();
  site.close();
}

/** @param {import('puppeteer-core').Page} page @param {string} file */
async function measure(page, file) {
  const name = basename(file);
  const text = (/** @type {string} */ selector) => page.$eval(selector, (element) => element.textContent?.replace(/\s+/g, ' ').trim() ?? '');
  const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('network-card input[type=file]'));
  // From the choice of the file until its tensors or its graph are drawn.
  const opens = await seconds(async () => {
    await input.uploadFile(file);
    await page.waitForFunction(
      (name) =>
        document.querySelector('#problem:not([hidden])') ||
        (document.querySelector('network-card .lead')?.textContent?.includes(name) &&
          document.querySelector('stage-view weight-figures nutshell-histogram')?.shadowRoot?.querySelector('svg')),
      { polling: 10 },
      name,
    );
  });
  const { length } = await readFile(file);
  const problem = await page.$eval('#problem', (element) => (/** @type {HTMLElement} */ (element).hidden ? '' : element.querySelector('span')?.textContent));
  if (problem) return [name, length.toLocaleString('en'), problem];
  if (await page.$('input[name=evidence][value=weights]')) await page.click('input[name=evidence][value=weights]');
  await page.waitForSelector('#snr-target');
  await page.$eval(
    '#snr-target',
    (field, value) => {
      Object.assign(field, { value });
      field.dispatchEvent(new Event('change', { bubbles: true }));
    },
    values.snr,
  );
  const compresses = await seconds(async () => {
    await page.click('#compress');
    await page.waitForSelector('result-card #download, #run-status.problem');
  });
  const failed = await page.$('#run-status.problem');
  if (failed) return [name, length.toLocaleString('en'), await text('#run-status')];
  const tensors = await page.$$eval('result-card tensor-table tbody tr', ({ length }) => length);
  const [bytes, ratio, snr] = await Promise.all(['#bytes', '#ratio', '#snr'].map(text));
  // The first look at the result has the reader open it.
  const again = await seconds(() => page.waitForFunction(() => document.querySelectorAll('result-card weight-figures nutshell-image').length === 2, { polling: 10 }));
  const button = /** @type {import('puppeteer-core').ElementHandle<HTMLElement>} */ (
    (await page.waitForSelector('result-card [data-export=onnx], result-card [data-export=safetensors]'))
  );
  const kind = await button.evaluate((element) => element.dataset.export ?? '');
  const exports = await seconds(async () => {
    const session = await page.createCDPSession();
    await session.send('Browser.setDownloadBehavior', { behavior: 'deny', browserContextId: page.browserContext().id, eventsEnabled: true });
    const written = new Promise((resolve) => session.once('Browser.downloadWillBegin', resolve));
    await button.click();
    await written;
  });
  const time = (/** @type {number} */ value) => `${value.toFixed(1)} s`;
  return [name, length.toLocaleString('en'), tensors, time(opens), bytes, ratio, snr, time(compresses), time(again), kind, time(exports)];
}

/** @param {() => Promise<unknown>} work */
async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
