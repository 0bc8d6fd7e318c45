// Confusion matrices before and after, and the test samples whose answer changed.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import '../charts/confusion.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { PAIRS } from './answer-pairs.js';
import { Element } from './element.js';
import { drawLook } from './sample-strip.js';
import { term } from './term.js';
import { working } from './working.js';

/** The most samples that are drawn. */
const SHOWN = 20;
/** The most classes of a matrix that can be read. */
const MOST_CLASSES = 50;

class AnswerChanges extends Element {
  static properties = { done: { state: true } };

  #started = 0;
  #stop = new AbortController();

  #comparison = new Query(this);
  #images = new Query(this);

  constructor() {
    super();
    /** Share of the comparison that is done. */
    this.done = 0;
  }

  render() {
    const { network, recipe, viewerStages, data, result } = get();
    if (!network?.graph.classifies || !recipe || !result || !viewerStages.includes('code') || data.test === 0) return nothing;
    const run = `${network.id} ${data.name} ${result.id}`;
    const comparison = this.#comparison.read(run, [recipe.scaling], () => {
      this.#started = performance.now();
      this.#stop = new AbortController();
      return viewer.compare(run, recipe.scaling, (done) => (this.done = done), this.#stop.signal);
    });
    if (!comparison)
      return this.#comparison.problem
        ? html`<p class="quiet">The answers cannot be compared: ${this.#comparison.problem}</p>`
        : html`<p>${working('Comparing the answers on the test samples', this.done, this.#started, () => this.#stop.abort())}</p>`;
    const { changed, changes } = comparison;
    const byLabels = data.labelled.test;
    const samples = comparison.before.reduce((sum, count) => sum + count, 0);
    const all = samples === data.test ? 'test samples' : `of ${format.count(data.test)} test samples`;
    const images = this.#images.read(run, [changes], async () => {
      const wanted = changed.slice(0, SHOWN);
      const pixels = [];
      for (const { index } of wanted) pixels.push(await viewer.ask((remote) => remote.testImage(index)));
      return pixels;
    });
    return html`
      <h3 class="part">What changed in the answers</h3>
      <p>
        Answers changed on ${format.count(changes)} of ${samples === data.test ? '' : 'the first '}${format.count(samples)} ${all}:
        ${byLabels
          ? html`${changes > changed.length ? html`among the first ${format.count(changed.length)}, ` : nothing}${format.count(changed.filter(({ label, after }) => label === after).length)} fixed,
            ${format.count(changed.filter(({ label, before }) => label === before).length)} broken,
            ${format.count(changed.filter(({ label, before, after }) => label !== before && label !== after).length)} wrong either way.`
          : 'the samples have no labels, so the original\u2019s answers count as correct.'}
        ${byLabels || changes > 0 ? 'Below, a wrong answer of the compressed network is red.' : nothing}
      </p>
      <answer-pairs .scope=${run} .changed=${changed} .samples=${samples}></answer-pairs>
      ${images && format.isImage(data.shape) && (byLabels || changes > PAIRS)
        ? html`<ul class="strip many" aria-label="Test samples whose answer changed">
            ${changed.slice(0, SHOWN).map(
              ({ label, before, after }) => html`<li>
                <canvas aria-hidden="true"></canvas>
                <span class=${after === label ? '' : 'problem'}>
                  <span class="sr">Image of a ${label}, classified as</span> ${before}<span aria-hidden="true"> \u2192 </span><span class="sr">before, and now as</span>${after}
                </span>
              </li>`,
            )}
          </ul>`
        : nothing}
      ${comparison.classes > MOST_CLASSES ? nothing : matrices(comparison, samples)}
    `;
  }

  updated() {
    const { shape } = get().data;
    const { changed } = this.#comparison.latest(/** @type {{ changed: { label: number, after: number }[] }} */ ({ changed: [] }));
    const images = this.#images.latest(/** @type {(Uint8Array | null)[]} */ ([]));
    for (const [index, canvas] of this.querySelectorAll('.many canvas').entries()) {
      const pixels = images[index];
      if (pixels) drawLook(/** @type {HTMLCanvasElement} */ (canvas), { shape, pixels, label: changed[index].label, answer: changed[index].after });
    }
  }
}

/** @param {import('../../pkg/nutshell.js').Comparison} comparison @param {number} samples */
const matrices = (comparison, samples) => html`<div class="charts">
        ${/** @type {const} */ ([['Before', comparison.before], ['After', comparison.after]]).map(
          ([name, counts]) => html`<figure>
            <figcaption><h3>${name}: ${term('confusion matrix')}</h3><span class="quiet">One row per class, one column per answer; ${format.count(samples)} test samples.</span></figcaption>
            <nutshell-confusion label="${name}: confusion matrix" .classes=${comparison.classes} .counts=${counts}></nutshell-confusion>
          </figure>`,
        )}
      </div>`;

customElements.define('answer-changes', AnswerChanges);
