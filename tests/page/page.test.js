// The parts of the page that need no browser.
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { merge, recipeOfAddress } from '../../www/address.js';
import * as format from '../../www/format.js';
import { advance } from '../../www/state.js';

describe('numbers', () => {
  const cases = [
    [format.bytes(1140), '1,140 B'],
    [format.ratio(1512.56), '1,513x'],
    [format.ratio(9.64), '9.6x'],
    [format.ratio(99.96), '100x'],
    [format.percent(0.9902), '99.02%'],
    [format.number(0), '0'],
    [format.number(0.04123), '0.0412'],
    [format.number(0.0000123), '1.2e-5'],
    [format.duration(41.7), '42 s'],
    [format.duration(200), '3 min 20 s'],
    [format.accuracy({ split: 'test', samples: 10_000, correct: 9902, accuracy: 0.9902, loss: 0.03 }), '99.02% of 10,000 test samples'],
  ];
  for (const [got, expected] of cases) test(expected, () => assert.equal(got, expected));
});

describe('settings in the address', () => {
  test('are merged into the recipe', () => {
    const settings = recipeOfAddress('#recipe={"target":{"budget":900},"prune":{"training":{"samples":10}}}');
    const recipe = { seed: 1, target: { tolerance: 0.3 }, prune: { rounds: 1, training: { samples: 4000, batch: 32 } } };
    assert.deepEqual(merge(recipe, settings), {
      seed: 1,
      target: { budget: 900 },
      prune: { rounds: 1, training: { samples: 10, batch: 32 } },
    });
  });

  test('may be missing', () => assert.deepEqual(recipeOfAddress(''), {}));

  test('are refused in words if they are broken', () => {
    assert.throws(() => recipeOfAddress('#recipe={'), /not a recipe: \{/);
    assert.throws(() => recipeOfAddress('#recipe=7'), /not a recipe: 7/);
  });
});

describe('a run', () => {
  const run = /** @type {any} */ ({ status: 'running', stage: null, stages: [], probes: [], training: null });

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

  test('shows a stage once, also if it is told again on resuming', () => {
    const finished = /** @type {any} */ ({ kind: 'finished', stage: 'original' });
    assert.equal(advance(advance(run, finished), finished).stages.length, 1);
  });

  test('hears nothing once it has ended', () => {
    const ended = { ...run, status: 'cancelled' };
    assert.equal(advance(ended, { kind: 'started', stage: 'prune' }), ended);
  });
});
