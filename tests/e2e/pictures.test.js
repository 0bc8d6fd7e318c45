// Pictures as samples: in archives, in folders, by themselves.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { png, TURNED, zip } from './sample-files.js';
import { click, drop, dropAll, dropPaths, faults, finished, mnist, OPEN, page, ready, recipe, seriousFaults, text } from './user.js';

/** The first of MNIST's test images as PNG files, in a folder a class. @param {number} count @param {string} above The folder above the classes. */
function digits(count, above) {
  const images = mnist('t10k-images-idx3-ubyte', count).subarray(16);
  const labels = mnist('t10k-labels-idx1-ubyte', count).subarray(8);
  const file = (/** @type {number} */ index) => png(images.subarray(784 * index, 784 * (index + 1)), { width: 28 });
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${above}${labels[index]}/${String(index).padStart(4, '0')}.png`, file(index)]));
}

/** Waits until the network is measured on so many samples. @param {string} count */
const measuredOn = (count) =>
  page.waitForFunction((count) => document.querySelector('#accuracy')?.textContent?.includes(`${count} test samples`), { timeout: OPEN }, count);

/** @param {RegExp} words */
const refused = async (words) => {
  await page.waitForSelector('#problem:not([hidden])', { timeout: OPEN });
  assert.match(await text('#problem'), words);
};

/** Files in a folder of the disk while `work` goes on. @param {Record<string, Uint8Array>} files @param {(folder: string) => Promise<void>} work */
async function onDisk(files, work) {
  const folder = mkdtempSync(join(tmpdir(), 'nutshell-'));
  try {
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('an archive of pictures is opened: classes by their folders, and its own test samples', async () => {
  await ready();
  await drop('digits.zip', zip({ ...digits(300, 'set/train/'), ...digits(500, 'set/test/'), 'set/test/0/notes.txt': Buffer.from('zeros'), '__MACOSX/set/._x.png': Buffer.from('x') }));
  await measuredOn('500');
  // The same accuracy as the same digits have from MNIST's own files: the pixels are the same.
  const accuracy = await text('#accuracy .figure');
  const card = await text('network-card');
  assert.match(card, /digits\.zip: 500 test images, 300 training images/);
  assert.match(card, /1 × 28 × 28 bytes from 0 to 255/);
  assert.match(card, /10: 0 \(\d+\), 1 \(/);
  assert.match(card, /Not used ?test\/0\/notes\.txt/);
  assert.deepEqual(await seriousFaults(), []);
  await dropAll({ 't10k-images-idx3-ubyte': mnist('t10k-images-idx3-ubyte', 500), 't10k-labels-idx1-ubyte': mnist('t10k-labels-idx1-ubyte', 500) });
  await page.waitForFunction(() => document.querySelector('network-card')?.textContent?.includes('Your samples: 500'), { timeout: OPEN });
  await measuredOn('500');
  assert.equal(await text('#accuracy .figure'), accuracy);
  assert.deepEqual(faults, []);
});

test('samples judge a network of the user\'s once some fit it', async () => {
  await ready();
  await drop('three.csv', Buffer.from(`a,b,c,label\n${Array.from({ length: 20 }, (_, row) => `${row},0.5,1,${row % 2}\n`).join('')}`));
  await page.waitForFunction(() => document.querySelector('network-card')?.textContent?.includes('three.csv: 4 test'), { timeout: OPEN });
  await drop('mine.onnx', readFileSync(new URL('../../www/models/lenet5.onnx', import.meta.url)));
  const judge = (/** @type {string} */ by) => page.waitForSelector(`input[name=evidence][value=${by}]:checked`, { timeout: OPEN });
  await judge('weights');
  await drop('digits.zip', zip(digits(100, '')));
  await measuredOn('20');
  await judge('samples');
  assert.match(await text('network-card'), /mine\.onnx/);
  assert.deepEqual(faults, []);
});

test('a folder is dropped or chosen, and a fifth of it is held out', async () => {
  await ready();
  await onDisk(digits(200, ''), async (folder) => {
    await dropPaths([folder]);
    await measuredOn('40');
    assert.match(await text('network-card'), /: 40 test images, 160 training images/);
    assert.match(await text('network-card'), /10: 0 \(\d+\), 1 \(/);
  });
  await onDisk(digits(100, ''), async (folder) => {
    const input = await page.$('network-card input[webkitdirectory]');
    await /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (input).uploadFile(folder);
    await measuredOn('20');
    assert.match(await text('network-card'), /: 20 test images, 80 training images/);
  });
  assert.deepEqual(faults, []);
});

test('pictures by themselves have no labels', async () => {
  await ready();
  const files = Object.entries(digits(20, '')).map(([path, bytes]) => [path.split('/')[1], bytes]);
  await dropAll(Object.fromEntries(files));
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('no labels'), { timeout: OPEN });
  assert.match(await text('network-card'), /0000\.png and 19 others: 4 test images, 16 training images/);
  assert.match(await text('network-card'), /none: the samples have no labels/);
  assert.deepEqual(faults, []);
});

test('pictures without labels are shown with their classes before and after', async () => {
  await ready(recipe({ effort: 'calibrate', round: { probes: 6 } }));
  const files = Object.entries(digits(60, '')).map(([path, bytes]) => [path.split('/')[1], bytes]);
  await dropAll(Object.fromEntries(files));
  await page.waitForFunction(() => document.querySelector('#accuracy')?.textContent?.includes('no labels'), { timeout: OPEN });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  await click('#compress');
  await finished();
  await page.waitForSelector('.pairs li', { timeout: OPEN });
  const pairs = await page.$$eval('.pairs .words', (all) => all.map(({ textContent }) => textContent?.replace(/\s+/g, ' ').trim() ?? ''));
  assert.equal(pairs.length, 12);
  for (const words of pairs) assert.match(words, /^before class \d \d+\.\d % after class \d \d+\.\d %$/);
  assert.match(await text('answer-pairs'), /Classes are numbered from 0/);
  // Agreement of each probe, and how far the outputs moved.
  await click('[data-step=quantize]');
  await page.waitForSelector('#probes', { timeout: OPEN });
  const heads = await page.$$eval('#probes th', (heads) => heads.map(({ textContent }) => textContent));
  assert.deepEqual(heads, ['Probe', 'Signal to noise', 'Agreement with the original', 'Outputs differ by', 'Verdict']);
  const row = await text('#probes tbody tr');
  assert.match(row, /^1 \d+\.\d dB \d+\.\d\d % \d+\.\d\d % (accepted|rejected)$/);
  assert.deepEqual(await seriousFaults(), []);
  assert.deepEqual(faults, []);
});

test('pixels are as they are in the file: without colour profiles, or being turned', async () => {
  // A pixel of red, green, blue and no transparency; in the second picture grey.
  const coloured = [200, 100, 50, 255, 200, 100, 50, 255];
  const grey = [10, 255, 10, 255];
  const files = {
    'a/1.png': png(coloured, { width: 2, kind: 6, exif: TURNED }),
    'a/2.png': png(coloured, { width: 2, kind: 6 }),
    'b/3.png': png(grey, { width: 2, kind: 4 }),
    'b/4.png': png(grey, { width: 2, kind: 4, exif: TURNED }),
  };
  await ready();
  await drop('some.zip', zip(Object.fromEntries(Object.entries(files).flatMap(([name, bytes]) => [[`train/${name}`, bytes], [`test/${name}`, bytes]]))));
  await page.waitForFunction(() => document.querySelector('network-card')?.textContent?.includes('4 training'), { timeout: OPEN });
  const card = await text('network-card');
  assert.match(card, /3 × 1 × 2 bytes from 10 to 200, by channel mean 105, 55, 30, deviation 95, 45, 20/);
  assert.match(card, /2: a \(4\), b \(4\)/);
  assert.deepEqual(faults, []);
});

test('a photograph that a camera has turned is read as it is stored', async () => {
  await ready();
  const jpeg = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(16, 8);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no canvas');
    context.fillStyle = 'rgb(40 80 120)';
    context.fillRect(0, 0, 16, 8);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 1 })).arrayBuffer())];
  });
  const exif = Buffer.concat([Buffer.from('Exif\0\0'), TURNED]);
  const turned = Buffer.from([...jpeg.slice(0, 2), 0xff, 0xe1, 0, exif.length + 2, ...exif, ...jpeg.slice(2)]);
  await drop('photographs.zip', zip(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`${index % 2}/${index}.jpg`, index < 5 ? turned : Buffer.from(jpeg)]))));
  await page.waitForFunction(() => document.querySelector('network-card')?.textContent?.includes('8 training'), { timeout: OPEN });
  assert.match(await text('network-card'), /photographs\.zip: 2 test images, 8 training images/);
  const [, ...means] = (await text('network-card')).match(/3 × 8 × 16 bytes .* by channel mean (\d+), (\d+), (\d+)/) ?? [];
  for (const [index, mean] of [40, 80, 120].entries()) assert.ok(Math.abs(Number(means[index]) - mean) <= 2, String(means));
  assert.deepEqual(faults, []);
});

test('photographs of different sizes become squares of their middles', async () => {
  await ready();
  const plain = (/** @type {number[]} */ pixel, /** @type {number} */ width, /** @type {number} */ height) =>
    png(new Uint8Array(4 * width * height).map((_, index) => [...pixel, 255][index % 4]), { width, kind: 6 });
  const files = { '1.png': plain([200, 100, 50], 300, 200), '2.png': plain([0, 100, 150], 20, 40), '3.png': plain([100, 100, 100], 9, 9), '4.png': plain([100, 100, 100], 8, 9), '5.png': plain([100, 100, 100], 9, 8) };
  await drop('photographs.zip', zip(files));
  // The network reads grey digits.
  const unfit = 'expected [1, 28, 28], got [3, 256, 256]';
  await page.waitForFunction((unfit) => document.querySelector('network-card')?.textContent?.includes(unfit), { timeout: OPEN }, unfit);
  const card = await text('network-card');
  assert.match(card, /photographs\.zip: 1 test images, 4 training images/);
  assert.match(card, /3 × 256 × 256 bytes/);
  assert.match(card, /Not used ?what lies outside the middle squares of the pictures, which are scaled to 256 x 256 pixels/);
  assert.deepEqual(faults, []);
});

test('what is wrong with a picture is said with its name, and the page goes on working', async () => {
  const whole = png(new Uint8Array(784).map((_, index) => (index * 37) % 256), { width: 28 });
  await ready();
  await drop('broken.zip', zip({ 'a/1.png': whole, 'a/2.png': whole.subarray(0, 300), 'b/3.png': whole }));
  await refused(/^broken\.zip: picture file, a\/2\.png: expected a picture that this browser can decode, got one that it cannot/);
  await click('#problem button');
  await drop('large.zip', zip({ 'a/1.png': Buffer.concat([whole.subarray(0, 16), Buffer.from([0, 1, 0, 0, 0, 1, 0, 0]), whole.subarray(24)]) }));
  await refused(/^large\.zip: picture file, a?\/?1\.png: 34359738368 bytes are more than the limit of 1073741824/);
  await click('#problem button');
  await drop('glass.zip', zip({ 'a/1.png': png([200, 100, 50, 128], { width: 1, kind: 6 }) }));
  await refused(/^glass\.zip: picture file, a?\/?1\.png: expected opaque pixels, because a browser changes transparent ones, got transparent ones/);
  await click('#problem button');
  await drop('none.zip', zip({ 'notes.txt': Buffer.from('nothing') }));
  await refused(/^none\.zip: archive: expected PNG or JPEG files, in folders of classes or alone, got none/);
  assert.match(await text('network-card'), /MNIST: 1,000 test images/);
  await click('#problem button');
  await drop('digits.zip', zip(digits(100, '')));
  await measuredOn('20');
  assert.deepEqual(faults, []);
});

test('reading many pictures shows how far it is, and can be ended', async () => {
  const many = digits(200, '');
  const copies = Object.entries(many).flatMap(([path, bytes]) => Array.from({ length: 20 }, (_, copy) => [path.replace('.png', `-${copy}.png`), bytes]));
  await ready();
  // By who looks and clicks at once.
  const cancelled = page.evaluate(
    () =>
      new Promise((done) => {
        const look = () => {
          const [bar, button] = [document.querySelector('#reading progress'), document.querySelector('#reading button')];
          if (!button || !bar || !(/** @type {HTMLProgressElement} */ (bar).value > 0)) return void setTimeout(look, 5);
          /** @type {HTMLElement} */ (button).click();
          done(document.querySelector('#reading')?.textContent);
        };
        look();
      }),
  );
  await drop('many.zip', zip(Object.fromEntries(copies)));
  assert.match(String(await cancelled), /of 4,000 pictures of many\.zip/);
  await page.waitForFunction(() => !document.querySelector('#reading'), { timeout: OPEN });
  assert.match(await text('network-card'), /MNIST: 1,000 test images/);
  assert.equal(await page.$('#problem:not([hidden])'), null);
  assert.deepEqual(faults, []);
});
