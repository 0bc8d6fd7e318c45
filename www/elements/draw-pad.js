// Draw a digit, and see what both networks take it for.
import { html, nothing } from 'lit';
import { viewer } from '../actions/engine.js';
import * as format from '../format.js';
import { Query } from '../query.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** Side of the paper, in pixels of the drawing. */
const PAPER = 280;
const PEN = 22;
/** How far a key moves the pen. */
const KEY_STEP = 14;
/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class DrawPad extends Element {
  static properties = { strokes: { state: true }, pen: { state: true } };

  #answers = new Query(this, 40);
  #drawing = new Uint8Array(PAPER * PAPER);

  constructor() {
    super();
    /** Counts what was drawn. */
    this.strokes = 0;
    /** The pen that the keyboard moves, and whether it writes; null until a key moves it. @type {{ x: number, y: number, down: boolean } | null} */
    this.pen = null;
  }

  render() {
    const { network, recipe, viewerStages, data } = get();
    const shape = network?.graph.classifies ? network.graph.input_shape : undefined;
    if (!recipe || !network || shape?.length !== 3 || shape[0] !== 1 || shape[1] !== shape[2]) return nothing;
    // A drawing has bytes: for a network that has learnt from floats nothing says what they mean.
    if ((data.summary?.training ?? data.summary?.test)?.numbers === 'floats') return nothing;
    const stages = /** @type {import('../types.js').Stage[]} */ (viewerStages.includes('code') ? ['original', 'code'] : ['original']);
    const answers = this.#answers.read(network.id, [this.strokes, stages, recipe.scaling], async () =>
      this.strokes > 0 ? viewer.ask((remote) => remote.draw(this.#drawing, [PAPER, PAPER], shape[1], recipe.scaling, stages)) : null,
    );
    return html`
      <h3>Draw a digit</h3>
      <p class="quiet small-text">Use a mouse, a finger or a pen; or move the pen with the arrow keys, and press space to put it down. Both networks answer in this tab. Latency is the mean over several runs on one image.</p>
      <div class="pad">
        <div class="paper">
        <canvas
          id="paper"
          width=${PAPER}
          height=${PAPER}
          tabindex="0"
          role="img"
          aria-label="Paper to draw a digit on: arrow keys move the pen, space puts it down or lifts it"
          @pointerdown=${this.#draw}
          @keydown=${this.#key}
          @blur=${() => (this.pen = null)}
        ></canvas>
        ${this.pen
          ? html`<span class="pen" aria-hidden="true" style="left: ${(100 * this.pen.x) / PAPER}%; top: ${(100 * this.pen.y) / PAPER}%">${this.pen.down ? '\u25cf' : '\u25cb'}</span>`
          : nothing}
        </div>
        <div class="answers" aria-live="polite">
          ${answers
            ? answers.answers.map(({ stage, probabilities, milliseconds }) => {
                const best = probabilities.indexOf(Math.max(...probabilities));
                return html`<div class="answer" data-stage=${stage}>
                  <span class="quiet">${stage === 'original' ? 'Original' : 'Compressed'}</span>
                  <b>${best}</b>
                  <span>${format.percent(probabilities[best])}</span>
                  <span class="quiet">${milliseconds.toFixed(3)} ms</span>
                  <span class="probabilities" aria-hidden="true">${probabilities.map((share, digit) => html`<span><i style="height: ${Math.max(1, 32 * share)}px"></i>${digit}</span>`)}</span>
                </div>`;
              })
            : html`<p class="quiet">${this.#answers.problem || 'Draw a digit to see the answers here.'}</p>`}
          ${stages.length === 1 ? html`<p class="quiet small-text">After a run, the compressed network answers here too.</p>` : nothing}
          <button type="button" class="small" @click=${this.#clear}>Clear the paper</button>
        </div>
      </div>
    `;
  }

  /** @param {PointerEvent} down */
  #draw = (down) => {
    const canvas = /** @type {HTMLCanvasElement} */ (down.currentTarget);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context || down.button !== 0) return;
    canvas.setPointerCapture(down.pointerId);
    const bounds = canvas.getBoundingClientRect();
    const scale = PAPER / bounds.width;
    const place = (/** @type {PointerEvent} */ event) =>
      /** @type {[number, number]} */ ([(event.clientX - bounds.left) * scale, (event.clientY - bounds.top) * scale]);
    let last = place(down);
    const line = (/** @type {PointerEvent} */ event) => {
      const next = place(event);
      this.#line(context, last, next);
      last = next;
    };
    line(down);
    const end = () => {
      canvas.removeEventListener('pointermove', line);
      for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) canvas.removeEventListener(name, end);
    };
    canvas.addEventListener('pointermove', line);
    for (const name of /** @type {const} */ (['pointerup', 'pointercancel'])) canvas.addEventListener(name, end);
  };

  /** @param {KeyboardEvent} event */
  #key = (event) => {
    const canvas = /** @type {HTMLCanvasElement} */ (event.currentTarget);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const way = WAYS[event.key];
    if (!context || (!way && event.key !== ' ')) return;
    event.preventDefault();
    const { x, y, down } = this.pen ?? { x: PAPER / 2, y: PAPER / 4, down: false };
    if (!way) return (this.pen = { x, y, down: !down });
    const inside = (/** @type {number} */ value) => Math.min(Math.max(value, PEN), PAPER - PEN);
    const next = { x: inside(x + way[0] * KEY_STEP), y: inside(y + way[1] * KEY_STEP), down };
    if (down) this.#line(context, [x, y], [next.x, next.y]);
    this.pen = next;
  };

  /** Draws a line, and notes what is drawn. @param {CanvasRenderingContext2D} context @param {[number, number]} from @param {[number, number]} to */
  #line(context, from, to) {
    Object.assign(context, { lineWidth: PEN, lineCap: 'round', lineJoin: 'round', strokeStyle: getComputedStyle(context.canvas).color });
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    const { data } = context.getImageData(0, 0, PAPER, PAPER);
    // Ink is what is not transparent.
    this.#drawing = Uint8Array.from(this.#drawing, (_, pixel) => data[4 * pixel + 3]);
    this.strokes++;
  }

  #clear = () => {
    const canvas = this.querySelector('canvas');
    canvas?.getContext('2d')?.clearRect(0, 0, PAPER, PAPER);
    this.#drawing.fill(0);
    this.strokes = 0;
  };
}

customElements.define('draw-pad', DrawPad);
