// The main path in Firefox: the example, a step that is tried, a run, and its file opened again.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { faults, finished, OPEN, opened, page, press, ready, SHORT, text, useAll, useFirefox } from './user.js';

useFirefox();
useAll();

test('from the example to a file that opens again with the same accuracy', async () => {
  await ready(SHORT);
  assert.match(await text('#accuracy'), /^9[89]\.\d\d\s% correct on 10,000 test samples/);
  await press('[data-step=share]');
  await page.waitForSelector('share-view nutshell-codebook', { timeout: OPEN });
  await press('#compress');
  await finished();
  const [bytes, accuracy] = [await text('#bytes'), await text('#after')];
  await press('#open-result');
  await opened('lenet5.nut');
  assert.equal(await text('#accuracy .figure'), accuracy);
  assert.match(await text('network-card'), new RegExp(`${bytes} on disk`));
  assert.deepEqual(faults, []);
});
