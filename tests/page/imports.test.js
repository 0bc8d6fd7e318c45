// The modules of the page import one another in one direction.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Addresses in lines such as `import { a } from './b.js';`, `import './b.js';` and `export * from './b.js';`, over several lines too. */
const IMPORT = /^(?:import|export)\b(?:[^'";]*?\bfrom)?\s*'(\.{1,2}\/[^'?]+)/gm;

/** The modules that a module imports, as paths from `www/`. @param {string} path @param {string} text */
const importsOf = (path, text) => [...text.matchAll(IMPORT)].map(([, address]) => posix.join(posix.dirname(path), address));

/** The first circle that is found: its modules in the order of their imports, the first again at the end.
 * @param {Map<string, string[]>} graph @returns {string[] | null} */
function circle(graph) {
  const done = new Set();
  /** @param {string} module @param {string[]} above @returns {string[] | null} */
  const visit = (module, above) => {
    if (above.includes(module)) return [...above.slice(above.indexOf(module)), module];
    if (done.has(module)) return null;
    for (const imported of graph.get(module) ?? []) {
      const found = visit(imported, [...above, module]);
      if (found) return found;
    }
    done.add(module);
    return null;
  };
  for (const module of graph.keys()) {
    const found = visit(module, []);
    if (found) return found;
  }
  return null;
}

test('imports are found however they are written', () => {
  const text = ["import a from './a.js';", "import {\n  b,\n} from '../b.js';", "import './c.css';", "export * from './d/e.js';", "import url from './f.js?worker&url';", "import { x } from 'lit';", "/** @typedef {import('./types.js').T} T */"];
  assert.deepEqual(importsOf('dir/x.js', text.join('\n')), ['dir/a.js', 'b.js', 'dir/c.css', 'dir/d/e.js', 'dir/f.js']);
});

test('a circle is found and named', () => {
  assert.deepEqual(circle(new Map([['a', ['b']], ['b', ['c']], ['c', ['b']]])), ['b', 'c', 'b']);
  assert.equal(circle(new Map([['a', ['b', 'c']], ['b', ['c']], ['c', []]])), null);
});

test('no modules of the page import one another in a circle', () => {
  const www = new URL('../../www/', import.meta.url).pathname;
  const files = /** @type {string[]} */ (readdirSync(www, { recursive: true })).map((path) => path.replaceAll('\\', '/'));
  const modules = files.filter((path) => path.endsWith('.js') && !path.startsWith('public/'));
  const graph = new Map(modules.map((path) => [path, importsOf(path, readFileSync(`${www}${path}`, 'utf8'))]));
  assert.ok(graph.get('main.js')?.includes('actions/open.js'));
  const found = circle(graph);
  assert.equal(found, null, `a circle of imports: ${found?.join(' -> ')}`);
});
