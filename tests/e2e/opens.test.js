import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { launch, newPage, serve } from './site.js';

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
/** @type {Awaited<ReturnType<typeof launch>>} */
let browser;

before(async () => {
  site = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

test('the page opens from a sub-folder, and the console stays silent', async () => {
  const { page, faults } = await newPage(browser);
  await page.goto(site.url, { waitUntil: 'networkidle0' });
  assert.match(await page.title(), /Nutshell/);
  assert.deepEqual(faults, []);
});
