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
    text: 'This is LeNet-5. It reads handwritten digits, and it holds 431,080 numbers of four bytes. Nearly all are in the layer fc1: look at its image. Most of it is pale, so most weights are close to zero.',
    show: async () => {
      await lenet5();
      chooseStep('model');
      chooseLayer(FC1);
    },
  },
  {
    title: 'Most of them can go',
    text: 'The threshold moves up, and every weight that matters less becomes zero. Four of five are gone, and it answers nearly as before.',
    show: () => {
      chooseStep('prune');
      chooseLayer(FC1);
      glide((threshold) => moveControls({ threshold }), 0.0005, MOST);
    },
  },
  {
    title: 'But not all',
    text: 'Take nineteen of twenty, and the accuracy falls. Somewhere between lies the largest threshold that is still good enough: a half-interval search finds it, and training in between lets the network recover. Drag the line yourself.',
    show: () => {
      chooseStep('prune');
      glide((threshold) => moveControls({ threshold }), MOST, NEARLY_ALL);
    },
  },
  {
    title: 'Weights can share values',
    text: 'Now the filters of conv1, with two values only, then four, then eight. The picture comes back soon: four to eight values do, and an index of two or three bits stands for a number of 32.',
    show: () => {
      chooseStep('share');
      chooseLayer(CONV1);
      glide((k) => moveControls({ centroids: Math.round(k) }), 2, 8);
    },
  },
  {
    title: 'Values can be small whole numbers',
    text: 'Eight bits lose nothing here, four little, two nearly everything. Training that knows about the rounding brings most of it back.',
    show: () => {
      chooseStep('quantize');
      glide((bits) => moveControls({ bits: Math.round(bits) }), 8, 3);
    },
  },
  {
    title: 'All of it, by itself',
    text: 'Press Compress. The page searches, trains and codes, in this tab, and the steps above fill from left to right. The walk goes on when the file is there; that takes half a minute or so.',
    show: () => {
      chooseStep('model');
      /** @type {HTMLElement | null} */ (document.querySelector('#compress'))?.focus();
    },
    waitsFor: 'result',
  },
  {
    title: 'The network has shrunk',
    text: 'Each square is a channel or a neuron. Press Play, and see them go from stage to stage: a unit that lost all its weights is gone, and with it the weights of all that read it.',
    show: () => chooseStep('prune', 'prune'),
  },
  {
    title: 'How the threshold was found',
    text: 'Each row is a probe: the interval that was left, and the middle that was tried. Filled ones were accepted, hollow ones raised the loss above the dashed limit. Press Play beside Probe to see it again.',
    show: () => chooseStep('prune', 'prune'),
  },
  {
    title: 'Where the bytes went',
    text: 'What is left is mostly the question which weights are not zero. The coder guesses that from the neighbours, and so needs fewer bytes than a code of whole bits or a .zip file, for the very same weights.',
    show: () => {
      chooseStep('code');
      chooseLayer(CONV1);
    },
  },
  {
    title: 'Still the same network?',
    text: 'Compare the answers, look at the digits that changed, and draw one: both networks answer at once. The file is yours to keep.',
    show: () => chooseStep('result'),
  },
];
