// How far something long is, how long it will still take, and a button that ends it.
import { html } from 'lit';
import { leftWords } from '../progress.js';

/** @param {string} words What is being done. @param {number} done 0 to 1. @param {number} started By performance.now(). @param {() => void} cancel */
export function working(words, done, started, cancel) {
  return html`<span class="working-on">
    <progress max="1" value=${done} aria-label=${words}></progress>
    <span>${words}, ${Math.floor(100 * done)} %${leftWords(done, (performance.now() - started) / 1000)}</span>
    <button type="button" class="small" @click=${cancel}>Cancel</button>
  </span>`;
}
