// A row of questions to the viewer, one after the other, whose answers are shown as they come.

/** @template Item, Answer */
export class Sweep {
  #host;
  #key = '';
  /** The row that is asked; another one ends it. */
  #row = {};
  /** Answers so far, in the order of the items. @type {Answer[]} */
  answers = [];
  /** How many questions there are. */
  total = 0;
  /** When the first was asked, by performance.now(). */
  started = 0;
  /** Whether the user has ended it; what was answered stays. */
  stopped = false;
  /** Why there are no more answers. */
  problem = '';

  /** @param {{ requestUpdate(): void }} host Drawn again at each answer. */
  constructor(host) {
    this.#host = host;
  }

  /** Whether more answers will come. */
  get working() {
    return !this.stopped && !this.problem && this.answers.length < this.total;
  }

  /** Asks about each item, unless that was done; another key begins anew. An answer of null ends it, without any.
   * @param {string} key @param {Item[]} items @param {(item: Item) => Promise<Answer | null>} ask */
  read(key, items, ask) {
    if (key !== this.#key) {
      this.#key = key;
      void this.#work(items, ask);
    }
    return this;
  }

  /** Ends it. */
  stop = () => {
    this.stopped = true;
    this.#host.requestUpdate();
  };

  /** Goes on, from the beginning. */
  again = () => {
    this.#key = '';
    this.#host.requestUpdate();
  };

  /** @param {Item[]} items @param {(item: Item) => Promise<Answer | null>} ask */
  async #work(items, ask) {
    const row = (this.#row = {});
    Object.assign(this, { answers: [], total: items.length, started: performance.now(), stopped: false, problem: '' });
    for (const item of items) {
      try {
        const answer = await ask(item);
        if (row !== this.#row || this.stopped) return;
        if (answer === null) this.total = 0;
        else this.answers = [...this.answers, answer];
      } catch (error) {
        if (row !== this.#row) return;
        this.problem = error instanceof Error ? error.message : String(error);
      }
      this.#host.requestUpdate();
      if (!this.working) return;
    }
  }
}
