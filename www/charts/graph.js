import { html, nothing, svg } from 'lit';
import * as format from '../format.js';
import { Chart, data } from './chart.js';

/** @typedef {{ name: string, op: string, shape: number[], parameters: number, inputs: number[], layer?: number }} Node */
/** @typedef {{ x: number, y: number, width: number, row: number }} Place */

const HEIGHT = 52;
const GAP = 24;
/** Between two rows, for the lines that go from one to the other. */
const CHANNEL = 34;
/** Left of the rows, for the same. */
const MARGIN = 18;
const LETTER = 6.4;

/**
 * A network's graph: boxes in the order in which they run, in as many rows as are needed, and lines from each to what reads it.
 *
 * Properties: `nodes`, the first of which is the input; each has `name`, `op`, `shape`, `parameters`, its `inputs` (places in
 * `nodes`), and the number of its `layer` if it has weights; `chosen`, the layer that is looked at, or null.
 *
 * Events: `choose`, with a layer's number in `detail`.
 *
 * @element nutshell-graph
 */
export class GraphChart extends Chart {
  static properties = { ...Chart.properties, nodes: data, chosen: {} };

  constructor() {
    super();
    /** @type {Node[]} */
    this.nodes = [];
    /** @type {number | null} */
    this.chosen = null;
  }

  draw() {
    if (this.nodes.length === 0) return nothing;
    const places = layOut(this.nodes, this.width);
    const rows = places[places.length - 1].row + 1;
    return html`<svg width=${this.width} height=${rows * (HEIGHT + CHANNEL) - CHANNEL + (branches(this.nodes) ? 16 : 2)} role="group" aria-label=${this.label}>
      ${this.nodes.map((node, index) => node.inputs.map((input) => line(places, input, index, node)))}
      ${this.nodes.map((node, index) => this.#box(node, places[index]))}
    </svg>`;
  }

  /** @param {Node} node @param {Place} place */
  #box({ name, op, shape, parameters, layer }, { x, y, width }) {
    const words = parameters ? clip(`${name}: ${format.count(parameters)}`, width) : '';
    const inside = svg`<rect class="box ${layer === undefined ? '' : 'weighted'} ${layer !== undefined && layer === this.chosen ? 'chosen' : ''}"
        x=${x} y=${y} width=${width} height=${HEIGHT} rx="7"></rect>
      <text class="ink strong" x=${x + 9} y=${y + 16}>${op}</text>
      <text class="ink small" x=${x + 9} y=${y + 30}>${format.shape(shape)}</text>
      <text class="small" x=${x + 9} y=${y + 44}>${words}</text>`;
    if (layer === undefined) return svg`<g><title>${name}</title>${inside}</g>`;
    const choose = () => this.dispatchEvent(new CustomEvent('choose', { detail: layer }));
    return svg`<g role="button" tabindex="0" style="cursor: pointer"
      aria-pressed=${layer === this.chosen ? 'true' : 'false'} @click=${choose}
      @keydown=${(/** @type {KeyboardEvent} */ event) => (event.key === 'Enter' || event.key === ' ') && (event.preventDefault(), choose())}>${inside}</g>`;
  }

  table() {
    return {
      columns: ['Node', 'Operator', 'Output', 'Parameters', 'Inputs'],
      rows: this.nodes.map(({ name, op, shape, parameters, inputs }) => [
        name,
        op,
        format.shape(shape),
        parameters ? format.count(parameters) : '',
        inputs.map((input) => this.nodes[input].name).join(', '),
      ]),
    };
  }
}

/** Whether anything reads more than what stands before it. @param {Node[]} nodes */
const branches = (nodes) => nodes.some(({ inputs }, index) => inputs.some((input) => input !== index - 1));

/** @param {string} words @param {number} width */
const clip = (words, width) => (words.length * LETTER > width - 12 ? `${words.slice(0, Math.max(1, Math.floor((width - 18) / LETTER)))}\u2026` : words);

/** Rows from left to right, each as full as it gets. @param {Node[]} nodes @param {number} room @returns {Place[]} */
function layOut(nodes, room) {
  let [x, row] = [MARGIN, 0];
  return nodes.map(({ name, op, shape, parameters }) => {
    const words = [format.shape(shape), parameters ? `${name}: ${format.count(parameters)}` : ''];
    // The operator is bold.
    const longest = Math.max(op.length * 1.2, ...words.map(({ length }) => length));
    const width = Math.min(Math.max(64, longest * LETTER + 20), 190, room - MARGIN - 2);
    if (x > MARGIN && x + width > room - 10) [x, row] = [MARGIN, row + 1];
    const place = { x, y: 1 + row * (HEIGHT + CHANNEL), width, row };
    x += width + GAP;
    return place;
  });
}

/** From a node to one that reads it. @param {Place[]} places @param {number} from @param {number} to @param {Node} node */
function line(places, from, to, node) {
  const [source, target] = [places[from], places[to]];
  const middle = (/** @type {Place} */ { y }) => y + HEIGHT / 2;
  const right = source.x + source.width;
  if (from === to - 1 && source.row === target.row) return arrow(`M${right} ${middle(source)}H${target.x - 2}`, target.x - 2, middle(target), 'right');
  // Of several inputs of a node, and of neighbouring branches, the lines do not lie on each other.
  const lane = 4 * ((node.inputs.indexOf(from) + to) % 3);
  if (from === to - 1) {
    const between = target.y - CHANNEL / 2;
    return arrow(`M${right} ${middle(source)}h8V${between}H${MARGIN / 2}V${middle(target)}H${target.x - 2}`, target.x - 2, middle(target), 'right');
  }
  const [start, end] = [source.x + source.width * 0.7, target.x + target.width * 0.3];
  const below = source.y + HEIGHT + 5 + lane;
  if (source.row === target.row) return arrow(`M${start} ${source.y + HEIGHT}V${below}H${end}V${target.y + HEIGHT + 2}`, end, target.y + HEIGHT + 2, 'up', true);
  const above = target.y - 12 + lane / 2;
  return arrow(`M${start} ${source.y + HEIGHT}V${below}H${2 + lane / 2}V${above}H${end}V${target.y - 2}`, end, target.y - 2, 'down', true);
}

/** @param {string} path @param {number} x @param {number} y @param {'right' | 'up' | 'down'} way @param {boolean} [branch] */
function arrow(path, x, y, way, branch = false) {
  const head = { right: `M${x} ${y}l-6 -3.5v7z`, up: `M${x} ${y}l-3.5 6h7z`, down: `M${x} ${y}l-3.5 -6h7z` }[way];
  return svg`<path class=${branch ? 'edge branch' : 'edge'} d=${path}></path><path class=${branch ? 'head branch' : 'head'} d=${head}></path>`;
}

customElements.define('nutshell-graph', GraphChart);
