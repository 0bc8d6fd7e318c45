// Files of weights, and compressing without samples, as a user has them.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { initializers } from './onnx.js';
import { click, download, drop, dropAll, faults, OPEN, opened, page, press, ready, RUN, seriousFaults, text } from './user.js';
import { normal, npy, pth, readSafetensors, safetensors, signalToNoise } from './weight-files.js';

/** Waits until a file of weights is open, and one of its tensors is drawn. @param {string} name */
const shown = (name) =>
  page.waitForFunction(
    (name) =>
      document.querySelector('network-card .lead')?.textContent?.includes(name) &&
      document.querySelector('#obstacle') &&
      document.querySelector('tensors-view nutshell-image')?.shadowRoot?.querySelector('canvas'),
    { timeout: OPEN },
    name,
  );

/** Waits for the end of a run, which must be a good one. */
async function compressed() {
  await page.waitForSelector('result-card #download, #run-status.problem', { timeout: RUN });
  if (!(await page.$('result-card #download'))) assert.fail(`the run stopped: ${await text('#run-status')}`);
  await page.waitForFunction(() => document.querySelectorAll('result-card weight-figures nutshell-image').length === 2, { timeout: OPEN });
}

/** Opens the table of other formats, and saves one of them. @param {string} place @param {string} kind @param {string} name */
async function exported(place, kind, name) {
  if (!(await page.$(`${place} export-table details[open]`))) await press(`${place} export-table summary`);
  const button = `${place} [data-export=${kind}]:not(:disabled)`;
  await page.waitForSelector(button, { timeout: OPEN });
  return download(button, name);
}

/** @param {string} selector @param {number} value */
const fill = (selector, value) =>
  page.$eval(
    selector,
    (field, value) => {
      Object.assign(field, { value: String(value) });
      field.dispatchEvent(new Event('change', { bubbles: true }));
    },
    value,
  );

/** @param {string} words */
const bytesOf = (words) => Number(words.replace(/[^\d]/g, ''));

const sideways = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test('named weights are shown, compressed without samples, exported, and opened again', async () => {
  const layers = { 'encoder.layer.0.weight': normal([64, 32], 0.1), 'encoder.layer.1.weight': normal([16, 8, 3, 3], 2) };
  const many = Object.fromEntries(Array.from({ length: 312 }, (_, index) => [`encoder.block.${index}.bias`, normal([4], 1)]));
  const tensors = { ...layers, ...many };
  const file = safetensors(tensors);
  await ready();
  await drop('model.safetensors', file);
  await shown('model.safetensors');
  assert.match(await text('network-card'), /Format safetensors/);
  assert.match(await text('network-card'), new RegExp(`${file.length.toLocaleString('en')} B on disk`));
  assert.match(await text('network-card'), /314 with 4,448 elements, 17,792 B in their own types: float32/);
  assert.equal((await page.$$('tensor-table tbody tr')).length, 314);
  const { values } = layers['encoder.layer.0.weight'];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  assert.equal(await text('weight-figures .live dd'), String(Number(mean.toPrecision(3))).replace('-', '\u2212'));
  // Another tensor is chosen by the keyboard, and drawn.
  await page.focus('tensor-table [aria-pressed=true]');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.querySelector('weight-figures h3')?.textContent?.includes('encoder.layer.1.weight'), { timeout: OPEN });
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'encoder.layer.1.weight');
  assert.deepEqual(await seriousFaults(), []);

  await click('#compress');
  await compressed();
  assert.match(await text('#criterion'), /no samples were used.*2 of 314 tensors were rounded/);
  assert.deepEqual(await seriousFaults(), []);
  for (const width of [360, 768, 1280]) {
    await page.setViewport({ width, height: 900 });
    assert.equal(await sideways(), 0, `at ${width} pixels`);
  }
  const nut = await download('result-card #download', 'model.nut');
  assert.equal(nut.length, bytesOf(await text('#bytes')));
  assert.match(await text('.score'), new RegExp(`File ${nut.length.toLocaleString('en')} B`));

  // What the report says is what is in the file: by another reader, from another format.
  const written = readSafetensors(await exported('result-card', 'safetensors', 'model.safetensors'));
  assert.deepEqual(Object.keys(written), Object.keys(tensors));
  const names = Object.keys(layers);
  const snr = signalToNoise(names.map((name) => tensors[/** @type {keyof tensors} */ (name)]), names.map((name) => written[name]));
  assert.equal(`${snr.toFixed(2)} dB`, await text('#snr'));
  assert.ok(snr >= 30 && snr < 31, String(snr));
  for (const name of Object.keys(many)) assert.deepEqual(written[name].values, many[name].values);

  await drop('again.nut', nut);
  await shown('again.nut');
  assert.match(await text('network-card'), /\.nut, made from safetensors/);
  assert.deepEqual(readSafetensors(await exported('network-card', 'safetensors', 'again.safetensors')), written);
  assert.deepEqual(faults, []);
});

test('a run without samples is cancelled, and another one keeps its budget', async () => {
  await ready();
  await drop('weights.pth', pth({ 'fc.weight': normal([512, 512], 0.05), 'fc.bias': normal([512], 0.1) }));
  await shown('weights.pth');
  assert.match(await text('network-card'), /Format PyTorch/);
  await click('input[name=weights-target][value=budget]');
  await fill('#budget-target', 100_000);
  await page.focus('#compress');
  await page.keyboard.press('Enter');
  // In the middle of a search, by who looks and clicks at once.
  const focused = await page.waitForFunction(
    () => {
      const cancel = /** @type {HTMLElement | null} */ (document.querySelector('#cancel'));
      const searched = /** @type {HTMLProgressElement | null} */ (document.querySelector('run-card progress'))?.value;
      if (!cancel || !searched) return null;
      const focused = document.activeElement?.id;
      cancel.click();
      return focused;
    },
    { timeout: OPEN },
  );
  assert.equal(await focused.jsonValue(), 'cancel');
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  assert.match(await text('#run-status'), /Cancelled/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'compress');
  // At once, before there is a worker to end.
  await page.evaluate(async () => {
    /** @type {HTMLElement | null} */ (document.querySelector('#compress'))?.click();
    await /** @type {any} */ (document.querySelector('recipe-card')).updateComplete;
    /** @type {HTMLElement | null} */ (document.querySelector('#cancel'))?.click();
  });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  assert.match(await text('#run-status'), /Cancelled/);

  await click('#compress');
  await compressed();
  const bytes = bytesOf(await text('#bytes'));
  assert.ok(bytes <= 100_000 && bytes > 90_000, String(bytes));

  await fill('#budget-target', 100);
  await click('#compress');
  await page.waitForSelector('#run-status.problem', { timeout: RUN });
  assert.match(await text('#run-status'), /bytes of the file: wanted at most 100/);
  assert.deepEqual(faults, []);
});

test('lossless, every number is given back, and other formats are measured', async () => {
  const tensor = normal([40, 30], 1);
  await ready();
  await drop('array.npy', npy(tensor));
  await shown('array.npy');
  await click('input[name=weights-target][value=lossless]');
  await click('#compress');
  await compressed();
  assert.match(await text('#criterion'), /bit for bit/);
  const file = await exported('result-card', 'safetensors', 'array.safetensors');
  const [values] = Object.values(readSafetensors(file));
  assert.deepEqual(values, tensor);
  const npz = await exported('result-card', 'npz', 'array.npz');
  await page.waitForSelector('result-card #sizes:not(:disabled)', { timeout: OPEN });
  await page.focus('result-card #sizes');
  await page.keyboard.press('Enter');
  await page.waitForSelector('result-card #sizes:not(:disabled)', { timeout: OPEN });
  const rows = await page.$$eval('result-card .exports tbody tr', (rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent?.trim() ?? '')));
  assert.deepEqual(rows.map(([, , raw]) => bytesOf(raw)), [bytesOf(await text('#bytes')), file.length, npz.length]);
  for (const [name, , , zipped] of rows) assert.ok(bytesOf(zipped) > 4000, `${name}: ${zipped}`);

  await drop('again.npz', npz);
  await shown('again.npz');
  assert.match(await text('network-card'), /Format npz/);
  assert.deepEqual(faults, []);
});

test('a network is judged by its weights alone if the user wants it, and is written as ONNX', async () => {
  await ready();
  await click('input[name=evidence][value=weights]');
  await page.waitForSelector('#snr-target', { timeout: OPEN });
  assert.equal((await page.$$('.stages .step')).length, 2);
  await click('#compress');
  await compressed();
  assert.deepEqual(await seriousFaults(), []);
  const onnx = await exported('result-card', 'onnx', 'lenet5.onnx');
  const originals = initializers(readFileSync(new URL('../../www/models/lenet5.onnx', import.meta.url)));
  const written = initializers(onnx);
  assert.deepEqual(written.map(([name, { length }]) => [name, length]), originals.map(([name, { length }]) => [name, length]));
  // The 8-bit file has a list of values, or steps; it is opened by the same page.
  const scaled = await exported('result-card', 'onnx-scaled', 'lenet5.scaled.onnx');
  assert.ok(scaled.length < 0.3 * onnx.length, `${scaled.length} of ${onnx.length}`);
  await drop('scaled.onnx', scaled);
  await opened('scaled.onnx');
  const accuracy = await text('#accuracy .figure');
  assert.ok(parseFloat(accuracy) > 98, accuracy);
  await drop('plain.onnx', onnx);
  await opened('plain.onnx');
  assert.equal(await text('#accuracy .figure'), accuracy);
  assert.deepEqual(faults, []);
});

test('a file that cannot be opened leaves the tensors that are shown as they are', async () => {
  await ready();
  const file = safetensors({ first: normal([32, 32], 1) });
  await drop('good.safetensors', file);
  await shown('good.safetensors');
  await drop('bad.safetensors', file.subarray(0, 200));
  await page.waitForFunction(() => document.querySelector('#problem')?.textContent?.includes('bad.safetensors'), { timeout: OPEN });
  assert.match(await text('network-card .lead'), /good\.safetensors/);
  await click('#compress');
  await compressed();
  // And back to the example.
  await click('network-card .choice');
  await opened('LeNet-5');
  assert.equal((await page.$$('.stages .step')).length, 6);
  assert.deepEqual(faults, []);
});

test('an ONNX file opens with the file that it has its numbers in, and alone says that it is missing', async () => {
  const data = (/** @type {string} */ name) => readFileSync(new URL(`../data/onnx/${name}`, import.meta.url));
  await ready();
  await drop('external.onnx', data('external.onnx'));
  await page.waitForSelector('#problem:not([hidden])', { timeout: OPEN });
  assert.match(await text('#problem'), /data in another file \('external\.bin'\)/);
  await dropAll({ 'external.bin': data('external.bin'), 'external.onnx': data('external.onnx') });
  await page.waitForFunction(() => document.querySelector('network-card .lead')?.textContent?.includes('external.onnx'), { timeout: OPEN });
  assert.match(await text('network-card'), /operators/);
});

test('runs by the weights alone are kept, opened again by a click, and forgotten', async () => {
  const file = safetensors({ first: normal([64, 64], 1), second: normal([64, 32], 0.1) });
  await ready();
  await drop('model.safetensors', file);
  await shown('model.safetensors');
  await click('#compress');
  await compressed();
  const [bytes, snr] = [await text('#bytes'), await text('#snr')];
  await click('input[name=weights-target][value=lossless]');
  await click('#compress');
  await page.waitForFunction(() => document.querySelector('#criterion')?.textContent?.includes('bit for bit'), { timeout: RUN });
  assert.deepEqual(await kept(), ['model.safetensors, weights alone, lossless', 'model.safetensors, weights alone, 30 dB']);
  // One of them has a ratio that can be drawn.
  await page.waitForFunction(() => document.querySelector('nutshell-scatter')?.shadowRoot?.querySelectorAll('[role=button]').length === 1, { timeout: OPEN });
  assert.deepEqual(await seriousFaults(), []);

  await page.reload();
  // What was open is open again.
  await page.waitForFunction(() => document.querySelector('network-card .lead')?.textContent?.includes('model.safetensors'), { timeout: OPEN });
  await click('[data-step=result]');
  await page.waitForSelector('#runs', { timeout: OPEN });
  assert.equal((await kept()).length, 2);
  assert.match(await text('#runs tbody tr:last-child'), new RegExp(`${bytes} \\d+\\.\\dx ${snr} signal to noise`));
  assert.equal(await sideways(), 0);
  await press('#runs tbody tr:last-child [data-run]');
  await page.waitForFunction((bytes) => document.querySelector('#bytes')?.textContent?.trim() === bytes, { timeout: OPEN }, bytes);
  await compressed();
  assert.match(await text('network-card .lead'), /model\.safetensors/);
  assert.deepEqual([await text('#bytes'), await text('#snr')], [bytes, snr]);
  assert.equal(await page.$eval('#runs [aria-pressed=true]', (own) => own.textContent), 'model.safetensors, weights alone, 30 dB');

  await press('[aria-label="Delete model.safetensors, weights alone, lossless"]');
  await page.waitForSelector('sure-button .danger', { timeout: OPEN });
  await press('sure-button .danger');
  await page.waitForFunction(() => document.querySelectorAll('#runs tbody tr').length === 1, { timeout: OPEN });
  await page.reload();
  await page.waitForFunction(() => document.querySelector('network-card .lead')?.textContent?.includes('model.safetensors'), { timeout: OPEN });
  await click('[data-step=result]');
  await page.waitForSelector('#runs', { timeout: OPEN });
  assert.deepEqual(await kept(), ['model.safetensors, weights alone, 30 dB']);
  assert.deepEqual(faults, []);
});

test('a run of the example by its weights alone is opened again, and those that older pages kept are there', async () => {
  await ready();
  await click('input[name=evidence][value=weights]');
  await page.waitForSelector('#snr-target', { timeout: OPEN });
  await click('#compress');
  await compressed();
  const bytes = await text('#bytes');
  await page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('nutshell');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const accuracy = { split: 'test', samples: 10_000, correct: 9900, accuracy: 0.99, loss: 0.03 };
          const report = { file_bytes: 4000, ratio: 431, baseline_bytes: 1_724_320, after: { test: accuracy, validation: accuracy } };
          const judged = { name: 'of an older page', file: 'lenet5.onnx', report, nut: new Uint8Array(4000) };
          const transaction = opening.result.transaction('runs', 'readwrite');
          transaction.objectStore('runs').put({ ...judged, id: 'oldest', date: 0 });
          transaction.objectStore('runs').put({ ...judged, id: 'old', date: 1, by: 'weights', report: { file_bytes: 4000, ratio: 431, baseline_bytes: 1_724_320, snr: 30 } });
          transaction.onabort = () => reject(transaction.error);
          transaction.oncomplete = () => resolve(undefined);
        };
      }),
  );
  await page.reload();
  await page.waitForSelector('#accuracy .figure', { timeout: OPEN });
  await click('[data-step=result]');
  await page.waitForSelector('#runs', { timeout: OPEN });
  assert.deepEqual(await kept(), ['LeNet-5, weights alone, 30 dB', 'of an older page', 'of an older page']);
  assert.match(await text('#runs tbody tr:nth-child(2)'), /4,000 B 431x 30\.00 dB signal to noise/);
  assert.match(await text('#runs tbody tr:last-child'), /4,000 B 431x 99\.00\s% of 10,000 test samples/);
  await press('#runs tbody tr:first-child [data-run]');
  await compressed();
  assert.equal(await text('#bytes'), bytes);
  assert.match(await text('network-card .lead'), /LeNet-5/);
  assert.deepEqual(faults, []);
});

/** Names of the runs that are kept, as they are listed. */
const kept = () => page.$$eval('#runs [data-run]', (buttons) => buttons.map((button) => button.textContent ?? ''));

test('a .nut file of named weights of a known architecture is a network again', async () => {
  const shapes = { 'conv1.weight': [20, 1, 5, 5], 'conv1.bias': [20], 'conv2.weight': [50, 20, 5, 5], 'conv2.bias': [50], 'fc1.weight': [500, 800], 'fc1.bias': [500], 'fc2.weight': [10, 500], 'fc2.bias': [10] };
  const numbers = Object.fromEntries(initializers(readFileSync(new URL('../../www/models/lenet5.onnx', import.meta.url))));
  const file = safetensors(Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, values: numbers[name] }])));
  await ready();
  await drop('lenet.safetensors', file);
  await opened('lenet.safetensors');
  await click('input[name=evidence][value=weights]');
  await page.waitForSelector('#snr-target', { timeout: OPEN });
  await click('#compress');
  await compressed();
  const nut = await download('result-card #download', 'lenet.nut');
  await drop('again.nut', nut);
  await opened('again.nut');
  assert.ok(parseFloat(await text('#accuracy .figure')) > 98, await text('#accuracy'));
  const card = await text('network-card');
  assert.match(card, /Recognised by the names and shapes of its weights/);
  assert.match(card, new RegExp(`${nut.length.toLocaleString('en')} B on disk, \\d+\\.\\dx smaller than its tensors; 431,080 parameters`));
  assert.equal((await page.$$('.stages .step')).length, 6);
  // Its graph is that of the architecture, so it can be written as ONNX.
  const onnx = await exported('network-card', 'onnx', 'again.onnx');
  const [, values] = initializers(onnx).find(([name]) => name === 'fc1.weight') ?? [];
  assert.equal(values?.length, 400_000);
  assert.deepEqual(faults, []);
});

test('decoding a large file shows how far it is, and can be ended', async () => {
  const file = safetensors(Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`block.${index}.weight`, normal([256, 256], 0.1 + 0.01 * index)])));
  await ready();
  await drop('large.safetensors', file);
  await shown('large.safetensors');
  // Numbers as they are take their time; rounded ones are decoded at once.
  await click('input[name=weights-target][value=lossless]');
  await click('#compress');
  await compressed();
  const nut = await download('result-card #download', 'large.nut');
  // By who looks and clicks at once; the page answers meanwhile.
  const cancelled = page.evaluate(
    () =>
      new Promise((done) => {
        const look = () => {
          const [bar, button] = [document.querySelector('#opening progress'), document.querySelector('#opening button')];
          if (!button || !bar || !(/** @type {HTMLProgressElement} */ (bar).value > 0)) return void setTimeout(look, 5);
          const words = document.querySelector('#opening')?.textContent;
          /** @type {HTMLElement} */ (button).click();
          done(words);
        };
        look();
      }),
  );
  await drop('large.nut', nut);
  assert.match(String(await cancelled), /Decoding large\.nut, \d+\s%/);
  await page.waitForFunction(() => !document.querySelector('#opening'), { timeout: OPEN });
  assert.match(await text('network-card .lead'), /large\.safetensors/);
  assert.equal(await page.$('#problem:not([hidden])'), null);
  await drop('large.nut', nut);
  await shown('large.nut');
  assert.deepEqual(faults, []);
});
