// Serves a folder from a sub-path, as any static host would, and opens Chromium on it.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import puppeteer from 'puppeteer-core';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = '/some/folder/';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** The example's test images and labels, and the bytes of a sample in them. */
const TESTS = [
  { file: 'data/t10k-images-0.bin', head: 16, size: 28 * 28 },
  { file: 'data/t10k-labels.bin', head: 8, size: 1 },
];

/** The first samples of a gzipped IDX file. @param {Buffer} file @param {{ head: number, size: number }} form @param {number} count */
function firstOf(file, { head, size }, count) {
  const cut = gunzipSync(file).subarray(0, head + count * size);
  cut.writeUInt32BE(count, 4);
  return gzipSync(cut, { level: 1 });
}

/** Serves a folder of the repository; `hold` is asked before each answer and may wait. Of the example's test samples only the first
 * `tests` are served, if that is said: to measure all of them takes seconds each time.
 * @param {{ folder?: string, hold?: (path: string) => Promise<void>, tests?: number }} options */
export async function serve({ folder = 'dist', hold = async () => {}, tests } = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    try {
      if (!path.startsWith(FOLDER)) throw new Error('outside');
      await hold(path);
      const file = path.slice(FOLDER.length) || 'index.html';
      const whole = await readFile(join(ROOT, folder, file));
      const form = tests === undefined ? undefined : TESTS.find((own) => own.file === file);
      const body = form && tests !== undefined ? firstOf(whole, form, tests) : whole;
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${address.port}${FOLDER}`, close: () => server.close() };
}

/** A headless browser. @param {'chromium' | 'firefox'} browser */
export function launch(browser = 'chromium') {
  // A wait counts as one call: the default of three minutes would end the longer ones.
  const protocolTimeout = 1_200_000;
  if (browser === 'firefox')
    return puppeteer.launch({ browser, executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr', protocolTimeout });
  return puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    protocolTimeout,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking'],
  });
}

/** A page that collects what goes to the console as an error, what is thrown, and requests that leave this machine.
 * @param {import('puppeteer-core').BrowserContext} browser */
export async function newPage(browser) {
  const page = await browser.newPage();
  /** @type {string[]} */
  const faults = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warn') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1') faults.push(`a request leaves the page: ${request.url()}`);
  });
  page.on('requestfailed', (request) => faults.push(`${request.url()}: ${request.failure()?.errorText}`));
  return { page, faults };
}
