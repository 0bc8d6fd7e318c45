// A few test samples, and what the opened network takes them for.
import { html, nothing } from 'lit';
import { look } from '../actions/look.js';
import { get } from '../state.js';
import { Element } from './element.js';

/** @typedef {import('../types.js').Look} Look */

class SampleStrip extends Element {
  render() {
    const { examples } = get();
    if (examples.length === 0) return nothing;
    return html`
      <ul class="strip" aria-label="Some test images with the network's answers">
        ${examples.map((look) => this.#sample(look))}
      </ul>
      <button type="button" class="plain" @click=${look}>Other images</button>
    `;
  }

  /** @param {Look} look */
  #sample({ label, answer }) {
    const right = label === null || label === answer;
    return html`<li>
      <canvas aria-hidden="true"></canvas>
      <span class=${right ? '' : 'problem'}>
        <span class="sr">${label === null ? 'Image' : `Image of a ${label}`}, classified as</span>
        ${answer}${right ? nothing : html`<span aria-hidden="true">, is ${label}</span>`}
      </span>
    </li>`;
  }

  updated() {
    const { examples } = get();
    for (const [index, canvas] of this.querySelectorAll('canvas').entries()) drawLook(canvas, examples[index]);
  }
}

/** Draws a sample. @param {HTMLCanvasElement} canvas @param {Look} look */
export function drawLook(canvas, { pixels, shape }) {
  const [channels, height, width] = shape;
  Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  if (!context) return;
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    // Grey if there is one channel; else the first three are red, green and blue.
    for (let colour = 0; colour < 3; colour++)
      image.data[4 * place + colour] = pixels[Math.min(colour, channels - 1) * width * height + place];
    image.data[4 * place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

customElements.define('sample-strip', SampleStrip);
