// Pictures of the guided walk, lesson by lesson, to be looked at: `cargo xtask dist`, then
// `node tests/e2e/walk-pictures.js FOLDER [light | dark] [desktop | phone]`.
import { mkdirSync } from 'node:fs';
import { launch, newPage, serve } from './site.js';

const SIZES = { desktop: { width: 1366, height: 681 }, phone: { width: 360, height: 740, deviceScaleFactor: 2, isMobile: true, hasTouch: true } };
const LONG = 600_000;

const [folder = 'target/walk', scheme = 'light', only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const site = await serve();
const browser = await launch();
for (const [name, viewport] of Object.entries(SIZES)) {
  if (only && only !== name) continue;
  const { page, faults } = await newPage(await browser.createBrowserContext());
  await page.setViewport(viewport);
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(site.url);
  await page.waitForSelector('#compress:not(:disabled)', { timeout: LONG });
  await page.screenshot({ path: `${folder}/${name}-00.png` });
  await page.click('#walk');
  for (let lesson = 1; ; lesson++) {
    await page.waitForFunction((lesson) => document.querySelector('learn-panel')?.textContent?.includes(`Guided walk, ${lesson} of`), { timeout: LONG }, lesson);
    const run = await page.$('#walk-compress');
    if (run) {
      await page.screenshot({ path: `${folder}/${name}-${String(lesson).padStart(2, '0')}-before.png` });
      await run.click();
      await page.waitForSelector('run-card progress[value]', { timeout: LONG });
      await new Promise((resolve) => setTimeout(resolve, 8000));
      await page.screenshot({ path: `${folder}/${name}-${String(lesson).padStart(2, '0')}-running.png` });
    }
    await page.waitForSelector('#next:not(:disabled), #finish', { timeout: LONG });
    // What is drawn last, and what is still moved into its place.
    await new Promise((resolve) => setTimeout(resolve, 3500));
    await page.screenshot({ path: `${folder}/${name}-${String(lesson).padStart(2, '0')}.png` });
    console.log(name, lesson, await page.$eval('learn-panel h2', (title) => title.textContent));
    if (await page.$('#finish')) break;
    await page.$eval('#next', (next) => /** @type {HTMLElement} */ (next).click());
  }
  await page.$eval('#finish', (finish) => /** @type {HTMLElement} */ (finish).click());
  await page.screenshot({ path: `${folder}/${name}-99.png` });
  if (faults.length > 0) console.log(faults);
  await page.browserContext().close();
}
await browser.close();
site.close();
