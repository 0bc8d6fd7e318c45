// Samples in other files than MNIST's, as a user has them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { csv, npy, npz } from './sample-files.js';
import { click, drop, dropAll, faults, finished, mnist, OPEN, page, ready, seriousFaults, SHORT, text } from './user.js';

/** The first of MNIST's samples, without the headers of their files. @param {'t10k' | 'train'} set @param {number} count */
const digits = (set, count) => ({
  pixels: Uint8Array.from(mnist(`${set}-images-idx3-ubyte`, count).subarray(16)),
  classes: Uint8Array.from(mnist(`${set}-labels-idx1-ubyte`, count).subarray(8)),
});

/** Waits until the network is measured on so many samples. @param {string} count */
const measuredOn = (count) =>
  page.waitForFunction((count) => document.querySelector('#accuracy')?.textContent?.includes(`${count} test samples`), { timeout: OPEN }, count);

const scalings = () => page.$$eval('#scaling option', (options) => options.map((option) => option.textContent?.replace(/\s+/g, ' ').trim() ?? ''));

test('an archive of arrays is opened, and tells what is in it', async () => {
  const [training, held] = [digits('train', 1000), digits('t10k', 500)];
  await ready();
  await drop(
    'digits.npz',
    npz({
      x_train: { shape: [1000, 28, 28], values: training.pixels },
      y_train: { shape: [1000], values: training.classes },
      x_test: { shape: [500, 28, 28], values: held.pixels },
      y_test: { shape: [500], values: held.classes },
    }),
  );
  await measuredOn('500');
  assert.ok(parseFloat(await text('#accuracy .figure')) > 97, await text('#accuracy'));
  const card = await text('network-card');
  assert.match(card, /digits\.npz: 500 test images, 1,000 training images/);
  assert.match(card, /1 × 28 × 28 bytes from 0 to 255, mean \d+(\.\d+)?, deviation \d+/);
  const zeros = [...training.classes, ...held.classes].filter((label) => label === 0).length;
  assert.match(card, new RegExp(`10: 0 \\(${zeros}\\), 1 \\(`));
  await page.waitForFunction(() => document.querySelectorAll('sample-strip canvas').length === 10, { timeout: OPEN });
  const [unit, ...others] = await scalings();
  assert.equal(unit, '0 to 1 (suggested)');
  // What follows from the samples is near what LeNet-5 was not trained with, and is measured again.
  await page.select('#scaling', String(others.findIndex((label) => label.startsWith('each channel')) + 1));
  await page.waitForFunction(() => document.querySelector('#scaling option:checked')?.textContent?.includes('each channel'), { timeout: OPEN });
  await measuredOn('500');
  assert.match(decodeURIComponent(page.url()), /"per_channel":\{"means":\[0\.1/);
  assert.deepEqual(await seriousFaults(), []);
  assert.deepEqual(faults, []);
});

test('a table is opened, and a fifth of it is held out', async () => {
  const { pixels, classes } = digits('t10k', 600);
  // In the order of the classes, as such tables are.
  const order = [...classes.keys()].sort((a, b) => classes[a] - classes[b]);
  const rows = Uint8Array.from(order.flatMap((index) => [...pixels.subarray(784 * index, 784 * (index + 1))]));
  await ready('#net=lenet300');
  await drop('digits.csv', csv(rows, order.map((index) => String(classes[index]))));
  await measuredOn('120');
  const card = await text('network-card');
  assert.match(card, /digits\.csv: 120 test samples, 480 training samples/);
  assert.match(card, /784 bytes from 0 to 255, by channel mean/);
  assert.match(card, /10: 0 \(\d+\), 1 \(/);
  assert.ok(parseFloat(await text('#accuracy .figure')) > 90, await text('#accuracy'));
  assert.equal(await page.$('sample-strip canvas'), null);
  assert.deepEqual(faults, []);
});

test('images without labels: a run is held to agreement with the original', async () => {
  const { pixels } = digits('train', 2500);
  await ready(SHORT);
  await drop('images.npz', npz({ images: { shape: [2500, 1, 28, 28], values: Float32Array.from(pixels, (byte) => byte / 255) } }));
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('no labels'), { timeout: OPEN });
  assert.match(await text('network-card'), /images\.npz: 500 test images, 2,000 training images/);
  assert.match(await text('network-card'), /floats from 0 to 1,/);
  assert.deepEqual((await scalings())[0], 'floats, unchanged (suggested)');
  await page.waitForFunction(() => document.querySelectorAll('sample-strip canvas').length === 10, { timeout: OPEN });
  assert.match(await text('#by-agreement'), /judged by agreement with the original/);
  assert.deepEqual(await seriousFaults(), []);
  await click('#compress');
  await finished();
  const card = await text('result-card');
  assert.match(card, /Agreement with the original \d+\.\d\d\s% of 500 test samples have the same answer as the original; the outputs differ by \d+\.\d\d\s% of their size/);
  assert.ok(parseFloat(await text('#after')) > 50);
  await page.waitForFunction(() => document.querySelector('answer-changes')?.textContent?.includes('count as correct'), { timeout: OPEN });
  assert.deepEqual(await seriousFaults(), []);
  assert.deepEqual(faults, []);
});

test('samples without a class for each are refused in words, and those that are there stay', async () => {
  await ready();
  await drop('cut.npz', npz({ x: { shape: [10, 4], values: new Float32Array(40) }, y: { shape: [9], values: new Uint8Array(9) } }));
  await page.waitForFunction(() => document.querySelector('#problem')?.textContent?.includes('cut.npz'), { timeout: OPEN });
  assert.match(await text('#problem'), /array 'y': expected \[10\]/);
  assert.match(await text('network-card'), /MNIST: 1,000 test images/);
  assert.deepEqual(faults, []);
});

test('two files of samples that say the same are refused by their names, and those that are there stay', async () => {
  const { pixels, classes } = digits('t10k', 20);
  const file = npz({ x: { shape: [20, 28, 28], values: pixels }, y: { shape: [20], values: classes } });
  await ready();
  await dropAll({ 'first.npz': file, 'second.npz': file });
  await page.waitForSelector('#problem:not([hidden])', { timeout: OPEN });
  assert.match(await text('#problem'), /^first\.npz and second\.npz: .* got second\.npz for the same as first\.npz/);
  assert.match(await text('network-card'), /MNIST: 1,000 test images/);
  assert.deepEqual(faults, []);
});

test('arrays that are dropped together are samples by their names', async () => {
  const [training, held] = [digits('train', 600), digits('t10k', 400)];
  await ready();
  await dropAll({
    'y_test.npy': npy({ shape: [400], values: held.classes }),
    'x_train.npy': npy({ shape: [600, 28, 28], values: training.pixels }),
    'x_test.npy': npy({ shape: [400, 28, 28], values: held.pixels }),
    'y_train.npy': npy({ shape: [600], values: training.classes }),
  });
  await measuredOn('400');
  assert.match(await text('network-card'), /y_test\.npy and 3 others: 400 test images, 600 training images/);
  assert.ok(parseFloat(await text('#accuracy .figure')) > 97, await text('#accuracy'));
  assert.deepEqual(faults, []);
});

test('a table to train with and one to test with are opened together', async () => {
  const table = (/** @type {'t10k' | 'train'} */ set, /** @type {number} */ count) => {
    const { pixels, classes } = digits(set, count);
    return csv(pixels, [...classes].map((label) => `digit ${label}`));
  };
  await ready('#net=lenet300');
  await dropAll({ 'train.csv': table('train', 300), 'test.csv': table('t10k', 200) });
  await measuredOn('200');
  const card = await text('network-card');
  assert.match(card, /train\.csv and test\.csv: 200 test samples, 300 training samples/);
  assert.match(card, /10: digit 0 \(\d+\), digit 1 \(/);
  assert.ok(parseFloat(await text('#accuracy .figure')) > 90, await text('#accuracy'));
  assert.deepEqual(faults, []);
});

test('an array alone that would fit the network is asked about', async () => {
  const { pixels } = digits('t10k', 300);
  const file = npy({ shape: [300, 1, 28, 28], values: pixels });
  await ready();
  await drop('array.npy', file);
  await page.waitForSelector('#asked', { timeout: OPEN });
  assert.match(await text('#asked'), /array\.npy is one array of 300 × 1 × 28 × 28 numbers\. Are these 300 samples, or a model's weights\? As samples they would fit LeNet-5\./);
  assert.match(await text('network-card'), /MNIST: 1,000 test images/);
  assert.deepEqual(await seriousFaults(), []);
  await click('#as-samples');
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('no labels'), { timeout: OPEN });
  assert.match(await text('network-card'), /array\.npy: 60 test images, 240 training images/);
  assert.equal(await page.$('#asked'), null);
  await drop('array.npy', file);
  await page.waitForSelector('#asked', { timeout: OPEN });
  await click('#as-weights');
  await page.waitForSelector('tensors-view tensor-table', { timeout: OPEN });
  assert.match(await text('network-card .lead'), /array\.npy/);
  assert.equal(await page.$('#asked'), null);
  // Without a network everything is asked about that may be samples.
  await drop('other.npy', npy({ shape: [40, 30], values: new Float32Array(1200).fill(0.5) }));
  await page.waitForSelector('#asked', { timeout: OPEN });
  assert.doesNotMatch(await text('#asked'), /fit/);
  assert.deepEqual(faults, []);
});
