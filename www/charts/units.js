import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { Chart, data } from './chart.js';

/** @typedef {{ name: string, left: number, dying?: number, gone: number }} Row */

const NAME = 72;
/** Room for the words behind the squares. */
const WORDS = 104;
const GAP = 14;
/** The most squares of a row: above, one stands for several units. */
const MOST = 1000;

/**
 * A network's units (channels and neurons) as squares, a row of them a layer: those that are left are filled, those that are
 * gone are empty. How many they are is what is shown, not which.
 *
 * Properties: `rows`, each with its `name` and how many units are `left`, how many are `dying`, and how many are `gone`.
 *
 * @element nutshell-units
 */
export class UnitsChart extends Chart {
  static properties = { ...Chart.properties, rows: data };

  constructor() {
    super();
    /** @type {Row[]} */
    this.rows = [];
  }

  draw() {
    if (this.rows.length === 0) return nothing;
    const narrow = this.width < 480;
    const room = Math.max(40, this.width - NAME - (narrow ? 0 : WORDS));
    let top = narrow ? 16 : 2;
    const dying = this.rows.some((row) => row.dying);
    const drawn = this.rows.map((row) => {
      const [part, height] = squares(row, room, top);
      const words = `${format.count(row.left)} of ${format.count(all(row))}`;
      const own = svg`<text class="ink" x=${NAME - 10} y=${top + Math.min(height, 14) / 2 + 1} text-anchor="end" dominant-baseline="central">${row.name}</text>
        ${part}
        <text class="ink" x=${narrow ? NAME : this.width} y=${narrow ? top - 4 : top + Math.min(height, 14) / 2 + 1} text-anchor=${narrow ? 'start' : 'end'}
          dominant-baseline=${narrow ? 'auto' : 'central'}>${words}</text>`;
      top += height + GAP + (narrow ? 14 : 0);
      return own;
    });
    return html`<ul class="legend">
        <li><span class="swatch kind-0"></span>left</li>
        ${dying ? html`<li><span class="swatch kind-1"></span>would be removed</li>` : nothing}
        <li><span class="swatch" style="background: none; box-shadow: inset 0 0 0 1px var(--c-quiet)"></span>removed</li>
      </ul>
      <svg width=${this.width} height=${Math.max(1, top - GAP + 6)} role="img" aria-label=${this.label}>${drawn}</svg>`;
  }

  table() {
    return {
      columns: ['Layer', 'Units', 'Left', 'Would be removed', 'Removed'],
      rows: this.rows.map((row) => [row.name, ...[all(row), row.left, row.dying ?? 0, row.gone].map(format.count)]),
    };
  }
}

/** @param {Row} row */
const all = ({ left, dying = 0, gone }) => left + dying + gone;

/** A row's squares, as one path for each kind, and how high they are together. @param {Row} row @param {number} room @param {number} top
 * @returns {[unknown, number]} */
function squares(row, room, top) {
  const { left, dying = 0, gone } = row;
  const each = Math.max(1, Math.ceil(all(row) / MOST));
  const counts = [left, dying, gone].map((count) => Math.ceil(count / each));
  const total = counts[0] + counts[1] + counts[2];
  // As large as fits into two rows, within reason.
  const side = Math.min(14, Math.max(5, Math.floor((2 * room) / Math.max(1, total)) - 2));
  const columns = Math.max(1, Math.floor(room / (side + 2)));
  const paths = ['', '', ''];
  let place = 0;
  for (const [kind, count] of counts.entries())
    for (let index = 0; index < count; index++, place++) {
      const [x, y] = [NAME + (place % columns) * (side + 2), top + Math.floor(place / columns) * (side + 2)];
      // The empty ones are drawn by their outline, half a pixel inside.
      paths[kind] += kind === 2 ? `M${x + 0.5} ${y + 0.5}h${side - 1}v${side - 1}h${1 - side}z` : `M${x} ${y}h${side}v${side}h${-side}z`;
    }
  const height = Math.max(1, Math.ceil(total / columns)) * (side + 2) - 2;
  return [svg`<path class="kind-0" d=${paths[0]}></path><path class="kind-1" d=${paths[1]}></path><path class="outline" d=${paths[2]}></path>`, height];
}

customElements.define('nutshell-units', UnitsChart);
