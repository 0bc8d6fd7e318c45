// One sample beside onnxruntime-web and tfjs-wasm: the same page of headless Chromium, one thread each, in turn, medians of loops of
// 20 ms or more.
// `python benches/networks.py FOLDER`, `cargo xtask build`, then `node benches/against_ort.js NETWORK...`. A network is a file for
// both, OURS.nut:THEIRS.onnx for two forms of one, and has @128 behind it for so many samples in one call; of LeNet-5 tfjs-wasm runs
// them too. NUTSHELL_BENCH_SECONDS: how long each is measured (4).
import { loadavg } from 'node:os';
import { basename } from 'node:path';
import { launch, serve } from '../tests/e2e/site.js';

const SECONDS = Number(process.env.NUTSHELL_BENCH_SECONDS ?? 4);

const site = await serve({ folder: '.' });
const browser = await launch();
try {
  console.log(`${'network'.padEnd(34)} ${'samples'.padStart(7)} ${'ratio'.padStart(7)} ${'of bests'.padStart(8)}   ms: Nutshell, others; difference of the answers`);
  for (const argument of process.argv.slice(2)) {
    const [files, samples] = argument.split('@');
    const [ours, theirs = ours] = files.split(':');
    const page = await browser.newPage();
    await page.goto(`${site.url}pkg/package.json`);
    await page.setContent('<input type=file multiple>');
    for (const script of ['tfjs-core/dist/tf-core.min.js', 'tfjs-backend-cpu/dist/tf-backend-cpu.min.js', 'tfjs-backend-wasm/dist/tf-backend-wasm.min.js'])
      await page.addScriptTag({ url: `${site.url}node_modules/@tensorflow/${script}` });
    const input = /** @type {import('puppeteer-core').ElementHandle<HTMLInputElement>} */ (await page.$('input'));
    await input.uploadFile(ours, theirs);
    const result = await page.evaluate(measure, site.url, SECONDS, Number(samples ?? 1));
    const { nutshell, others, difference } = result;
    const name = ours === theirs ? basename(ours) : `${basename(ours)} : ${basename(theirs)}`;
    const [better] = [...others].sort((a, b) => a.median - b.median);
    const ratio = (/** @type {number} */ a, /** @type {number} */ b) => `${(a / b).toFixed(2)}x`;
    const times = [nutshell, ...others].map(({ name, median, best }) => `${name} ${median.toFixed(4)} (${best.toFixed(4)})`).join(', ');
    console.log(
      `${name.padEnd(34)} ${String(samples ?? 1).padStart(7)} ${ratio(better.median, nutshell.median).padStart(7)} ` +
        `${ratio(better.best, nutshell.best).padStart(8)}   ${times}; ${difference.toExponential(1)}`,
    );
    await page.close();
  }
  console.log(`load ${loadavg()[0].toFixed(1)}`);
} finally {
  await browser.close();
  site.close();
}

/** Runs in the page. @param {string} root @param {number} seconds @param {number} samples */
async function measure(root, seconds, samples) {
  const files = [...(document.querySelector('input')?.files ?? [])];
  const [ours, theirs] = await Promise.all(files.map(async (file) => new Uint8Array(await file.arrayBuffer())));
  const nutshell = await import(`${root}pkg/nutshell.js`);
  await nutshell.default();
  const ort = await import(`${root}node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs`);
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = `${root}node_modules/onnxruntime-web/dist/`;
  const network = nutshell.Network.open(ours);
  const session = await ort.InferenceSession.create(theirs ?? ours);
  const shape = session.inputMetadata[0].shape.slice(1);
  const size = shape.reduce((/** @type {number} */ a, /** @type {number} */ b) => a * b, 1);
  const data = new Float32Array(samples * size).map(() => Math.random());
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, [samples, ...shape]) };
  /** @type {{ name: string, run: () => unknown, times: number[], calls: number }[]} */
  const runners = [
    { name: 'Nutshell', run: () => network.run(data), times: [], calls: 1 },
    { name: 'onnxruntime-web', run: () => session.run(feeds), times: [], calls: 1 },
  ];
  if (samples > 1 && shape.join() === '1,28,28') {
    const tf = /** @type {any} */ (globalThis).tf;
    tf.wasm.setWasmPaths(`${root}node_modules/@tensorflow/tfjs-backend-wasm/dist/`);
    await tf.setBackend('wasm');
    await tf.ready();
    const draw = (/** @type {number[]} */ ...sides) => tf.randomNormal(sides);
    const [x, w1, w2, w3, w4] = [draw(samples, 28, 28, 1), draw(5, 5, 1, 20), draw(5, 5, 20, 50), draw(800, 500), draw(500, 10)];
    const [b1, b2, b3, b4] = [20, 50, 500, 10].map((count) => draw(count));
    const conv = (/** @type {any} */ x, /** @type {any} */ filter, /** @type {any} */ bias) =>
      tf.maxPool(tf.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias }), 2, 2, 'valid');
    const run = async () => {
      const y = tf.tidy(() => {
        const flat = tf.reshape(conv(conv(x, w1, b1), w2, b2), [samples, 800]);
        return tf.fused.matMul({ a: tf.fused.matMul({ a: flat, b: w3, bias: b3, activation: 'relu' }), b: w4, bias: b4 });
      });
      await y.data();
      y.dispose();
    };
    runners.push({ name: 'tfjs-wasm', run, times: [], calls: 1 });
  }
  for (const runner of runners) {
    // Until all code is compiled.
    for (let start = performance.now(); performance.now() - start < 500; ) await runner.run();
    const start = performance.now();
    let calls = 0;
    for (; performance.now() - start < 25; calls++) await runner.run();
    runner.calls = calls;
  }
  for (let start = performance.now(); performance.now() - start < 1000 * seconds || runners[0].times.length < 3; ) {
    for (const runner of runners) {
      const begin = performance.now();
      for (let call = 0; call < runner.calls; call++) await runner.run();
      runner.times.push((performance.now() - begin) / runner.calls);
    }
  }
  const [got, expected] = [network.run(data), (await session.run(feeds))[session.outputNames[0]].data];
  const same = ours.length === theirs?.length || theirs === undefined;
  const largest = expected.reduce((/** @type {number} */ a, /** @type {number} */ b) => Math.max(a, Math.abs(b)), 0);
  const difference = same ? got.reduce((/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ at) => Math.max(a, Math.abs(b - expected[at])), 0) / largest : NaN;
  const results = runners.map(({ name, times }) => {
    times.sort((a, b) => a - b);
    return { name, median: times[times.length >> 1], best: times[0] };
  });
  return { nutshell: results[0], others: results.slice(1), difference };
}
