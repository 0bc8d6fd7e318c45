// What the views show, against numbers computed here from the model file.
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { weightsOf } from './onnx.js';
import { click, download, faults, FEW, finished, OPEN, page, ready, RUN, seriousFaults, SHORT, slide, text } from './user.js';

const FILE = readFileSync(new URL('../../www/models/lenet5.onnx', import.meta.url));
const CONV1 = weightsOf(FILE, 'conv1.weight');

/** Looks at a step, and waits until it shows `selector`. @param {string} step @param {string} selector */
async function look(step, selector) {
  await click(`[data-step=${step}]`);
  await page.waitForSelector(selector, { timeout: OPEN });
}

/** Waits until an element says something of this form, and reads it. @param {string} selector @param {RegExp} form */
async function says(selector, form) {
  await page.waitForFunction(
    (selector, form) => new RegExp(form).test(document.querySelector(selector)?.textContent?.replace(/\s+/g, ' ') ?? ''),
    { timeout: OPEN },
    selector,
    form.source,
  );
  return text(selector);
}

/** Opens a chart's table, and reads it row by row. @param {string} selector @returns {Promise<string[][]>} */
async function table(selector) {
  const chart = await page.waitForSelector(selector, { timeout: OPEN });
  await chart?.evaluate((chart) => {
    const details = chart.shadowRoot?.querySelector('details');
    if (details) details.open = true;
  });
  await page.waitForFunction((selector) => document.querySelector(selector)?.shadowRoot?.querySelector('td'), {}, selector);
  return page.$eval(selector, (chart) =>
    [...(chart.shadowRoot?.querySelectorAll('tbody tr') ?? [])].map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '')),
  );
}

/** A one, by keyboard, on a clear paper. */
async function aDigitIsDrawnByKeyboard() {
  await page.$$eval('draw-pad button', ([clear]) => /** @type {HTMLElement} */ (clear).click());
  await page.waitForFunction(() => document.querySelectorAll('.answer').length === 0, { timeout: OPEN });
  await page.focus('#paper');
  await page.keyboard.press('Space');
  for (let step = 0; step < 10; step++) await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => [...document.querySelectorAll('.answer b')].map((answer) => answer.textContent).join() === '1,1', { timeout: OPEN });
}

/** Probe by probe, from the first to the last. */
async function theSearchIsPlayed() {
  const frames = () => page.$eval('search-player output', (output) => output.textContent);
  const all = (await frames())?.split(' of ')[1];
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector('search-player frame-player button')).click());
  await page.waitForFunction(() => document.querySelector('search-player output')?.textContent?.startsWith('1 of'), { timeout: OPEN });
  await page.waitForFunction((all) => document.querySelector('search-player output')?.textContent === `${all} of ${all}`, { timeout: OPEN }, all);
}

async function activationsLoseWithFewBits() {
  await page.waitForFunction(() => document.querySelector('nutshell-curve[label$=activation]') && !document.querySelector('quantize-view .working-on'), { timeout: RUN });
  const widths = await table('quantize-view nutshell-curve[label$=activation]');
  assert.deepEqual(widths.map(([bits]) => bits), ['2', '3', '4', '5', '6', '7', '8']);
  const [two, eight] = [widths[0], widths[6]].map((row) => parseFloat(row[1]));
  assert.ok(two < eight - 5 && eight > 50, `${two} %, ${eight} %`);
}

/** The chart's own numbers. @param {string} selector @param {string[]} names @returns {Promise<any>} */
const properties = (selector, names) =>
  page.$eval(selector, (chart, names) => Object.fromEntries(names.map((name) => [name, structuredClone(/** @type {any} */ (chart)[name])])), names);

/** By keyboard the histogram shows a part of the range, in bins of a pixel, counted again. */
async function aPartIsCountedAnew() {
  const whole = await properties('model-view nutshell-histogram', ['counts', 'range', 'plotWidth']);
  assert.equal(whole.counts.length, whole.plotWidth);
  await page.$eval('model-view nutshell-histogram', (chart) => /** @type {SVGElement} */ (chart.shadowRoot?.querySelector('[tabindex]')).focus());
  for (const key of ['+', '+', 'ArrowRight']) await page.keyboard.press(key);
  const width = (whole.range[1] - whole.range[0]) / 4;
  await page.waitForFunction(
    (width) => {
      const { range } = /** @type {any} */ (document.querySelector('model-view nutshell-histogram'));
      return Math.abs(range[1] - range[0] - width) < 1e-6 && range[0] + range[1] > 0.01;
    },
    { timeout: OPEN },
    width,
  );
  const part = await properties('model-view nutshell-histogram', ['counts', 'range']);
  const inside = CONV1.filter((weight) => weight !== 0 && weight >= part.range[0] && weight <= part.range[1]).length;
  // A weight on an edge may be counted on either side: the edges are rounded to 32 bits.
  assert.ok(Math.abs(part.counts.reduce((/** @type {number} */ sum, /** @type {number} */ count) => sum + count, 0) - inside) <= 1);
  assert.equal(part.counts.length, whole.plotWidth);
}

/** Each layer's sparsity, times its weights, makes the network's. @param {number} percent */
async function layersAddUpTo(percent) {
  const bars = await table('prune-view nutshell-bars');
  const sizes = [500, 25_000, 400_000, 5000];
  const gone = bars.reduce((sum, [, share], index) => sum + (parseFloat(share) / 100) * sizes[index], 0);
  assert.ok(Math.abs(gone / 430_500 - percent / 100) < 2e-4, `${gone} ${percent}`);
}

/** The picture of indices has as many pixels of each colour as weights are nearest to each value. */
async function indicesAreOfTheNearest() {
  const image = 'share-view nutshell-image[label^=Which]';
  await page.waitForFunction((image) => /** @type {any} */ (document.querySelector(image))?.values.length === 3, { timeout: OPEN }, image);
  await page.waitForFunction((image) => /** @type {any} */ (document.querySelector(image)).picture.reach === 3, { timeout: OPEN }, image);
  const { values, picture } = await properties(image, ['values', 'picture']);
  const expected = [0, 0, 0];
  for (const weight of CONV1) {
    const distances = values.map((/** @type {number} */ value) => Math.abs(value - weight));
    expected[distances.indexOf(Math.min(...distances))]++;
  }
  const pixels = /** @type {number[]} */ (Object.values(picture.pixels));
  assert.deepEqual([2, 3, 4].map((byte) => pixels.filter((pixel) => pixel === byte).length), expected);
}

/** Root mean square of the errors of rounding to so many fraction bits, over that of the values. @param {number[]} values @param {number} fraction */
function roundingError(values, fraction) {
  const square = (/** @type {number[]} */ numbers) => numbers.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(square(values.map((value) => value - Math.round(value * 2 ** fraction) / 2 ** fraction)) / square(values));
}

/** Bits of each symbol against codes computed here. */
async function symbolsCostWhatTheyMust() {
  const rows = (await table('code-view nutshell-dots')).map((row) => row.slice(1).map((cell) => Number(cell.replace(/,/g, ''))));
  const all = Number((await text('code-view figcaption:has(+ nutshell-bars) span')).match(/^([\d,]+) weights/)?.[1].replace(/,/g, ''));
  const counts = rows.map(([count]) => count);
  const total = counts.reduce((sum, count) => sum + count, 0);
  assert.equal(total, all, 'no more than twelve symbols in conv1');
  for (const [count, , ideal] of rows) assert.equal(ideal, Number(Math.log2(total / count).toFixed(2)));
  // Huffman: the two rarest are joined until one is left; each joining adds a bit to all below.
  let [heap, bits] = [[...counts], 0];
  while (heap.length > 1) {
    heap.sort((a, b) => a - b);
    const [first, second, ...rest] = heap;
    bits += first + second;
    heap = [...rest, first + second];
  }
  assert.equal(rows.reduce((sum, [count, , , huffman]) => sum + count * huffman, 0), bits);
  const [huffman, entropy, ours] = (await table('code-view nutshell-bars')).map((row) => Number(row[1].replace(/\D/g, '')));
  const sum = (/** @type {number} */ column) => rows.reduce((sum, row) => sum + row[0] * row[column], 0) / 8;
  assert.ok(Math.abs(huffman - bits / 8) <= 0.5 && Math.abs(entropy - sum(2)) <= 1 && ours >= sum(1) - 1 && ours < sum(1) + 6, `${huffman} ${entropy} ${ours} ${sum(1)}`);
}

/** The least sum of squared distances of sorted numbers to k values, by trying every cut.
 * @param {number[]} sorted @param {number} k */
function kMeans(sorted, k) {
  const sums = [[0, 0]];
  for (const value of sorted) sums.push([sums[sums.length - 1][0] + value, sums[sums.length - 1][1] + value * value]);
  const cost = (/** @type {number} */ from, /** @type {number} */ to) =>
    sums[to][1] - sums[from][1] - (sums[to][0] - sums[from][0]) ** 2 / (to - from);
  let best = sorted.map((_, end) => cost(0, end + 1));
  for (let clusters = 2; clusters <= k; clusters++)
    best = sorted.map((_, end) => {
      let least = Infinity;
      for (let start = clusters - 1; start <= end; start++) least = Math.min(least, best[start - 1] + cost(start, end + 1));
      return least;
    });
  return best[best.length - 1];
}

test('before a run the views show the network as it is, and what each step would do', async () => {
  await ready('#layer=0');
  const sum = CONV1.reduce((sum, weight) => sum + weight, 0);
  const mean = sum / CONV1.length;
  const deviation = Math.sqrt(CONV1.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / CONV1.length);
  const shown = await says('model-view .live', /Kurtosis/);
  assert.ok(shown.includes(String(Number(deviation.toPrecision(3)))), `${deviation}: ${shown}`);
  const counts = await table('model-view nutshell-histogram');
  assert.equal(counts.reduce((sum, row) => sum + Number(row[1]), 0), CONV1.filter((weight) => weight !== 0).length);
  await aPartIsCountedAnew();

  await look('prune', '#threshold');
  await says('#pruned-accuracy', /\d\s%/);
  // It begins with half of the weights.
  await says('#sparsity', /^(50\.0|49\.9)\d\s%$/);
  await slide('#threshold', 290);
  const sparsity = parseFloat(await says('#sparsity', /^[6-9]\d/));
  assert.ok(sparsity > 60 && sparsity < 100, String(sparsity));
  await layersAddUpTo(sparsity);
  await slide('#threshold', 400);
  await says('#sparsity', /^100\./);
  const dead = await table('prune-view nutshell-units');
  // Without weights nothing but a unit a layer lives, and the answers' ten.
  assert.deepEqual(dead.map(([name, all, left]) => [name, all, left]), [['conv1', '20', '1'], ['conv2', '50', '1'], ['fc1', '500', '1'], ['fc2', '10', '10']]);

  await look('share', '#centroids');
  await slide('#centroids', 3);
  const energy = CONV1.reduce((sum, weight) => sum + weight * weight, 0);
  const distortion = kMeans([...CONV1].sort((a, b) => a - b), 3) / energy;
  await says('#distortion', new RegExp(`^${(100 * distortion).toFixed(2)}\\s%`));
  await indicesAreOfTheNearest();

  await look('quantize', '#bits');
  const largest = Math.max(...CONV1.map(Math.abs));
  const fraction = Math.floor(Math.log2(7.49 / largest));
  // The values that stand for a layer without a codebook are means: the largest is a little smaller.
  const format = await says('#format', /^Q/);
  assert.match(format, new RegExp(`^Q-?\\d\\.(${fraction}|${fraction + 1}),`));
  const formats = await page.$$eval('quantize-view table.narrow tbody tr', (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim())));
  assert.equal(formats.length, 4);
  assert.deepEqual(formats[0], ['conv1', `Q${3 - fraction}.${fraction}`, String(Number((2 ** -fraction).toPrecision(3))), `${(100 * roundingError(CONV1, fraction)).toFixed(2)}\u00a0%`]);
  await page.waitForFunction(() => !document.querySelector('quantize-view .working-on'), { timeout: RUN });
  assert.equal((await table('quantize-view nutshell-curve')).length, 7);
  assert.deepEqual(faults, []);
});

/** Chooses a run in the chart of all, once it is drawn. */
const clickFirstRun = () =>
  page.waitForFunction(() => document.querySelector('nutshell-scatter')?.shadowRoot?.querySelector('[role=button]')?.dispatchEvent(new MouseEvent('click')), { timeout: OPEN });

test('after a run every view shows what the run did, and nothing serious is wrong with any', async () => {
  await ready(SHORT);
  await click('#compress');
  // The page follows the run.
  await page.waitForSelector('[data-step=quantize][aria-pressed=true]', { timeout: RUN });
  await finished();
  const widths = (await table('result-card nutshell-units')).map((row) => row[2]);
  assert.deepEqual(widths, await page.$$eval('layer-table tbody tr', (rows) => rows.map((row) => row.children[1].textContent?.split(' ')[0])));
  await page.waitForFunction(() => document.querySelectorAll('nutshell-confusion').length === 2, { timeout: RUN });
  const answers = await page.$$eval('nutshell-confusion', (matrices) => matrices.map((matrix) => [.../** @type {any} */ (matrix).counts]));
  for (const counts of answers) assert.equal(counts.reduce((sum, count) => sum + count, 0), FEW);
  // The diagonal holds the correct answers.
  const right = answers[1].reduce((sum, count, place) => sum + (place % 11 === 0 ? count : 0), 0);
  assert.equal(await text('#after'), `${((100 * right) / FEW).toFixed(2)} %`);
  assert.deepEqual(await seriousFaults(), [], 'result');

  const report = (await download('#save-page', 'lenet5.html')).toString();
  assert.ok((report.match(/<svg/g) ?? []).length > 6, 'its charts');
  assert.ok(!/(src|href)=/.test(report), 'nothing is loaded from anywhere');
  assert.ok(report.includes(await text('#bytes')));
  const reader = await page.browser().newPage();
  await reader.setContent(report);
  assert.ok(await reader.$$eval('svg', (charts) => charts.every((chart) => chart.getBoundingClientRect().width > 600)), 'its charts are seen');
  await reader.close();

  const paper = await page.$('#paper');
  await paper?.scrollIntoView();
  const box = await paper?.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 100, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + 100, box.y + 170, { steps: 8 });
  await page.mouse.up();
  await page.waitForFunction(() => document.querySelectorAll('.answer').length === 2, { timeout: OPEN });
  await aDigitIsDrawnByKeyboard();

  await look('code', 'code-view nutshell-bytes');
  await page.select('#layer', '0');
  const bytes = await table('code-view nutshell-bytes');
  const file = await text('[data-step=code] b');
  assert.equal(bytes[0].at(-1), file);
  const layers = bytes.slice(1).reduce((sum, row) => sum + Number(row.at(-1)?.replace(/\D/g, '')), 0);
  assert.ok(layers <= Number(file.replace(/\D/g, '')) + 2, `${layers} of ${file}`);
  await symbolsCostWhatTheyMust();
  assert.deepEqual(await seriousFaults(), [], 'code');

  for (const [step, selector] of [
    ['quantize', 'quantize-view nutshell-codebook'],
    ['share', 'share-view nutshell-curve'],
    ['prune', 'prune-view nutshell-search'],
    ['model', 'model-view nutshell-image'],
  ]) {
    await look(step, selector);
    assert.deepEqual(await seriousFaults(), [], step);
    if (step === 'quantize') await activationsLoseWithFewBits();
    if (step === 'prune') await theSearchIsPlayed();
  }
  // A column is sorted by its head.
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelectorAll('layer-table .sort')[2]).click());
  await page.waitForFunction(() => document.querySelector('layer-table tbody th')?.textContent?.trim() === 'fc1', { timeout: OPEN });

  await page.reload();
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  await look('result', 'nutshell-scatter');
  assert.equal((await table('nutshell-scatter')).length, 1);
  await clickFirstRun();
  await page.waitForSelector('#download', { timeout: OPEN });
  assert.equal(await text('#bytes'), file);
  // The networks after its stages were kept too.
  await look('prune', 'prune-view nutshell-image[label$=after]');
  await look('quantize', 'quantize-view nutshell-curve[label$=activation]');
  // Also while another network is open.
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelectorAll('network-card .choice')[1]).click());
  await page.waitForFunction(() => document.querySelector('network-card .lead')?.textContent?.includes('LeNet-300') && document.querySelector('#accuracy .figure'), { timeout: OPEN });
  await look('result', 'nutshell-scatter');
  await clickFirstRun();
  await page.waitForSelector('#download', { timeout: OPEN });
  assert.match(await text('network-card .lead'), /LeNet-5/);
  await look('prune', 'prune-view nutshell-image[label$=after]');
  await look('result', '#download');
  // It asks first.
  await page.$eval('#forget-runs button', (button) => button.click());
  await page.waitForSelector('#forget-runs .danger', { timeout: OPEN });
  assert.ok(await page.$('nutshell-scatter'));
  await page.$eval('#forget-runs .danger', (button) => /** @type {HTMLElement} */ (button).click());
  await page.waitForFunction(() => !document.querySelector('nutshell-scatter'), { timeout: OPEN });
  await page.reload();
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  await look('result', '#paper');
  assert.equal(await page.$('nutshell-scatter'), null);
  assert.deepEqual(faults, []);
});
