// A term with its definition at hand.
import { html } from 'lit';
import { TERMS } from '../terms.js';

/** Counts the places where terms stand: each has a note of its own. */
let places = 0;

/** A term that opens its definition. @param {keyof typeof TERMS} name @param {string} [words] How it reads in the sentence. */
export function term(name, words = name) {
  return html`<glossary-term name=${name} words=${words}></glossary-term>`;
}

class GlossaryTerm extends HTMLElement {
  connectedCallback() {
    if (this.firstChild) return;
    const name = /** @type {keyof typeof TERMS} */ (this.getAttribute('name'));
    const { text, source, link } = TERMS[name];
    const id = `term-${places++}`;
    const button = Object.assign(document.createElement('button'), { type: 'button', className: 'term', textContent: this.getAttribute('words') });
    button.setAttribute('popovertarget', id);
    const note = Object.assign(document.createElement('div'), { id, className: 'note-box', popover: 'auto' });
    note.append(Object.assign(document.createElement('b'), { textContent: name }), ` ${text} `);
    note.append(Object.assign(document.createElement('a'), { href: link, textContent: source, rel: 'noreferrer' }));
    // Below the term, and inside the window.
    note.addEventListener('beforetoggle', () => {
      const { left, bottom } = button.getBoundingClientRect();
      note.style.left = `${Math.max(8, Math.min(left, innerWidth - 340))}px`;
      note.style.top = `${bottom + 6 + (bottom > innerHeight - 180 ? -200 : 0)}px`;
    });
    this.append(button, note);
  }
}

customElements.define('glossary-term', GlossaryTerm);
