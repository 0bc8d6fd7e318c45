// What vite-plugin-singlefile leaves beside the page, put into it: the page then works when it is opened from disk.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';

/** @type {Record<string, string>} */
const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.md': 'text/markdown' };

/** Puts all files of the built site into its page: pictures, and texts behind links, at their places; workers, wasm and data as elements in
 * which `www/files.js` finds them. @returns {import('vite').Plugin} */
export function filesInside() {
  let site = '';
  return {
    name: 'nutshell:files-inside',
    configResolved: ({ root, build }) => void (site = resolve(root, build.outDir)),
    // Only now the public files are there too.
    closeBundle() {
      let page = readFileSync(join(site, 'index.html'), 'utf8');
      let elements = '';
      for (const path of filesOf(site)) {
        const name = basename(path);
        const type = TYPES[extname(name)] ?? 'application/octet-stream';
        const base64 = readFileSync(join(site, path), 'base64');
        const address = `"./${path}"`;
        if (page.includes(address)) {
          const data = `"data:${type};base64,${base64}"`;
          // A browser opens a link to such an address only by saving it.
          page = page.replaceAll(`<a href=${address}`, `<a href=${data} download="${name}"`).replaceAll(address, data);
        } else elements += `<script type="text/plain" id="file:${name}" data-type="${type}">${base64}</script>\n`;
      }
      const missing = /="\.\/[^"]*"/.exec(page);
      if (missing) throw new Error(`the page still asks for a file: ${missing[0]}`);
      const end = page.lastIndexOf('</body>');
      writeFileSync(join(site, 'index.html'), page.slice(0, end) + elements + page.slice(end));
    },
  };
}

/** The files below a folder but for its page, in a fixed order. @param {string} site */
const filesOf = (site) =>
  /** @type {string[]} */ (readdirSync(site, { recursive: true }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => path !== 'index.html' && statSync(join(site, path)).isFile())
    .sort();
