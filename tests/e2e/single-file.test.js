// The page as one file, opened from disk; and the page of the charts.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { click, faults, finished, OPEN, page, seriousFaults, SHORT, site, text } from './user.js';

test('the single file works when it is opened from disk', async () => {
  await page.setOfflineMode(true);
  await page.goto(new URL('../../dist/nutshell.html', import.meta.url).href + SHORT, { timeout: OPEN });
  await page.waitForSelector('#accuracy .figure', { timeout: OPEN });
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  assert.match(await text('#accuracy'), /^9[89]\.\d\d\s% correct on 10,000 test samples/);
  await page.waitForSelector('model-view nutshell-histogram', { timeout: OPEN });
  await click('#compress');
  await finished();
  assert.match(await text('#bytes'), /^[\d,]+ B$/);
  assert.deepEqual(faults, []);
});

test('every chart works on a page of its own', async () => {
  await page.goto(`${site.url}charts.html`);
  await page.waitForFunction(() => [...document.querySelectorAll('#charts section')].length === 13, { timeout: OPEN });
  const empty = await page.$$eval('#charts section > :nth-child(3)', (charts) =>
    charts.filter((chart) => !chart.shadowRoot?.querySelector('svg, canvas, table')).map((chart) => chart.tagName),
  );
  assert.deepEqual(empty, []);
  assert.deepEqual(await seriousFaults(), []);
  // The module that another page would load.
  const names = await page.evaluate(async (url) => Object.keys(await import(url)), `${site.url}charts.js`);
  assert.ok(names.includes('Histogram') && names.length === 13, names.join());
  assert.deepEqual(faults, []);
});
