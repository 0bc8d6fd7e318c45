// The main path in Chromium, on all of the example's test samples.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { click, download, drop, faults, finished, opened, page, ready, seriousFaults, SHORT, text, useAll } from './user.js';

useAll();

test('from the example to a file that opens again with the same accuracy', async () => {
  await ready(SHORT);
  assert.match(await text('#accuracy'), /^9[89]\.\d\d\s% correct on 10,000 test samples/);
  assert.deepEqual(await seriousFaults(), []);

  await click('#compress');
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
