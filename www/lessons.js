// The guided walk: each step says a sentence or two, and moves the page's own controls. Its numbers are those of the
// LeNet-5 that comes with the page.
import { chooseLayer, chooseStep, moveControls } from './actions/look-at.js';
import { openBundled } from './actions/network.js';
import { get } from './state.js';

/** Layers of LeNet-5. */
const [CONV1, FC1] = [0, 2];

/** Thresholds of saliency below which four of five of its weights lie, and nineteen of twenty. */
const MOST = 0.021;
const NEARLY_ALL = 0.059;

/** How long a control moves by itself, in milliseconds. */
const GLIDE = 2200;

/** Counts the moves: a new one ends the one before. */
let moves = 0;

/** Moves a control from one value to another in equal ratios; at once for those who want no motion.
 * @param {(value: number) => void} move @param {number} from @param {number} to */
function glide(move, from, to) {
  const own = ++moves;
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return move(to);
  const start = performance.now();
  const step = () => {
    if (own !== moves) return;
    const share = Math.min(1, (performance.now() - start) / GLIDE);
    move(from * (to / from) ** share);
    if (share < 1) setTimeout(step, 60);
  };
  step();
}

/** A lesson is begun again from where it was left: the network of the walk is open. */
async function lenet5() {
  if (get().network?.file !== 'lenet5.onnx') await openBundled('lenet5');
}

/** @type {{ title: string, text: string, show: () => void | Promise<void>, waitsFor?: 'result' }[]} */
export const LESSONS = [
  {
    title: 'A network is a file full of numbers',
    text: 'This is LeNet-5, which recognises handwritten digits. It holds 431,080 numbers of four bytes each, nearly all of them in layer fc1. Most of the image of fc1 is pale: most of its weights are close to zero.',
    show: async () => {
      await lenet5();
      chooseStep('model');
      chooseLayer(FC1);
    },
  },
  {
    title: 'Most weights can be removed',
    text: 'As the threshold rises, every weight with a lower saliency becomes zero. With four out of five weights removed, the accuracy has hardly changed.',
    show: () => {
      chooseStep('prune');
      chooseLayer(FC1);
      glide((threshold) => moveControls({ threshold }), 0.0005, MOST);
    },
  },
  {
    title: 'But not all of them',
    text: 'Remove nineteen out of twenty, and the accuracy drops. A half-interval search finds the largest threshold that is still good enough, and retraining between rounds lets the network recover. Try it: drag the line.',
    show: () => {
      chooseStep('prune');
      glide((threshold) => moveControls({ threshold }), MOST, NEARLY_ALL);
    },
  },
  {
    title: 'Weights can share values',
    text: 'Here are the filters of conv1 with only two different values, then four, then eight. Four to eight values are enough to recognise the original picture. Each weight is then a 2- or 3-bit index instead of a 32-bit number.',
    show: () => {
      chooseStep('share');
      chooseLayer(CONV1);
      glide((k) => moveControls({ centroids: Math.round(k) }), 2, 8);
    },
  },
  {
    title: 'Values can be small whole numbers',
    text: 'On this network, 8 bits lose no accuracy, 4 bits lose a little, and 2 bits lose nearly all of it. Quantization-aware training recovers most of the loss.',
    show: () => {
      chooseStep('quantize');
      glide((bits) => moveControls({ bits: Math.round(bits) }), 8, 3);
    },
  },
  {
    title: 'Run the whole pipeline',
    text: 'Press Compress. The page searches, trains and encodes in this tab, and the steps above fill from left to right. This takes about half a minute; the walk continues when the file is ready.',
    show: () => {
      chooseStep('model');
      /** @type {HTMLElement | null} */ (document.querySelector('#compress'))?.focus();
    },
    waitsFor: 'result',
  },
  {
    title: 'The network has shrunk',
    text: 'Each square is a channel or a neuron. Press Play to watch them disappear stage by stage. A unit that has lost all its weights is removed, along with every weight that reads it.',
    show: () => chooseStep('prune', 'prune'),
  },
  {
    title: 'How the threshold was found',
    text: 'Each row is a probe: the remaining interval, and the midpoint that was tried. Filled probes were accepted; hollow ones raised the loss above the dashed limit. Press Play next to Probe to replay the search.',
    show: () => chooseStep('prune', 'prune'),
  },
  {
    title: 'Where the bytes went',
    text: 'Most of the remaining bytes record which weights are nonzero. The coder predicts this from neighbouring weights, so it needs fewer bytes than a Huffman code or a .zip file for exactly the same weights.',
    show: () => {
      chooseStep('code');
      chooseLayer(CONV1);
    },
  },
  {
    title: 'Still the same network?',
    text: 'Compare the answers of both networks, and look at the digits whose answer changed. Draw a digit yourself: both networks answer at once. Then download the file.',
    show: () => chooseStep('result'),
  },
];
