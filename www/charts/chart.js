// What all charts have in common: they fill their element's width, are drawn again when it changes, and have a table.
import { html, LitElement, nothing } from 'lit';
import { style } from './style.js';

/** @typedef {{ columns: string[], rows: (string | number)[][] }} Table */

/** A property of numbers, or of objects of numbers: a chart is drawn again when they differ, not when they are given again. */
export const data = { hasChanged: (/** @type {unknown} */ value, /** @type {unknown} */ old) => !same(value, old) };

/** Whether two values are the same all the way down. @param {unknown} one @param {unknown} other @returns {boolean} */
function same(one, other) {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const [left, right] = [Object.entries(one), Object.entries(other)];
  return left.length === right.length && left.every(([name, value], index) => right[index][0] === name && same(value, right[index][1]));
}

export class Chart extends LitElement {
  static properties = { label: {}, width: { state: true }, tableOpen: { state: true } };
  /** @type {import('lit').CSSResultGroup} */
  static styles = style;

  #observer = new ResizeObserver(([entry]) => {
    this.width = Math.max(160, Math.floor(entry.contentRect.width));
  });

  constructor() {
    super();
    /** What the chart shows, for those who cannot see it. */
    this.label = '';
    this.width = 0;
    this.tableOpen = false;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#observer.observe(this);
  }

  disconnectedCallback() {
    this.#observer.disconnect();
    super.disconnectedCallback();
  }

  render() {
    if (!this.width) return nothing;
    const drawn = this.draw();
    return drawn === nothing ? nothing : html`${drawn}${this.#details()}`;
  }

  /** The chart. @returns {unknown} */
  draw() {
    return nothing;
  }

  /** The same numbers as a table, made when it is opened. @returns {Table | null} */
  table() {
    return null;
  }

  /** Whether there is a table. */
  get tabular() {
    return true;
  }

  #details() {
    if (!this.tabular) return nothing;
    const table = this.tableOpen ? this.table() : null;
    return html`<details
      @toggle=${(/** @type {Event & { target: HTMLDetailsElement }} */ event) => (this.tableOpen = event.target.open)}
    >
      <summary>As a table</summary>
      ${table
        ? html`<div class="scroll" tabindex="0" role="region" aria-label="${this.label}, as a table">
            <table>
              <thead>
                <tr>${table.columns.map((column) => html`<th scope="col">${column}</th>`)}</tr>
              </thead>
              <tbody>
                ${table.rows.map(
                  ([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`,
                )}
              </tbody>
            </table>
          </div>`
        : nothing}
    </details>`;
  }
}

/** Tells of a pointer's way over an SVG element, in pixels from its left edge, from when it is pressed to when it is let go.
 * @param {PointerEvent} down
 * @param {(x: number, end: boolean) => void} hear */
export function follow(down, hear) {
  if (down.button !== 0) return;
  const target = /** @type {SVGElement} */ (down.currentTarget);
  const left = /** @type {SVGElement} */ (target.ownerSVGElement ?? target).getBoundingClientRect().left;
  target.setPointerCapture(down.pointerId);
  const tell = (/** @type {PointerEvent} */ event) => hear(event.clientX - left, event.type !== 'pointermove');
  const end = (/** @type {PointerEvent} */ event) => {
    for (const name of ['pointermove', 'pointerup', 'pointercancel']) target.removeEventListener(name, /** @type {any} */ (listener));
    tell(event);
  };
  const listener = (/** @type {PointerEvent} */ event) => (event.type === 'pointermove' ? tell(event) : end(event));
  for (const name of ['pointermove', 'pointerup', 'pointercancel']) target.addEventListener(name, /** @type {any} */ (listener));
}
