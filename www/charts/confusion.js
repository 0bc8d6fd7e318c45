import { css, html, nothing } from 'lit';
import * as format from '../format.js';
import { Chart, data } from './chart.js';
import { style } from './style.js';

/**
 * A confusion matrix: a row a class, a column an answer. It is a table already.
 *
 * Properties: `classes`, how many; `counts`, row by row.
 *
 * @element nutshell-confusion
 */
export class Confusion extends Chart {
  static properties = { ...Chart.properties, classes: { type: Number }, counts: data };

  static styles = [
    style,
    css`
      :host {
        container-type: inline-size;
      }
      table {
        table-layout: fixed;
        width: 100%;
        max-width: 460px;
        font-size: clamp(0.5rem, 2.7cqi, 0.8125rem);
      }
      th,
      td {
        padding: 3px 0;
        text-align: center;
        border: 1px solid var(--c-line);
        overflow: hidden;
      }
      .right {
        background: color-mix(in oklab, var(--c-card), var(--c-after) 16%);
      }
      .wrong {
        background: color-mix(in oklab, var(--c-card), var(--c-gone) calc(12% + var(--share) * 40%));
      }
    `,
  ];

  constructor() {
    super();
    this.classes = 0;
    /** @type {ArrayLike<number>} */
    this.counts = [];
  }

  get tabular() {
    return false;
  }

  draw() {
    if (this.classes === 0) return nothing;
    const places = Array.from({ length: this.classes }, (_, place) => place);
    const count = (/** @type {number} */ row, /** @type {number} */ column) => this.counts[row * this.classes + column];
    const worst = Math.max(1, ...places.flatMap((row) => places.map((column) => (row === column ? 0 : count(row, column)))));
    return html`<ul class="legend">
        <li><span class="swatch right"></span>the row's class</li>
        <li><span class="swatch wrong" style="--share: 1"></span>another class; the stronger, the more often</li>
      </ul>
      <table aria-label=${this.label}>
      <thead>
        <tr><td></td>${places.map((column) => html`<th scope="col">${column}</th>`)}</tr>
      </thead>
      <tbody>
        ${places.map(
          (row) => html`<tr>
            <th scope="row">${row}</th>
            ${places.map((column) => {
              const value = count(row, column);
              const kind = row === column ? 'right' : value > 0 ? 'wrong' : '';
              return html`<td class=${kind} style="--share: ${value / worst}">${value ? format.count(value) : ''}</td>`;
            })}
          </tr>`,
        )}
      </tbody>
    </table>`;
  }
}

customElements.define('nutshell-confusion', Confusion);
