// What the views show, against numbers computed here from the model file.
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { weightsOf } from './onnx.js';
import { download, faults, finished, OPEN, page, ready, RUN, seriousFaults, SHORT, text } from './user.js';

const FILE = readFileSync(new URL('../../www/models/lenet5.onnx', import.meta.url));
const CONV1 = weightsOf(FILE, 'conv1.weight');

/** Looks at a step, and waits until it shows `selector`. @param {string} step @param {string} selector */
async function look(step, selector) {
  await page.click(`[data-step=${step}]`);
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

async function activationsLoseWithFewBits() {
  const widths = await table('quantize-view nutshell-curve[label$=activation]');
  assert.deepEqual(widths.map(([bits]) => bits), ['2', '3', '4', '5', '6', '7', '8']);
  const [two, eight] = [widths[0], widths[6]].map((row) => parseFloat(row[1]));
  assert.ok(two < eight - 5 && eight > 50, `${two} %, ${eight} %`);
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
  await ready();
  const sum = CONV1.reduce((sum, weight) => sum + weight, 0);
  const mean = sum / CONV1.length;
  const deviation = Math.sqrt(CONV1.reduce((sum, weight) => sum + (weight - mean) ** 2, 0) / CONV1.length);
  const shown = await says('model-view .live', /Kurtosis/);
  assert.ok(shown.includes(String(Number(deviation.toPrecision(3)))), `${deviation}: ${shown}`);
  const counts = await table('model-view nutshell-histogram');
  assert.equal(counts.reduce((sum, row) => sum + Number(row[1]), 0), CONV1.filter((weight) => weight !== 0).length);

  await look('prune', '#threshold');
  await says('#pruned-accuracy', /\d%/);
  // It begins with half of the weights.
  await says('#sparsity', /^(50\.0|49\.9)\d%$/);
  await page.$eval('#threshold', (slider) => {
    Object.assign(slider, { value: '300' });
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
  const sparsity = parseFloat(await says('#sparsity', /^[6-9]\d/));
  assert.ok(sparsity > 60 && sparsity < 100, String(sparsity));

  await look('share', '#centroids');
  await page.$eval('#centroids', (slider) => {
    Object.assign(slider, { value: '3' });
    slider.dispatchEvent(new Event('input', { bubbles: true }));
  });
  const energy = CONV1.reduce((sum, weight) => sum + weight * weight, 0);
  const distortion = kMeans([...CONV1].sort((a, b) => a - b), 3) / energy;
  await says('#distortion', new RegExp(`^${(100 * distortion).toFixed(2)}%`));

  await look('quantize', '#bits');
  const largest = Math.max(...CONV1.map(Math.abs));
  const fraction = Math.floor(Math.log2(7.49 / largest));
  // The values that stand for a layer without a codebook are means: the largest is a little smaller.
  const format = await says('#format', /^Q/);
  assert.match(format, new RegExp(`^Q-?\\d\\.(${fraction}|${fraction + 1}),`));
  assert.equal((await table('quantize-view nutshell-curve')).length, 7);
  assert.deepEqual(faults, []);
});

test('after a run every view shows what the run did, and nothing serious is wrong with any', async () => {
  await ready(SHORT);
  await page.click('#compress');
  await finished();
  await page.waitForFunction(() => document.querySelectorAll('nutshell-confusion').length === 2, { timeout: RUN });
  const answers = await page.$$eval('nutshell-confusion', (matrices) => matrices.map((matrix) => [.../** @type {any} */ (matrix).counts]));
  for (const counts of answers) assert.equal(counts.reduce((sum, count) => sum + count, 0), 10_000);
  // The diagonal is what was answered rightly.
  const right = answers[1].reduce((sum, count, place) => sum + (place % 11 === 0 ? count : 0), 0);
  assert.equal(await text('#after'), `${(right / 100).toFixed(2)}%`);
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

  await look('code', 'code-view nutshell-bytes');
  const bytes = await table('code-view nutshell-bytes');
  const file = await text('[data-step=code] b');
  assert.equal(bytes[0].at(-1), file);
  const layers = bytes.slice(1).reduce((sum, row) => sum + Number(row.at(-1)?.replace(/\D/g, '')), 0);
  assert.ok(layers <= Number(file.replace(/\D/g, '')) + 2, `${layers} of ${file}`);
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
  }
  // A column is sorted by its head.
  await page.evaluate(() => /** @type {HTMLElement} */ (document.querySelectorAll('layer-table .sort')[2]).click());
  await page.waitForFunction(() => document.querySelector('layer-table tbody th')?.textContent?.trim() === 'fc1', { timeout: OPEN });

  await page.reload();
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  await look('result', 'nutshell-scatter');
  assert.equal((await table('nutshell-scatter')).length, 1);
  await page.$eval('nutshell-scatter', (chart) => chart.shadowRoot?.querySelector('[role=button]')?.dispatchEvent(new MouseEvent('click')));
  await page.waitForSelector('#download', { timeout: OPEN });
  assert.equal(await text('#bytes'), file);
  assert.deepEqual(faults, []);
});
