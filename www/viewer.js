// The worker that looks at networks. It is started when something is first looked at.
import { Bridge, copyOf } from './bridge.js';

/** @typedef {typeof import('./worker/views.js').views} ViewerApi */
/** @typedef {import('./types.js').Stage} Stage */
/** @typedef {import('./worker/parts.js').Part} Part */
/** A stage's network: a model file, or a checkpoint. @typedef {Uint8Array | import('./types.js').Checkpoint} File */

/** What a worker is told of a network. @param {File} file */
const handed = (file) => (file instanceof Uint8Array ? copyOf(file) : file);

export class Viewer {
  /** @type {Map<Stage, File>} */
  #stages = new Map();
  /** @type {{ part: Part, keep: number }[]} */
  #parts = [];
  /** @type {number[]} */
  #numbers = [];
  #started = false;
  /** @type {{ question: string, answer: Promise<import('../pkg/nutshell.js').Comparison> } | null} */
  #compared = null;
  /** @type {Bridge<ViewerApi>} */
  #bridge = new Bridge(
    'views',
    async (remote) => {
      this.#started = true;
      const [stages, parts] = [[...this.#stages], [...this.#parts]];
      for (const [stage, file] of stages) await remote.put(stage, handed(file));
      for (const { part, keep } of parts) await remote.addData(part, keep);
      await remote.numberClasses(this.#numbers);
    },
  );

  /** Asks the viewer.
   * @template T
   * @param {(remote: import('comlink').Remote<ViewerApi>) => Promise<T>} work
   * @returns {Promise<T>} */
  ask = (work) => this.#bridge.call(work);

  /** Compares the answers of the original and of the file; the answer to the last question is kept.
   * @param {string} key Of the two networks.
   * @param {import('./types.js').Scaling} scaling
   * @param {(share: number) => void} onProgress
   * @param {AbortSignal} signal Ends it early: then the samples so far are compared.
   * @returns {Promise<import('../pkg/nutshell.js').Comparison>} */
  compare(key, scaling, onProgress, signal) {
    const question = JSON.stringify([key, scaling]);
    if (this.#compared?.question === question) return this.#compared.answer;
    const answer = this.#bridge.callWithPort(onProgress, (remote, port) => remote.compare(scaling, port), signal);
    this.#compared = { question, answer };
    answer.catch(() => (this.#compared = null));
    return answer;
  }

  /** Takes the network of a stage; the original takes the place of all others.
   * @param {Stage} stage
   * @param {File} file */
  async put(stage, file) {
    if (stage === 'original') this.#stages.clear();
    this.#stages.set(stage, file);
    // A worker that is yet to start is told then.
    if (this.#started) await this.ask((remote) => remote.put(stage, handed(file)));
  }

  /** The networks of all stages, to be kept. */
  get stages() {
    return new Map(this.#stages);
  }

  /** Adds samples; of training samples the last `keep` are kept.
   * @param {Part} part
   * @param {number} keep */
  async addData(part, keep) {
    // A worker that is yet to start is told then.
    if (this.#started) await this.ask((remote) => remote.addData(part, keep));
    this.#parts.push({ part, keep });
  }

  /** Numbers the classes as a network does. @param {number[]} numbers */
  async numberClasses(numbers) {
    this.#numbers = numbers;
    this.#compared = null;
    if (this.#started) await this.ask((remote) => remote.numberClasses(numbers));
  }

  /** Forgets all samples. */
  async clearData() {
    this.#parts = [];
    this.#numbers = [];
    if (this.#started) await this.ask((remote) => remote.clearData());
  }
}
