// The page in a real browser, as a user has it.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { serve } from './site.js';
import { click, download, drop, dropAll, faults, FEW, finished, mnist, OPEN, opened, page, press, ready, recipe, RUN, seriousFaults, SHORT, site, text } from './user.js';

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
  assert.match(await text('run-card'), /Cancelled/);
  await click('#resume');
  await page.waitForSelector('run-card progress', { timeout: OPEN });
  assert.match(await page.title(), /^\d+ %, compressing LeNet-5/);
  // Another tab says so, and offers nothing to resume.
  const other = await page.browserContext().newPage();
  await other.goto(site.url);
  await other.waitForSelector('#elsewhere', { timeout: OPEN });
  assert.equal(await other.$('#resume, #run-status'), null);
  await other.close();
  await page.bringToFront();
  await finished();
  assert.match(await text('#verdict'), /^Target met: on 1,000 validation samples accuracy .* \(standard error \d\.\d\d points\); at most 100 may be lost\.$/);
  assert.match(await page.title(), /^Done: [\d,]+ B/);
  assert.equal((await page.$$('result-card table:first-of-type tbody tr')).length > 5, true);
  assert.deepEqual(faults, []);
});

test('without training a network is rounded to the chosen tolerance', async () => {
  await ready(recipe({ split: { training: 1000, validation: 1000 } }));
  await click('input[name=effort][value=calibrate]');
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector('input[name=effort][value=calibrate]')).checked, { timeout: OPEN });
  await press('#compress');
  await finished();
  assert.match(await text('#verdict'), /^Target met: on 1,000 validation samples accuracy/);
  const bytes = Number((await text('#bytes')).replace(/\D/g, ''));
  assert.ok(bytes < 80_000, `${bytes}`);
  assert.ok(parseFloat(await text('#after')) > 97.5, await text('#after'));
  await click('[data-step=quantize]');
  await page.waitForSelector('quantize-view nutshell-histogram, quantize-view nutshell-codebook, quantize-view table', { timeout: OPEN });
  assert.deepEqual(await seriousFaults(), []);
  assert.deepEqual(faults, []);
});

/** Keeps everything that an element says from now on. @param {string} selector */
const listen = (selector) =>
  page.evaluate((selector) => {
    const heard = (/** @type {any} */ (window).heard = new Set());
    new MutationObserver(() => {
      const words = document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ');
      if (words) heard.add(words);
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  }, selector);

/** The rows of the layers by sensitivity: name, bar, bits per weight, step. */
const layers = () =>
  page.$$eval('#sensitivities tbody tr', (rows) =>
    rows.map(({ children: [, name, bar, bits, step] }) => ({
      name: name.textContent?.trim() ?? '',
      width: /** @type {HTMLElement | null} */ (bar.querySelector('.meter > span > span'))?.style.width ?? '',
      sensitivity: parseFloat(bar.textContent ?? ''),
      bits: Number(bits?.textContent),
      step: Number(step?.textContent),
    })),
  );

test('layers are shown by sensitivity, and those that are locked keep 16 bits in the next run', async () => {
  await ready(recipe({ effort: 'calibrate', split: { training: 300, validation: 300 }, round: { probes: 6, samples: 32 } }));
  await listen('#agreement');
  await click('#compress');
  await finished();
  const heard = /** @type {string[]} */ (await page.evaluate(() => [.../** @type {any} */ (window).heard]));
  assert.ok(heard.length > 1 && heard.every((words) => /^Accuracy\d+\.\d\d\s% of 300 validation samples$/.test(words)), heard.join());

  await click('[data-step=quantize]');
  await page.waitForSelector('#sensitivities .meter', { timeout: OPEN });
  const free = await layers();
  assert.deepEqual(free.map(({ name }) => name), ['conv1', 'conv2', 'fc1', 'fc2']);
  const most = Math.max(...free.map(({ sensitivity }) => sensitivity));
  for (const { sensitivity, width, bits } of free) {
    assert.ok(sensitivity > 0 && Math.abs(parseFloat(width) - (100 * sensitivity) / most) < 2, width);
    assert.ok(bits > 0 && bits < 10, String(bits));
  }
  assert.equal((await page.$$('#probes tbody tr')).length, 6);
  // By its head: the most sensitive first.
  await click('#sensitivities th:nth-child(3) .sort');
  const ranked = (await layers()).map(({ sensitivity }) => sensitivity);
  assert.deepEqual(ranked, ranked.toSorted((a, b) => b - a));
  await click('#sensitivities th:nth-child(2) .sort');

  await click('#sensitivities input[aria-label="Keep conv2 in 16 bits"]');
  await page.waitForSelector('#locks-changed', { timeout: OPEN });
  assert.match(await text('#locked'), /^Kept in 16 bits: conv2\./);
  assert.deepEqual(await seriousFaults(), []);
  await page.waitForFunction(() => decodeURIComponent(location.hash).includes('"locked":["conv2"]'), { timeout: OPEN });
  await press('#compress');
  await page.waitForSelector('run-card progress', { timeout: OPEN });
  await finished();
  await click('[data-step=quantize]');
  await page.waitForSelector('#sensitivities .meter', { timeout: OPEN });
  const locked = await layers();
  assert.deepEqual(locked.map(({ sensitivity }) => sensitivity), free.map(({ sensitivity }) => sensitivity));
  assert.ok(locked[1].bits > 10 && locked[1].step < free[1].step / 100, JSON.stringify(locked));
  assert.ok(locked[2].bits < 10, JSON.stringify(locked));
  // A link to it, in another tab.
  const other = await page.browserContext().newPage();
  await other.goto(page.url());
  await other.waitForSelector('#locked', { timeout: OPEN });
  await other.close();
  await click('#locked button');
  await page.waitForFunction(() => !document.querySelector('#locked'), { timeout: OPEN });
  assert.deepEqual(faults, []);
});

test('the page goes on working when its worker is killed', async () => {
  await ready(SHORT);
  const worker = page.workers()[0];
  const gone = new Promise((resolve) => page.on('workerdestroyed', resolve));
  await worker.evaluate(() => self.close());
  await gone;
  await click('#compress');
  await finished();
  assert.deepEqual(faults, []);
});

test('a run goes on after its worker has died in the middle', async () => {
  await page.evaluateOnNewDocument(() => {
    const Own = Worker;
    const started = (/** @type {any} */ (window).started = /** @type {Worker[]} */ ([]));
    window.Worker = class extends Own {
      /** @param {string} url @param {WorkerOptions} options */
      constructor(url, options) {
        super(url, options);
        if (options.name === 'runs') started.push(this);
      }
    };
  });
  await ready(SHORT);
  await click('#compress');
  await page.waitForFunction(() => document.querySelectorAll('.stages .done').length >= 2, { timeout: RUN });
  await page.evaluate(() => /** @type {any} */ (window).started[0].terminate());
  await page.waitForSelector('#run-status.problem', { timeout: OPEN });
  assert.match(await text('#run-status'), /the browser ended the engine/);
  await page.waitForSelector('#resume:not(:disabled)', { timeout: OPEN });
  await click('#resume');
  await page.waitForSelector('#download', { timeout: RUN });
  const nut = await download('#download', 'lenet5.nut');
  // Straight from the result, and from the file once it is open again: the same export.
  const onnx = await download('#save-onnx', 'lenet5.onnx');
  await click('#open-result');
  await opened('lenet5.nut');
  assert.ok(onnx.equals(await download('#onnx', 'lenet5.onnx')));
  assert.match(await text('.score'), new RegExp(`File ${nut.length.toLocaleString('en')} B`));
  assert.deepEqual(faults, []);
});

test('measuring may be ended, and what was measured stays', async () => {
  await page.goto(site.url);
  // As soon as the button is there.
  await page.evaluate(
    () =>
      new Promise((done) => {
        const look = () => {
          const button = /** @type {HTMLElement | null} */ (document.querySelector('#accuracy .working-on button'));
          const share = document.querySelector('#accuracy progress');
          if (!button || !(/** @type {HTMLProgressElement} */ (share).value > 0)) return void setTimeout(look, 5);
          button.click();
          done(undefined);
        };
        look();
      }),
  );
  await page.waitForSelector('#accuracy .figure', { timeout: OPEN });
  const samples = Number((await text('#accuracy')).match(/on ([\d,]+) test samples/)?.[1].replace(/,/g, ''));
  assert.ok(samples >= 500 && samples < 10_000, String(samples));
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
  await click('#problem button');
  assert.equal(await page.$('#problem:not([hidden])'), null);
  assert.match(await text('network-card .lead'), /LeNet-5/);
  assert.deepEqual(faults, []);
});

test("the user's own network is opened, and its graph shows where it branches", async () => {
  await ready();
  await drop('mine.onnx', readFileSync(new URL('../data/onnx/residual.onnx', import.meta.url)));
  await page.waitForFunction(() => document.querySelector('network-card .lead')?.textContent?.includes('mine.onnx'), { timeout: OPEN });
  await page.waitForSelector('model-view nutshell-graph', { timeout: OPEN });
  // The example's samples do not fit, so the weights alone judge, if the user wants nothing else.
  await page.waitForSelector('input[name=evidence][value=weights]:checked', { timeout: OPEN });
  assert.match(await text('#accuracy'), /not known/);
  await page.$eval('nutshell-graph', (chart) => Object.assign(/** @type {object} */ (chart.shadowRoot?.querySelector('details')), { open: true }));
  await page.waitForFunction(() => document.querySelector('nutshell-graph')?.shadowRoot?.querySelector('td'), { timeout: OPEN });
  const rows = await page.$eval('nutshell-graph', (chart) => [...(chart.shadowRoot?.querySelectorAll('tbody tr') ?? [])].map((row) => [...row.children].map((cell) => cell.textContent ?? '')));
  const add = rows.find((row) => row[1] === 'Add');
  assert.equal(add?.[4].split(', ').length, 2, JSON.stringify(rows));
  // A box that has weights chooses its layer, by keyboard too.
  await page.$eval('nutshell-graph', (chart) => /** @type {SVGElement} */ (chart.shadowRoot?.querySelectorAll('[role=button]')[2]).focus());
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /** @type {HTMLSelectElement} */ (document.querySelector('#layer')).value === '2', { timeout: OPEN });
  assert.deepEqual(await seriousFaults(), []);
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
  // What does not fit these samples any more is said above it, in the same moment.
  await press('#compress');
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
  const slow = await serve({ hold, tests: FEW });
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

test('the first load is small', async () => {
  /** @type {Set<string>} */
  const asked = new Set();
  const own = await serve({ hold: async (path) => void asked.add(path.replace(/\/$/, '/index.html').replace('/some/folder/', '')) });
  try {
    await page.goto(own.url);
    await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
    await page.waitForSelector('model-view nutshell-image', { timeout: OPEN });
    // The example's network and its samples are data.
    const loaded = [...asked].filter((path) => !/^(data|models)\//.test(path));
    for (const kind of ['index.html', '.css', '.wasm', '.js']) assert.ok(loaded.some((path) => path.endsWith(kind)), kind);
    const sizes = loaded.map((path) => gzipSync(readFileSync(new URL(`../../dist/${path}`, import.meta.url)), { level: 9 }).length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(total <= 900_000, `${total} bytes: ${loaded.map((path, index) => `${path} ${sizes[index]}`).join(', ')}`);
  } finally {
    own.close();
  }
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
  const wanted = ['effort', 'target', 'compress', 'scaling', 'layer', 'SUMMARY', 'BUTTON', 'A'];
  for (let press = 0; press < 150 && !wanted.every((name) => reached.has(name)); press++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.getAttribute('name') || document.activeElement?.tagName || ''));
  }
  for (const name of wanted) assert.ok(reached.has(name), name);
});
