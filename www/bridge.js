// Starts the worker, hears of its death, and replaces it. A new worker is told what the old one knew.
import * as Comlink from 'comlink';

/** @typedef {import('./worker.js').WorkerApi} WorkerApi */
/** @typedef {import('./types.js').RunEvent} RunEvent */
/** @typedef {{ set: 'train' | 'test', images?: Uint8Array, labels?: Uint8Array }} Part */

/** Names under which the engine's end is thrown: a panic with its message, or a trap without one. */
const FATAL = new Set(['Panic', 'RuntimeError']);

export class Bridge {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Promise<Comlink.Remote<WorkerApi>> | null} */
  #remote = null;
  /** Rejected when the worker ends, whatever ends it. */
  #death = deferred();
  /** @type {Uint8Array | null} */
  #network = null;
  /** @type {Part[]} */
  #parts = [];

  /** Opens a model file. @param {Uint8Array} bytes */
  async open(bytes) {
    const summary = await this.#call((remote) => remote.open(bytes));
    this.#network = bytes;
    return summary;
  }

  /** Adds samples; resolves to the number of images of that set. @param {Part} part */
  async addData(part) {
    const images = await this.#call((remote) => remote.addData(part.set, part));
    this.#parts.push(part);
    return images;
  }

  /** Forgets all samples. */
  async clearData() {
    await this.#call((remote) => remote.clearData());
    this.#parts = [];
  }

  /** The recipe of an effort. @param {import('./types.js').Effort} effort */
  recipe(effort) {
    return this.#call((remote) => remote.recipe(effort));
  }

  /** Accuracy on the test samples.
   * @param {import('./types.js').Scaling} scaling
   * @param {(done: number) => void} onProgress */
  evaluate(scaling, onProgress) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => onProgress(data);
    return this.#call((remote) => remote.evaluate(scaling, Comlink.transfer(port2, [port2]))).finally(() => port1.close());
  }

  /** Some test images with the opened network's answers.
   * @param {number} first
   * @param {number} count
   * @param {import('./types.js').Scaling} scaling */
  look(first, count, scaling) {
    return this.#call((remote) => remote.look(first, count, scaling));
  }

  /** Runs a recipe; aborting the signal ends the worker.
   * @param {import('./types.js').Recipe} recipe
   * @param {object} options
   * @param {Uint8Array} [options.checkpoint]
   * @param {(event: RunEvent) => void} options.onEvent
   * @param {(checkpoint: Uint8Array) => void} options.onCheckpoint
   * @param {AbortSignal} options.signal */
  async compress(recipe, { checkpoint, onEvent, onCheckpoint, signal }) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => (data.event ? onEvent(data.event) : onCheckpoint(data.checkpoint));
    const abort = () => this.#end(new DOMException('the run was cancelled', 'AbortError'));
    signal.addEventListener('abort', abort);
    try {
      return await this.#call((remote) => remote.compress(recipe, checkpoint, Comlink.transfer(port2, [port2])));
    } finally {
      signal.removeEventListener('abort', abort);
      port1.close();
    }
  }

  /** The opened network as an ONNX file, in its compact or in the original's shapes. @param {boolean} compact */
  toOnnx(compact) {
    return this.#call((remote) => remote.toOnnx(compact));
  }

  /** A seed for those who want another one. */
  randomSeed() {
    return this.#call((remote) => remote.randomSeed());
  }

  /** Asks the worker, starting one if there is none.
   * @template T
   * @param {(remote: Comlink.Remote<WorkerApi>) => Promise<T>} work
   * @returns {Promise<T>} */
  async #call(work) {
    this.#remote ??= this.#start();
    const { promise: death } = this.#death;
    try {
      return await Promise.race([this.#remote.then(work), death]);
    } catch (error) {
      if (error instanceof Error && FATAL.has(error.name)) {
        const words =
          error.name === 'Panic'
            ? `the engine stopped: ${error.message}`
            : 'the engine stopped, most likely because the tab ran out of memory';
        this.#end(new Error(words));
        throw new Error(words);
      }
      throw error;
    }
  }

  async #start() {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'nutshell' });
    this.#worker = worker;
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#end(new Error(event.message || 'the engine could not be started'));
    });
    /** @type {Comlink.Remote<WorkerApi>} */
    const remote = Comlink.wrap(worker);
    const lock = `nutshell ${performance.timeOrigin} ${Math.random()}`;
    await remote.start(lock);
    // Granted when the worker is gone, even if it was killed without a word.
    navigator.locks?.request(lock, () => {
      if (worker === this.#worker) this.#end(new Error('the engine was ended by the browser, most likely for want of memory'));
    });
    if (this.#network) await remote.open(this.#network);
    for (const part of this.#parts) await remote.addData(part.set, part);
    return remote;
  }

  /** Ends the worker; every call that waits for it fails with `reason`. The next call starts another one.
   * @param {Error} reason */
  #end(reason) {
    this.#worker?.terminate();
    this.#worker = null;
    this.#remote = null;
    const { reject } = this.#death;
    this.#death = deferred();
    reject(reason);
  }
}

/** A promise that is only ever rejected, and may go unheard.
 * @returns {{ promise: Promise<never>, reject: (reason: Error) => void }} */
function deferred() {
  const { promise, reject } = Promise.withResolvers();
  promise.catch(() => {});
  return { promise: /** @type {Promise<never>} */ (promise), reject };
}
