// The npm package, packed and used from a fresh folder as its README says.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';

const root = new URL('../../', import.meta.url).pathname;
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'nutshell-'));
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: join(root, 'pkg'),
    encoding: 'utf8',
  });
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--offline', packed.trim()], { cwd: folder });
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** @param {string} source */
function run(source) {
  writeFileSync(join(folder, 'program.js'), source);
  return execFileSync('node', ['program.js'], { cwd: folder, encoding: 'utf8' });
}

test("the README's program runs", () => {
  const readme = readFileSync(join(root, 'pkg/README.md'), 'utf8');
  const program = readme.match(/```js\n([\s\S]*?)```/)?.[1];
  assert.ok(program, 'the README shows a program');
  assert.match(run(program), /\d+\.\d+\.\d+/);
});

test('a browser is given the module that fetches the wasm', () => {
  const entry = JSON.parse(readFileSync(join(folder, 'node_modules/nutshell/package.json'), 'utf8')).exports['.'];
  assert.equal(entry.default, './nutshell.js');
  assert.match(readFileSync(join(folder, 'node_modules/nutshell/nutshell.js'), 'utf8'), /new URL\('nutshell_bg\.wasm'/);
});
