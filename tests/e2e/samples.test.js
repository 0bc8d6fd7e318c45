// Samples in other files than MNIST's, as a user has them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { csv, npz } from './sample-files.js';
import { drop, dropAll, faults, finished, mnist, OPEN, page, ready, seriousFaults, SHORT, text } from './user.js';

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
  assert.equal((await page.$$('sample-strip canvas')).length, 10);
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
  assert.deepEqual((await scalings())[0], 'already floats, as they are (suggested)');
  assert.equal((await page.$$('sample-strip canvas')).length, 10);
  assert.match(await text('#by-agreement'), /held to agreement with the original/);
  assert.deepEqual(await seriousFaults(), []);
  await page.click('#compress');
  await finished();
  const card = await text('result-card');
  assert.match(card, /Agreement with the original \d+\.\d\d% of 500 test samples are answered as by the original; its outputs are \d+\.\d\d% of their size away/);
  assert.ok(parseFloat(await text('#after')) > 50);
  await page.waitForFunction(() => document.querySelector('answer-changes')?.textContent?.includes('stand for them'), { timeout: OPEN });
  assert.deepEqual(await seriousFaults(), []);
  assert.deepEqual(faults, []);
});

test('samples without a class for each are refused in words, and those that are there stay', async () => {
  await ready();
  await drop('cut.npz', npz({ x: { shape: [10, 4], values: new Float32Array(40) }, y: { shape: [9], values: new Uint8Array(9) } }));
  await page.waitForFunction(() => document.querySelector('#problem')?.textContent?.includes('cut.npz'), { timeout: OPEN });
  assert.match(await text('#problem'), /array 'y': expected \[10\]/);
  assert.match(await text('network-card'), /MNIST: 10,000 test images/);
  assert.deepEqual(faults, []);
});

test('of two files of samples that are dropped together, the one that is left out is named', async () => {
  const { pixels, classes } = digits('t10k', 20);
  const file = npz({ x: { shape: [20, 28, 28], values: pixels }, y: { shape: [20], values: classes } });
  await ready();
  await dropAll({ 'first.npz': file, 'second.npz': file });
  await page.waitForSelector('#problem:not([hidden])', { timeout: OPEN });
  assert.match(await text('#problem'), /not opened, .*: first\.npz/);
  assert.match(await text('network-card'), /second\.npz/);
});
