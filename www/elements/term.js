// A term with its definition at hand.
import { html } from 'lit';
import { TERMS } from '../terms.js';

/** Room around a note, in pixels. */
const GAP = 6;

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
    // Below the term, or above it where there is more room, and inside the window.
    note.addEventListener('toggle', () => {
      const [term, own] = [button.getBoundingClientRect(), note.getBoundingClientRect()];
      const below = term.bottom + GAP;
      const top = below + own.height + GAP > innerHeight && term.top > innerHeight - term.bottom ? term.top - GAP - own.height : below;
      note.style.left = `${Math.max(GAP, Math.min(term.left, document.documentElement.clientWidth - own.width - GAP))}px`;
      note.style.top = `${Math.max(GAP, Math.min(top, innerHeight - own.height - GAP))}px`;
    });
    this.append(button, note);
  }
}

customElements.define('glossary-term', GlossaryTerm);
