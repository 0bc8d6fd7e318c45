// The guided walk: each step says a sentence or two, moves the page's own controls, and brings what it speaks of into view. Its numbers are those of the
// LeNet-5 that comes with the page.
import { chooseLayer, chooseStep, moveControls } from './actions/look-at.js';
import { openBundled } from './actions/network.js';
import { showRun } from './actions/runs.js';
import { openMnist } from './actions/samples.js';
import * as format from './format.js';
import { get } from './state.js';

/** The layer of LeNet-5 that has nearly all of its weights. */
const FC1 = 2;

/** Thresholds of saliency below which four of five of its weights lie, and nineteen of twenty. */
const MOST = 0.021;
const NEARLY_ALL = 0.059;

/** How long a control moves by itself, in milliseconds. */
const GLIDE = 3000;

/** Moves a control from one value to another in equal ratios; at once for those who want no motion.
 * @param {(value: number) => void} move @param {number} from @param {number} to @param {() => boolean} goesOn */
async function glide(move, from, to, goesOn) {
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) return move(to);
  const start = performance.now();
  for (let share = 0; share < 1 && goesOn(); await new Promise((resolve) => setTimeout(resolve, 60))) {
    share = Math.min(1, (performance.now() - start) / GLIDE);
    move(from * (to / from) ** share);
  }
}

/** The network of the walk as it was given, and its samples. */
async function original() {
  const { network, viewerStages, data } = get();
  if (!data.bundled) await openMnist();
  if (network?.file !== 'lenet5.onnx' || viewerStages.length > 1) await openBundled('lenet5');
}

/** The last run of the walk's network that is kept. */
export const lastRun = () => get().keptRuns.findLast(({ file, evidence }) => file === 'lenet5.onnx' && evidence === 'samples');

/** Shows the last run, unless a result is open. */
async function result() {
  const kept = lastRun();
  if (!get().result && kept) await showRun(kept.id);
}

/** Bytes of the result by kind, over all layers. @param {keyof import('./types.js').LayerState['bits']} kind */
const bytesOf = (kind) => (get().result?.report.stages.at(-1)?.layers ?? []).reduce((sum, { bits }) => sum + bits[kind] / 8, 0);

/** A step of the walk.
 * @typedef {object} Lesson
 * @property {string} title
 * @property {string | (() => string)} text
 * @property {string} target What it speaks of, by its selector.
 * @property {() => void | Promise<void>} show Opens what is needed, and chooses the step and the layer.
 * @property {string} [busy] What is there, by its selector, for as long as the numbers that it speaks of are measured.
 * @property {(goesOn: () => boolean) => Promise<void>} [move] What moves once that is in view.
 * @property {'original' | 'run' | 'result'} needs */

/** @type {Lesson[]} */
export const LESSONS = [
  {
    title: 'A network is a file full of numbers',
    text: 'This is LeNet-5, which recognises handwritten digits. It holds 431,080 numbers of four bytes each, nearly all of them in layer fc1. Most of those are small: their histogram is a bell around zero.',
    target: 'model-view weight-figures .charts > figure',
    needs: 'original',
    show: () => chooseStep('model'),
  },
  {
    title: 'Most weights can be removed',
    text: 'As the threshold rises, every weight with a lower saliency becomes zero. With four out of five weights removed, the accuracy has hardly changed.',
    target: 'prune-view .slider',
    needs: 'original',
    show: () => chooseStep('prune'),
    move: (goesOn) => glide((threshold) => moveControls({ threshold }), 0.0005, MOST, goesOn),
  },
  {
    title: 'But not all of them',
    text: 'Remove nineteen out of twenty, and the accuracy drops. A half-interval search finds the largest threshold that is still good enough, and retraining between rounds lets the network recover. Try it: drag the line.',
    target: 'prune-view .slider',
    needs: 'original',
    show: () => chooseStep('prune'),
    move: (goesOn) => glide((threshold) => moveControls({ threshold }), MOST, NEARLY_ALL, goesOn),
  },
  {
    title: 'Weights can share values',
    text: 'Here the weights of fc1 have only two different values, then four, then eight. Eight values in every layer keep nearly all of the accuracy. Each weight is then a 3-bit index instead of a 32-bit number.',
    target: 'share-view .slider',
    needs: 'original',
    show: () => chooseStep('share'),
    move: (goesOn) => glide((k) => moveControls({ centroids: Math.round(k) }), 2, 8, goesOn),
  },
  {
    title: 'Values can be small whole numbers',
    text: 'On this network, 8 bits lose no accuracy, 4 bits lose a little, and 2 bits lose nearly all of it. Quantization-aware training recovers most of the loss.',
    target: 'quantize-view .slider',
    busy: 'quantize-view .working-on',
    needs: 'original',
    show: () => chooseStep('quantize'),
    move: (goesOn) => glide((bits) => moveControls({ bits: Math.round(bits) }), 8, 3, goesOn),
  },
  {
    title: 'Run the whole pipeline',
    text: () =>
      get().result
        ? 'The file is ready. The next lessons show how it became so small.'
        : 'Press Compress. The page searches, trains and encodes in this tab, and the steps above fill from left to right. With effort quick this takes about a minute; the walk continues when the file is ready.',
    target: 'run-card:not([hidden]), stage-view',
    needs: 'run',
    show: () => chooseStep(get().result ? 'result' : 'model'),
  },
  {
    title: 'The network has shrunk',
    text: 'Each square is a channel or a neuron. Press Play to watch them disappear stage by stage. A unit that has lost all its weights is removed, along with every weight that reads it.',
    target: 'prune-view shrink-player',
    needs: 'result',
    show: () => chooseStep('prune', 'prune'),
  },
  {
    title: 'How the threshold was found',
    text: 'Each row is a probe: the remaining interval, and the midpoint that was tried. Filled probes were accepted; hollow ones raised the loss above the dashed limit. Press Play next to Probe to replay the search.',
    target: 'prune-view search-player .tools',
    needs: 'result',
    show: () => chooseStep('prune', 'prune'),
  },
  {
    title: 'Where the bytes went',
    text: () => {
      const all = get().result?.report.file_bytes ?? 0;
      const positions = bytesOf('positions');
      return `Of the ${format.bytes(all)}, ${format.bytes(positions)} record which weights are nonzero, the rest their signs and how large they are. The coder predicts each weight from its neighbours: what it predicts well costs little.`;
    },
    target: 'code-view figure.part',
    needs: 'result',
    show: () => chooseStep('code'),
  },
  {
    title: 'Fewer bits than a Huffman code',
    text: 'For exactly the same weights of fc1, a Huffman code spends at least one whole bit on each weight, and no code that treats weights as independent is below the entropy. Ours predicts each weight from its neighbours, so that bound does not hold for it.',
    target: 'code-view .charts > figure:nth-child(2)',
    needs: 'result',
    show: () => chooseStep('code'),
  },
  {
    title: 'Still the same network?',
    text: 'The answers of both networks are compared on all test samples: here are the digits whose answer changed, and the answers before and after, class by class.',
    target: 'result-card answer-changes',
    busy: 'answer-changes .working-on',
    needs: 'result',
    show: () => chooseStep('result'),
  },
  {
    title: 'Draw a digit',
    text: 'Draw a digit: the original and the compressed network answer at once, in this tab.',
    target: 'result-card draw-pad',
    needs: 'result',
    show: () => chooseStep('result'),
  },
  {
    title: 'The end of the walk',
    text: () => {
      const report = get().result?.report;
      if (!report) return '';
      return `${format.bytes(report.baseline_bytes)} have become ${format.bytes(report.file_bytes)}, ${format.ratio(report.ratio)} smaller. Download the file, set another target, or replace the network and the data with your own.`;
    },
    target: 'result-card #verdict',
    needs: 'result',
    show: () => chooseStep('result'),
  },
];

/** Makes the page ready for a lesson; returns whether it can be shown. @param {Lesson} lesson */
export async function prepare({ needs, show }) {
  if (needs === 'original') await original();
  if (needs === 'result') await result();
  if (needs === 'result' && !get().result) return false;
  if (get().network?.file === 'lenet5.onnx' && get().layer !== FC1) chooseLayer(FC1);
  await show();
  return true;
}

/** Where the lesson stands that waits for a run. */
export const RUN = LESSONS.findIndex(({ needs }) => needs === 'run');
