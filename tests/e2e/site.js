// Serves a folder from a sub-path, as any static host would, and opens Chromium on it.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import puppeteer from 'puppeteer-core';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = '/some/folder/';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/** Serves a folder of the repository; `hold` is asked before each answer and may wait.
 * @param {{ folder?: string, hold?: (path: string) => Promise<void> }} options */
export async function serve({ folder = 'dist', hold = async () => {} } = {}) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname));
    try {
      if (!path.startsWith(FOLDER)) throw new Error('outside');
      await hold(path);
      const file = path.slice(FOLDER.length) || 'index.html';
      const body = await readFile(join(ROOT, folder, file));
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
