// The parts of the page that need no browser.
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { describe as words, difference, merge, numberAt, readAddress, readLook, settingAt, writeAddress } from '../../www/address.js';
import { sorted } from '../../www/elements/sorting.js';
import * as format from '../../www/format.js';
import { pareto } from '../../www/pareto.js';
import { leftWords, secondsLeft, share } from '../../www/progress.js';
import { advance, set, whenChanged } from '../../www/state.js';
import { verdict } from '../../www/verdict.js';

describe('numbers', () => {
  const cases = [
    [format.bytes(1140), '1,140 B'],
    [format.ratio(1512.56), '1,513x'],
    [format.ratio(9.64), '9.6x'],
    [format.ratio(99.96), '100x'],
    [format.percent(0.9902), '99.02\u00a0%'],
    [format.short(6000), '6k'],
    [format.short(0.5), '0.5'],
    [format.short(1_500_000), '1.5M'],
    [format.share(0.975), '97.5\u00a0%'],
    [format.number(0), '0'],
    [format.number(0.04123), '0.0412'],
    [format.number(0.0000123), '1.2e-5'],
    [format.number(-0.547), '\u22120.547'],
    [format.duration(41.7), '42 s'],
    [format.duration(200), '3 min 20 s'],
    [format.decibels(30.004), '30.00 dB'],
    [format.noiseRatio(0.003), '25.2 dB'],
    [format.stem('some.model.onnx'), 'some.model'],
    [format.brief('encoder.layer.0.attention.self.query.weight'), 'encoder.layer.0.attention.self.query.weight'],
    [format.brief('bert.encoder.layer.11.attention.output.LayerNorm.weight'), 'bert.encoder.layer.11.…tion.output.LayerNorm.weight'],
    [String(format.product([2, 3, 4])), '24'],
    [format.accuracy({ split: 'test', samples: 10_000, correct: 9902, accuracy: 0.9902, loss: 0.03 }), '99.02\u00a0% of 10,000 test samples'],
  ];
  for (const [got, expected] of cases) test(expected, () => assert.equal(got, expected));
});

test('a table is sorted by names as people count, and by numbers, both ways', () => {
  /** @type {import('../../www/elements/sorting.js').Column<[string, number]>[]} */
  const columns = [{ name: 'Name', key: ([name]) => name }, { name: 'Size', key: ([, size]) => size }];
  /** @type {[string, number][]} */
  const rows = [['layer.10', 1], ['layer.9', Infinity], ['layer.1', 5]];
  const names = (/** @type {number} */ column, /** @type {boolean} */ down) => sorted({ column, down }, columns, rows).map(([name]) => name);
  assert.deepEqual(names(0, false), ['layer.1', 'layer.9', 'layer.10']);
  assert.deepEqual(names(0, true), ['layer.10', 'layer.9', 'layer.1']);
  assert.deepEqual(names(1, false), ['layer.10', 'layer.1', 'layer.9']);
});

describe('settings in the address', () => {
  test('are merged into the recipe', () => {
    const { settings } = readAddress('#recipe={"target":{"budget":900},"prune":{"training":{"samples":10}}}');
    const recipe = { seed: 1, target: { tolerance: 0.3 }, prune: { rounds: 1, training: { samples: 4000, batch: 32 } } };
    assert.deepEqual(merge(recipe, settings), {
      seed: 1,
      target: { budget: 900 },
      prune: { rounds: 1, training: { samples: 10, batch: 32 } },
    });
  });

  test('may be missing', () => assert.deepEqual(readAddress(''), { net: null, settings: {} }));

  test('are refused in words if they are broken', () => {
    assert.throws(() => readAddress('#recipe={'), /not a recipe: \{/);
    assert.throws(() => readAddress('#recipe=7'), /not a recipe: 7/);
  });
});

describe('a recipe in the address', () => {
  const preset = { effort: 'quick', seed: 1, target: { tolerance: 0.3 }, prune: { rounds: 1, training: { samples: 4000, batch: 32 } } };

  test('is what differs from the preset, and comes back', () => {
    const recipe = merge(preset, { target: { budget: 900 }, ...settingAt('prune.training.batch', 64) });
    const settings = difference(preset, recipe);
    assert.deepEqual(settings, { target: { budget: 900 }, prune: { training: { batch: 64 } } });
    const address = writeAddress('lenet300', settings);
    const read = readAddress(address);
    assert.equal(read.net, 'lenet300');
    assert.deepEqual(merge(preset, read.settings), recipe);
    assert.equal(numberAt(recipe, 'prune.training.batch'), 64);
  });

  test('has locked layers as a whole', () => {
    const rounding = { round: { probes: 12, locked: /** @type {string[]} */ ([]) } };
    const locked = merge(rounding, { round: { locked: ['conv1', 'fc2'] } });
    assert.deepEqual(locked, { round: { probes: 12, locked: ['conv1', 'fc2'] } });
    assert.deepEqual(difference(rounding, locked), { round: { locked: ['conv1', 'fc2'] } });
    assert.deepEqual(merge(locked, { round: { locked: [] } }), rounding);
  });

  test('is empty for what the page starts with', () => assert.equal(writeAddress(null, difference(preset, preset)), ''));
});

describe('what is looked at, in the address', () => {
  test('comes back', () => {
    const look = /** @type {const} */ ({ step: 'prune', part: 'structure', layer: 0, threshold: 0.0213, centroids: 8, bits: 3 });
    assert.deepEqual(readLook(writeAddress('lenet300', { seed: 7 }, look)), look);
    assert.deepEqual(readAddress(writeAddress('lenet300', { seed: 7 }, look)), { net: 'lenet300', settings: { seed: 7 } });
  });

  test('is left out where it cannot be meant', () => {
    assert.deepEqual(readLook('#step=paint&layer=-1&bits=2.5&threshold=much&centroids=&tensor=NaN'), {});
    assert.deepEqual(readLook(''), {});
  });
});

test('settings are said in words, and many of them counted', () => {
  assert.equal(words({ effort: 'balanced', seed: 7, target: { budget: 4479 } }), 'effort balanced, seed 7, budget 4,479 B');
  assert.equal(words({ target: { tolerance: 0.1 }, prune: { training: { batch: 48 } }, scaling: 'raw' }), 'tolerance 0.1 percentage points, prune training batch 48, scaling raw');
  assert.equal(words({ effort: 'calibrate', round: { locked: ['conv1', 'fc2'] } }), 'effort calibrate, conv1 and fc2 in 16 bits');
  assert.equal(words(Object.fromEntries([...'abcdefgh'].map((name) => [name, 1]))), 'a 1, b 1, c 1, d 1, e 1 and 3 more');
});

test('shares of a whole add up to it', () => {
  for (const counts of [[1, 1, 1], [2, 3, 1], [1, 0, 0], [199, 1, 400, 7]]) {
    const sum = format.shares(counts).reduce((sum, share) => sum + parseFloat(share), 0);
    assert.equal(sum.toFixed(2), '100.00', String(counts));
  }
  assert.deepEqual(format.shares([0, 0]), ['0.00\u00a0%', '0.00\u00a0%']);
});

describe('the verdict of a run', () => {
  const accuracy = (/** @type {number} */ correct, /** @type {number} */ samples) => ({ validation: { split: 'validation', samples, correct, accuracy: correct / samples, loss: 0 }, test: null });
  const of = (/** @type {any} */ target, /** @type {any} */ rest) => verdict({ recipe: { target }, criterion: 'labels', snr: null, ...rest });

  test('says by how much an accuracy fell, on which split, with its standard error, so that it adds up', () => {
    const { met, words } = of({ tolerance: 0.3 }, { before: accuracy(4965, 5000), after: accuracy(4959, 5000) });
    assert.ok(met);
    // sqrt(0.9918 * 0.0082 / 5000) = 0.00128
    assert.equal(words, 'on 5,000 validation samples accuracy fell by 0.12 percentage points, from 99.30\u00a0% to 99.18\u00a0% (standard error 0.13 points); at most 0.3 may be lost');
    // 98.33 - 98.17 as they are written, though a sample of 600 is 0.1667 points.
    assert.match(of({ tolerance: 0.3 }, { before: accuracy(590, 600), after: accuracy(589, 600) }).words, /fell by 0\.16 percentage points, from 98\.33\u00a0% to 98\.17\u00a0%/);
    assert.match(of({ tolerance: 0.3 }, { before: accuracy(589, 600), after: accuracy(590, 600) }).words, /rose by 0\.16/);
  });

  test('is by the exact numbers', () => {
    assert.ok(of({ tolerance: 0.12 }, { before: accuracy(4965, 5000), after: accuracy(4959, 5000) }).met);
    assert.ok(!of({ tolerance: 0.16 }, { before: accuracy(590, 600), after: accuracy(589, 600) }).met);
  });

  test('of a budget, of noise, and of no loss', () => {
    assert.deepEqual(of({ budget: 4000 }, { file_bytes: 3998 }), { met: true, words: '3,998 B of at most 4,000 B' });
    assert.equal(of({ budget: 4000 }, { file_bytes: 4001 }).met, false);
    assert.deepEqual(of({ snr: 30 }, { snr: 30.02 }), { met: true, words: '30.02 dB signal to noise, at least 30 dB wanted' });
    assert.equal(of({ snr: 30 }, { snr: 29.9 }).met, false);
    assert.ok(of('lossless', {}).met);
  });
});

describe('the Pareto front', () => {
  const point = (/** @type {number} */ bytes, /** @type {number} */ quality) => ({ id: '', name: '', bytes, quality });

  test('has what no other beats in both', () => {
    const points = [point(100, 0.9), point(50, 0.8), point(80, 0.7), point(100, 0.95), point(200, 0.95)];
    assert.deepEqual(pareto(points).map(({ bytes, quality }) => [bytes, quality]), [[50, 0.8], [100, 0.95]]);
  });
});

test('what follows the state is called once it is at rest, and only if its part has changed', async () => {
  let calls = 0;
  const rest = () => new Promise((resolve) => setTimeout(resolve, 5));
  whenChanged(({ layer }) => String(layer), () => calls++);
  set({ layer: 1 });
  set({ layer: 2 });
  assert.equal(calls, 0);
  await rest();
  assert.equal(calls, 1);
  set({ problem: 'something else' });
  set({ layer: 3, openingFile: { name: 'a.onnx', done: null, started: 0 } });
  await rest();
  assert.equal(calls, 1);
  set({ openingFile: null });
  await rest();
  assert.equal(calls, 2);
});

describe('a run', () => {
  const run = /** @type {any} */ ({ status: 'running', stage: null, stages: [], probes: [], training: null, progress: null, warnings: [], grown: false });

  test('says how far it is, as the engine does', () => {
    assert.equal(share(run), 0);
    const told = advance(run, { kind: 'progress', done: 5, of: 20 });
    assert.equal(share(told), 0.25);
    // A target that takes another round is more work.
    const more = advance(told, { kind: 'progress', done: 5, of: 25 });
    assert.deepEqual([share(more), told.grown, more.grown], [0.2, false, true]);
    assert.equal(secondsLeft(0.25, 10), 30);
    assert.equal(secondsLeft(0.01, 10), null);
    assert.deepEqual([leftWords(0.01, 10), leftWords(0.25, 10), leftWords(0.99, 50)], ['', ', about 30 s left', ', almost done']);
  });

  test('gathers its events', () => {
    const events = /** @type {any[]} */ ([
      { kind: 'finished', stage: 'original' },
      { kind: 'started', stage: 'prune' },
      { kind: 'probed', stage: 'prune', mid: 1 },
      { kind: 'training', stage: 'prune', done: 1 },
    ]);
    const after = events.reduce(advance, run);
    assert.equal(after.stage, 'prune');
    assert.equal(after.probes.length, 1);
    assert.equal(after.training?.done, 1);
    assert.deepEqual(after.stages.map((/** @type {any} */ state) => state.stage), ['original']);
  });

  test('knows how sensitive the layers are that were tried so far', () => {
    const events = /** @type {any[]} */ ([{ kind: 'tried', layer: 0, sensitivity: 0.5 }, { kind: 'tried', layer: 1, sensitivity: 0.25 }]);
    assert.deepEqual(events.reduce(advance, run).sensitivities, [0.5, 0.25]);
  });

  test('shows a stage once, also if it is told again on resuming', () => {
    const finished = /** @type {any} */ ({ kind: 'finished', stage: 'original' });
    assert.equal(advance(advance(run, finished), finished).stages.length, 1);
  });

  test('forgets what a second pass makes again', () => {
    const finished = ['original', 'structure', 'prune'].map((stage) => ({ kind: 'finished', stage }));
    const again = /** @type {any[]} */ ([...finished, { kind: 'started', stage: 'structure' }]).reduce(advance, run);
    assert.deepEqual(again.stages.map((/** @type {any} */ state) => state.stage), ['original']);
  });

  test('hears nothing once it has ended', () => {
    const ended = { ...run, status: 'cancelled' };
    assert.equal(advance(ended, { kind: 'started', stage: 'prune' }), ended);
  });
});
