// The worker that opens, measures and compresses. A new one is told what the one before knew.
import { Bridge, copyOf } from './bridge.js';

/** @typedef {typeof import('./worker/runs.js').runs} WorkerApi */
/** @typedef {import('./types.js').RunEvent} RunEvent */
/** @typedef {import('./types.js').Scaling} Scaling */
/** @typedef {import('./worker/parts.js').Part} Part */

export class Engine {
  /** @type {Uint8Array | null} */
  #network = null;
  /** @type {Part[]} */
  #parts = [];
  /** @type {number[]} */
  #numbers = [];
  /** @type {Bridge<WorkerApi>} */
  #bridge = new Bridge(
    'runs',
    async (remote) => {
      if (this.#network) await remote.open(copyOf(this.#network));
      for (const part of this.#parts) await remote.addData(part);
      await remote.numberClasses(this.#numbers);
    },
  );

  /** @template T @param {(remote: import('comlink').Remote<WorkerApi>) => Promise<T>} work @returns {Promise<T>} */
  #call = (work) => this.#bridge.call(work);

  /** Opens a .nut file, or a network from the reader. @param {Uint8Array} bytes */
  async open(bytes) {
    const summary = await this.#call((remote) => remote.open(copyOf(bytes)));
    this.#network = bytes;
    return summary;
  }

  /** The bytes of the opened network. */
  get network() {
    return this.#network;
  }

  /** Adds samples; resolves to what that set is like so far. @param {Part} part */
  async addData(part) {
    const so = await this.#call((remote) => remote.addData(part));
    this.#parts.push(part);
    return so;
  }

  /** Forgets all samples. */
  async clearData() {
    await this.#call((remote) => remote.clearData());
    this.#parts = [];
    this.#numbers = [];
  }

  /** How the samples are to be read for the opened network. @param {string[]} classNames @param {Scaling | null} scaling If it is known. */
  readingOf = (classNames, scaling) => this.#call((remote) => remote.readingOf(classNames, scaling));

  /** Numbers the classes as a network does. @param {number[]} numbers */
  async numberClasses(numbers) {
    await this.#call((remote) => remote.numberClasses(numbers));
    this.#numbers = numbers;
  }

  /** The recipe of an effort. @param {import('./types.js').Effort} effort */
  recipe = (effort) => this.#call((remote) => remote.recipe(effort));

  /** The effort for the opened network and so many training samples: `usual`, or one without training if that would take long.
   * @param {import('./types.js').Effort} usual @param {number} samples */
  suitedEffort = (usual, samples) => this.#call((remote) => remote.suitedEffort(usual, samples));

  /** Every number of a recipe, with its range. */
  settings = () => this.#call((remote) => remote.settings());

  /** The stages in their order. */
  stages = () => this.#call((remote) => remote.stages());

  /** What can be opened. */
  formats = () => this.#call((remote) => remote.formats());

  /** Fails with what is wrong with a recipe. @param {import('./types.js').Recipe} recipe */
  checkRecipe = (recipe) => this.#call((remote) => remote.checkRecipe(recipe));

  /** A seed for those who want another one. */
  randomSeed = () => this.#call((remote) => remote.randomSeed());

  /** Accuracy on the test samples, or on those so far where the signal is given; null if there are none.
   * @param {Scaling} scaling
   * @param {(done: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<import('./types.js').Accuracy | null>} */
  evaluate = (scaling, onProgress, signal) =>
    this.#bridge.callWithPort(onProgress, (remote, port) => remote.evaluate(scaling, port), signal);

  /** Some test images with the opened network's answers.
   * @param {number} first
   * @param {number} count
   * @param {Scaling} scaling */
  look = (first, count, scaling) => this.#call((remote) => remote.look(first, count, scaling));

  /** Runs a recipe; aborting the signal ends the worker.
   * @param {import('./types.js').Recipe} recipe
   * @param {object} options
   * @param {import('./types.js').Checkpoint} [options.checkpoint]
   * @param {(event: RunEvent) => void} options.onEvent
   * @param {(checkpoint: import('./types.js').Checkpoint) => void} options.onCheckpoint
   * @param {AbortSignal} options.signal
   * @returns {Promise<import('../pkg/nutshell.js').Compressed>} */
  async compress(recipe, { checkpoint, onEvent, onCheckpoint, signal }) {
    const abort = () => this.#bridge.end(new DOMException('the run was cancelled', 'AbortError'));
    signal.addEventListener('abort', abort);
    try {
      return await this.#bridge.callWithPort(
        (message) => (message.event ? onEvent(message.event) : onCheckpoint(message.checkpoint)),
        (remote, port) => remote.compress(recipe, checkpoint, port),
      );
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
