// The recipe in the form, in the address and in files; and the guided walk, which moves the page's controls.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { recipe as recipeOf } from '../../pkg/node.js';
import { click, download, drop, faults, finished, OPEN, opened, page, ready, recipe, seriousFaults, SHORT, text } from './user.js';

/** The value of a number in the form. @param {string} id */
const value = (id) => page.$eval(`#${id}`, (input) => /** @type {HTMLInputElement} */ (input).value);

/** Types a number into the form. @param {string} id @param {string} number */
const type = (id, number) =>
  page.$eval(
    `#${id}`,
    (input, number) => {
      /** @type {HTMLInputElement} */ (input).value = number;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    number,
  );

test('a link reproduces the recipe, and so does its file', async () => {
  await ready(recipe({ effort: 'balanced', seed: 7, target: { budget: 900 } }));
  assert.equal(await page.$eval('[name=effort]:checked', (input) => /** @type {HTMLInputElement} */ (input).value), 'balanced');
  await click('.settings summary');
  assert.equal(await value('seed'), '7');
  // What Rust states as the default is what the form shows.
  assert.equal(await value('refine-training-samples'), String(recipeOf('balanced').refine.training.samples));
  await type('prune-training-batch', '48');
  assert.match(await text('.setting.changed'), /seed/);

  const saved = JSON.parse((await download('#save-recipe', 'recipe.json')).toString());
  assert.equal(saved.prune.training.batch, 48);
  assert.deepEqual(saved.target, { budget: 900 });
  assert.deepEqual(await seriousFaults(), []);

  // Out of its range: not taken.
  await type('share-centroids', '256');
  assert.equal(await page.$eval('#share-centroids', (input) => input.matches(':invalid')), true);

  await page.reload();
  await page.waitForSelector('#compress:not(:disabled)', { timeout: OPEN });
  assert.equal(await value('prune-training-batch'), '48');
  assert.equal(await value('share-centroids'), '15');

  await drop('other.json', new TextEncoder().encode(JSON.stringify({ ...saved, seed: 9 })));
  await page.waitForFunction(() => /** @type {HTMLInputElement} */ (document.querySelector('#seed')).value === '9', { timeout: OPEN });
  assert.match(decodeURIComponent(await page.evaluate(() => location.hash)), /"seed":9/);
  await drop('bad.json', new TextEncoder().encode('{"share":{"centroids":999}}'));
  await page.waitForFunction(() => /bad\.json.*share\.centroids.*1 to 255/.test(document.querySelector('#problem')?.textContent ?? ''), { timeout: OPEN });
  assert.deepEqual(faults, []);
});

test('a link reproduces the run: the same bytes', async () => {
  const link = `#${new URLSearchParams({ net: 'lenet300' })}&${SHORT.slice(1)}`;
  const files = [];
  for (let run = 0; run < 2; run++) {
    await ready(link);
    await click('#compress');
    await finished();
    files.push(await download('#download', 'lenet300.nut'));
    assert.equal(await page.evaluate(() => location.hash.startsWith('#net=lenet300')), true);
    await page.goto('about:blank');
  }
  assert.ok(files[0].length > 1000 && files[0].equals(files[1]), files.map(({ length }) => length).join());
  assert.deepEqual(faults, []);
});

/** Goes on with the walk, once what moves by itself has come to rest. */
async function next() {
  await page.waitForSelector('#next:not(:disabled)', { timeout: OPEN });
  await page.$eval('#next', (button) => /** @type {HTMLElement} */ (button).click());
}

/** Waits until what a lesson speaks of is in view, below its panel. @param {string} selector */
const inView = (selector) =>
  page.waitForFunction(
    (selector) => {
      const [panel, target] = ['learn-panel', selector].map((own) => document.querySelector(own)?.getBoundingClientRect());
      return panel && target && target.top >= panel.bottom - 2 && target.bottom <= innerHeight;
    },
    { timeout: OPEN },
    selector,
  );

test('the guided walk moves the controls of the page, shows what it speaks of, and goes on after a reload', async () => {
  await page.setViewport({ width: 360, height: 740 });
  await ready();
  await page.emulateMediaFeatures([{ name: 'prefers-reduced-motion', value: 'reduce' }]);
  await click('#walk');
  await page.waitForFunction(() => /** @type {HTMLSelectElement} */ (document.querySelector('#layer')).value === '2', { timeout: OPEN });
  const pressed = () => page.$eval('.step[aria-pressed=true]', (step) => /** @type {HTMLElement} */ (step).dataset.step);
  await next();
  await page.waitForFunction(() => parseFloat(document.querySelector('#sparsity')?.textContent ?? '') > 75, { timeout: OPEN });
  assert.equal(await pressed(), 'prune');
  await inView('prune-view .slider');
  await next();
  await page.waitForFunction(() => parseFloat(document.querySelector('#pruned-accuracy')?.textContent ?? '100') < 80, { timeout: OPEN });
  await next();
  await page.waitForFunction(() => document.querySelector('[for=centroids] ~ output')?.textContent === '8', { timeout: OPEN });
  await inView('share-view .slider');
  await next();
  await page.waitForFunction(() => document.querySelector('[for=bits] ~ output')?.textContent === '3', { timeout: OPEN });
  await next();
  await page.waitForSelector('#walk-compress', { timeout: OPEN });
  assert.ok(await page.$('#next:disabled'), 'it waits for a run');
  assert.deepEqual(await seriousFaults(), []);
  await page.reload();
  await page.waitForSelector('#walk-compress', { timeout: OPEN });
  assert.match(await text('learn-panel'), /Guided walk, 6 of 13/);
  assert.deepEqual(faults, []);
});

test('settings belong to the network and the samples that they were for, and a link says what it sets', async () => {
  await ready(`${recipe({ seed: 7, target: { budget: 4479 } })}&step=prune&layer=1&threshold=0.05`);
  assert.match(await text('#notice'), /This link sets: seed 7, budget 4,479 B/);
  assert.deepEqual([await value('layer'), await text('[for=threshold] ~ output')], ['1', '0.05']);
  await click('network-card .choice:nth-of-type(2)');
  await page.waitForFunction(() => /set for the network before: budget 4,479 B.*still apply: seed 7/.test(document.querySelector('#notice')?.textContent ?? ''), { timeout: OPEN });
  await page.waitForFunction(() => !location.hash.includes('budget') && location.hash.includes('net=lenet300'), { timeout: OPEN });
  const rows = Array.from({ length: 120 }, (_, row) => [row % 10, ...Array.from({ length: 784 }, (_, column) => (row * column) % 256)].join(','));
  await drop('table.csv', new TextEncoder().encode([['label', ...Array(784).keys()].join(','), ...rows].join('\n')));
  await page.waitForFunction(() => /** @type {HTMLInputElement | null} */ (document.querySelector('#split-validation'))?.value === '19', { timeout: OPEN });
  // Back goes to the step before, and what the user has opened stays; so it does after a reload.
  await click('[data-step=share]');
  await page.waitForFunction(() => location.hash.includes('step=share'), { timeout: OPEN });
  await page.goBack();
  await page.waitForSelector('[data-step=model][aria-pressed=true]', { timeout: OPEN });
  await page.reload();
  await page.waitForFunction(() => document.querySelector('network-card')?.textContent?.includes('table.csv:'), { timeout: OPEN });
  await opened('LeNet-300-100');
  await click('#mnist');
  await page.waitForFunction(() => /** @type {HTMLInputElement | null} */ (document.querySelector('#split-validation'))?.value === '5000', { timeout: OPEN });
  assert.match(await text('network-card'), /MNIST: /);
  assert.deepEqual(faults, []);
});
