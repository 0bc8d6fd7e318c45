// A question to a worker, asked again when it changes.
import { Task, TaskStatus } from '@lit/task';

/** A worker answers one question after the other: while it is at one, only the last of those that come is kept for it. Each answer is shown,
 * also where another question has been asked meanwhile, until the scope changes. */
export class Query {
  #scope = '';
  #key = '';
  /** @type {unknown} */
  #answer;
  /** What the worker is at. @type {Promise<unknown>} */
  #asked = Promise.resolve();
  #task;

  /** @param {import('lit').ReactiveControllerHost} host Drawn again at each answer.
   * @param {number} [delay] Milliseconds without another question before one is asked. */
  constructor(host, delay = 0) {
    this.#task = new Task(host, {
      autoRun: false,
      task: async (/** @type {[string, () => Promise<unknown>]} */ [scope, ask], { signal }) => {
        await this.#asked.catch(() => {});
        if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
        signal.throwIfAborted();
        this.#asked = ask();
        const answer = await this.#asked;
        if (scope !== this.#scope) return;
        this.#answer = answer;
        host.requestUpdate();
      },
      onError: () => (this.#answer = undefined),
    });
  }

  /** Whether the shown answer is not yet that of the last question. */
  get pending() {
    return this.#task.status === TaskStatus.PENDING;
  }

  /** Why the last question has no answer; empty while it may still get one. */
  get problem() {
    const { status, error } = this.#task;
    return status === TaskStatus.ERROR ? (error instanceof Error ? error.message : String(error)) : '';
  }

  /** The answer that was read last, or `none`. @template T @param {T} none @returns {T} */
  latest(none) {
    return /** @type {T} */ (this.#answer ?? none);
  }

  /** The last answer, which may still be of another question with the same scope.
   * @template T
   * @param {string | number} scope An answer is forgotten when this changes.
   * @param {unknown[]} question
   * @param {() => Promise<T>} ask
   * @returns {T | undefined} */
  read(scope, question, ask) {
    const key = JSON.stringify([scope, question]);
    if (String(scope) !== this.#scope) {
      this.#scope = String(scope);
      this.#answer = undefined;
    }
    if (key !== this.#key) {
      this.#key = key;
      void this.#task.run([this.#scope, ask]);
    }
    return /** @type {T | undefined} */ (this.#answer);
  }
}
