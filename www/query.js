// A question to the viewer, asked again when it changes.

/** Keeps the last answer while the next one is awaited; of questions that come meanwhile only the last is asked. */
export class Query {
  /** The answer to the last question that was answered. */
  #value = /** @type {unknown} */ (undefined);
  #answered = '';
  /** @type {{ scope: string, key: string, ask: () => Promise<unknown> } | null} */
  #wanted = null;
  #busy = false;
  #scope = '';
  /** Why the last question has no answer. */
  problem = '';
  #host;
  #delay;

  /** @param {{ requestUpdate(): void }} host Drawn again at each answer.
   * @param {number} [delay] Milliseconds without another question before one is asked. */
  constructor(host, delay = 0) {
    this.#host = host;
    this.#delay = delay;
  }

  /** Whether the shown answer is not yet that of the last question. */
  get pending() {
    return this.#busy || this.#wanted !== null;
  }

  /** The answer that was read last, or `none`. @template T @param {T} none @returns {T} */
  latest(none) {
    return /** @type {T} */ (this.#value ?? none);
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
      this.#value = undefined;
      this.#answered = '';
      this.problem = '';
    }
    if (key === this.#answered) this.#wanted = null;
    else if (this.#wanted?.key !== key) {
      this.#wanted = { scope: this.#scope, key, ask };
      if (!this.#busy) void this.#work();
    }
    return /** @type {T | undefined} */ (this.#value);
  }

  async #work() {
    this.#busy = true;
    while (this.#wanted) {
      let next = this.#wanted;
      while (this.#delay > 0) {
        await new Promise((resolve) => setTimeout(resolve, this.#delay));
        if (!this.#wanted || this.#wanted === next) break;
        next = this.#wanted;
      }
      if (!this.#wanted) break;
      let [value, problem] = /** @type {[unknown, string]} */ ([undefined, '']);
      try {
        value = await next.ask();
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
      if (this.#wanted === next) this.#wanted = null;
      // An answer that comes after its scope has gone is of no use.
      if (next.scope === this.#scope) [this.#value, this.problem, this.#answered] = [value, problem, next.key];
      this.#host.requestUpdate();
    }
    this.#busy = false;
    this.#host.requestUpdate();
  }
}
