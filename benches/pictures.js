// A network and a folder of pictures without labels in the page, in headless Chromium, with what the page chooses for them: how long that takes, and how much memory.
// `node benches/pictures.js MODEL FOLDER [PICTURE.png]` after `cargo xtask dist`; the last argument is where to put a picture of the page.
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { basename } from 'node:path';
import { launch, newPage, serve } from '../tests/e2e/site.js';

/** The most that anything may take, in milliseconds. */
const TIMEOUT = 3_600_000;

const [model, folder, picture] = process.argv.slice(2);
const site = await serve();
const browser = await launch();
try {
  const { page, faults } = await newPage(await browser.createBrowserContext());
  await page.goto(site.url);
  await page.waitForSelector('#accuracy .figure', { timeout: TIMEOUT });
  const choose = async (/** @type {string} */ selector, /** @type {string} */ path) => {
    const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$(selector));
    await input.uploadFile(path);
  };
  let start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  await choose('network-card input[type=file]:not([webkitdirectory])', model);
  await page.waitForFunction((name) => document.querySelector('network-card')?.textContent?.includes(name), { timeout: TIMEOUT }, basename(model));
  await choose('network-card input[webkitdirectory]', folder);
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('no labels'), { timeout: TIMEOUT });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: TIMEOUT });
  console.log(`${basename(model)} opened and measured in ${seconds()}`);
  start = performance.now();
  await page.click('#compress');
  await page.waitForSelector('#download, #run-status.problem', { timeout: TIMEOUT });
  const [bytes, after, status] = await page.evaluate(() =>
    ['#bytes', '#after', '#run-status'].map((selector) => document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ').trim() ?? ''),
  );
  console.log(`${bytes}, ${after}, ${seconds()}${status && `; ${status}`}; load ${loadavg()[0].toFixed(1)}`);
  console.log(`memory of the browser's processes: ${memory(browser.process()?.pid).toLocaleString('en')} MB at most`);
  if (picture) writeFileSync(picture, await page.screenshot({ fullPage: true }));
  for (const fault of faults) console.log(`fault: ${fault}`);
} finally {
  await browser.close();
  site.close();
}

/** The largest resident size of a browser's processes so far, in MB. @param {number | undefined} browser */
function memory(browser) {
  const children = (/** @type {number} */ id) =>
    readFileSync(`/proc/${id}/task/${id}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const all = [];
  for (let waiting = browser ? [browser] : []; waiting.length > 0; ) {
    const id = /** @type {number} */ (waiting.pop());
    all.push(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) / 1024);
    waiting.push(...children(id));
  }
  return Math.round(Math.max(0, ...all));
}
