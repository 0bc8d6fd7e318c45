// Some test images, each with the class and its probability before and after: those whose answer changed come first.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { Element } from './element.js';
import { drawLook } from './sample-strip.js';

/** @typedef {import('../types.js').Answer} Answer */
/** @typedef {import('../types.js').Pair} Pair */

/** How many are shown. */
export const PAIRS = 12;

class AnswerPairs extends Element {
  static properties = { scope: {}, changed: { attribute: false }, samples: { type: Number } };

  #pairs = new Query(this);

  constructor() {
    super();
    /** Of which run and samples. */
    this.scope = '';
    /** Samples whose answer changed. @type {{ index: number }[]} */
    this.changed = [];
    /** How many samples there are. */
    this.samples = 0;
  }

  render() {
    const { recipe, data } = get();
    if (!recipe || !format.isImage(data.shape)) return nothing;
    const pairs = this.#pairs.read(this.scope, [this.changed.length, this.samples, recipe.scaling], () => viewer.ask((remote) => remote.pairs(this.#indices(), recipe.scaling)));
    if (!pairs || pairs.length === 0) return nothing;
    const names = data.reading?.class_names ?? data.summary?.class_names ?? [];
    const name = (/** @type {number} */ answer) => names[answer] ?? `class ${answer}`;
    return html`
      <h4>Some test images, before and after</h4>
      <ul class="pairs" aria-label="Test images with their answers before and after">
        ${pairs.map(
          ({ label, before, after }) => html`<li>
            <canvas aria-hidden="true"></canvas>
            <div class="words">
              ${label === null ? nothing : html`<span>is ${name(label)}</span>`}
              <span>before ${words(before, name)}</span>
              <span class=${after.answer === (label ?? before.answer) ? '' : 'problem'}>after ${words(after, name)}</span>
            </div>
          </li>`,
        )}
      </ul>
      <p class="quiet small-text">
        The percentage is the network's own probability (softmax) for that class.${names.length > 0 ? '' : ' Classes are numbered from 0, in the order of the network\u2019s outputs, because the samples name none.'}
      </p>
    `;
  }

  /** Those that changed, and then others from all over the set. */
  #indices() {
    const changed = this.changed.slice(0, PAIRS).map(({ index }) => index);
    const spread = Array.from({ length: PAIRS }, (_, place) => Math.floor((place * this.samples) / PAIRS));
    return [...new Set([...changed, ...spread])].slice(0, PAIRS);
  }

  updated() {
    const { shape } = get().data;
    const pairs = this.#pairs.latest(/** @type {Pair[]} */ ([]));
    for (const [index, canvas] of this.querySelectorAll('canvas').entries()) {
      const pair = pairs[index];
      if (pair) drawLook(canvas, { shape, pixels: pair.pixels, label: pair.label, answer: pair.after.answer });
    }
  }
}

/** @param {Answer} answer @param {(answer: number) => string} name */
const words = ({ answer, share }, name) => html`<b>${name(answer)}</b>${share === null ? nothing : html` <span class="quiet">${(100 * share).toFixed(1)}\u00a0%</span>`}`;

customElements.define('answer-pairs', AnswerPairs);
