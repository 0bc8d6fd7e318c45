// Questions to a worker that can answer only one at a time.
import { describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { Query } from '../../www/query.js';

/** A query, and a worker whose answers are given by hand. */
function setUp() {
  /** @type {string[]} */
  const asked = [];
  let open = withResolvers();
  const query = new Query(/** @type {any} */ ({ addController() {}, requestUpdate() {} }));
  const read = (/** @type {string} */ scope, /** @type {string} */ question) =>
    query.read(scope, [question], () => {
      asked.push(question);
      const made = withResolvers();
      open = made;
      return made.promise;
    });
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  return {
    query,
    asked,
    read,
    settle,
    answer: (/** @type {string} */ answer) => (open.resolve(answer), settle()),
    fail: (/** @type {string} */ words) => (open.reject(new Error(words)), settle()),
  };
}

/** Node 20 has no Promise.withResolvers. */
function withResolvers() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}

describe('a query', () => {
  test('asks only the last of the questions that come while the worker is at one, and shows each answer', async () => {
    const { query, asked, read, settle, answer } = setUp();
    assert.equal(read('a', '1'), undefined);
    await settle();
    for (const question of ['2', '3', '4']) read('a', question);
    await answer('one');
    assert.equal(read('a', '4'), 'one');
    assert.ok(query.pending);
    await answer('four');
    assert.equal(read('a', '4'), 'four');
    assert.ok(!query.pending);
    assert.deepEqual(asked, ['1', '4']);
  });

  test('forgets an answer with its scope, also one that comes later', async () => {
    const { read, settle, answer } = setUp();
    read('a', '1');
    await settle();
    assert.equal(read('b', '1'), undefined);
    await answer('of a');
    assert.equal(read('b', '1'), undefined);
    await answer('of b');
    assert.equal(read('b', '1'), 'of b');
  });

  test('says why there is no answer, and shows none', async () => {
    const { query, read, settle, answer, fail } = setUp();
    read('a', '1');
    await settle();
    await answer('one');
    read('a', '2');
    await settle();
    await fail('no such layer');
    assert.equal(read('a', '2'), undefined);
    assert.equal(query.problem, 'no such layer');
    read('a', '3');
    await settle();
    await answer('three');
    assert.deepEqual([read('a', '3'), query.problem], ['three', '']);
  });
});
