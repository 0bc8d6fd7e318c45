// How numbers are written, everywhere in the page.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** 431,080 @param {number} value */
export const count = (value) => whole.format(value);

/** 1,140 B @param {number} value */
export const bytes = (value) => `${whole.format(value)} B`;

/** 1,513x, and 9.6x below 100 @param {number} value */
export const ratio = (value) => `${(value < 99.95 ? tenths : whole).format(value)}x`;

/** 99.02 % from 0.9902; the space does not break @param {number} value */
export const percent = (value) => `${(100 * value).toFixed(2)}\u00a0%`;

/** 6k, 1.5M: for axes of counts @param {number} value */
export const short = (value) => {
  const [unit, letter] = value >= 1e6 ? [1e6, 'M'] : value >= 1e3 ? [1e3, 'k'] : [1, ''];
  return `${Number((value / unit).toPrecision(3))}${letter}`;
};

/** 99 %, 97.5 %: for axes, and for progress @param {number} value */
export const share = (value) => `${Number((100 * value).toFixed(2))}\u00a0%`;

/** 0.0412, or 1.2e-5 where that says more; with a true minus sign @param {number} value */
export const number = (value) => {
  const size = Math.abs(value);
  const written = value !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return written.replace(/^-/, '\u2212');
};

/** 42 s; 3 min 20 s @param {number} seconds */
export const duration = (seconds) => {
  const rounded = Math.round(seconds);
  return rounded < 60 ? `${rounded} s` : `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
};

const times = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

/** Nov 25, 2026, 8:39 PM @param {number} date Milliseconds since 1970. */
export const when = (date) => times.format(date);

/** 30.02 dB @param {number} value */
export const decibels = (value) => `${value.toFixed(2)} dB`;

/** 25.2 dB from 0.003 @param {number} noise Noise over energy. */
export const noiseRatio = (noise) => `${(-10 * Math.log10(noise)).toFixed(1)} dB`;

/** The beginning and the end of a long name, which tell it from others. @param {string} name */
export const brief = (name) => (name.length > 52 ? `${name.slice(0, 22)}\u2026${name.slice(-28)}` : name);

/** model from model.onnx @param {string} name Of a file. */
export const stem = (name) => name.replace(/\.[^.]*$/, '');

/** How many elements there are. @param {number[]} sides */
export const product = (sides) => sides.reduce((product, side) => product * side, 1);

/** 20 x 1 x 5 x 5 @param {number[]} sides */
export const shape = (sides) => sides.map((side) => whole.format(side)).join(' \u00d7 ');

/** Whether samples can be drawn: channels, height and width, in grey or colour. @param {number[]} shape Of one sample. */
export const isImage = (shape) => shape.length === 3 && (shape[0] === 1 || shape[0] === 3);

/** What the accuracies of a report are. @type {Record<import('../pkg/nutshell.js').Criterion, string>} */
const MEASURES = {
  labels: 'Accuracy',
  agreement: 'Agreement with the original',
  targets: 'R\u00b2',
  outputs: 'R\u00b2 to the original\u2019s outputs',
  snr: 'Signal to noise',
  none: 'Equality',
};

/** What the accuracies of a report are: without labels, the original's answers count as such. @param {{ criterion: import('../pkg/nutshell.js').Criterion }} report */
export const measureOf = ({ criterion }) => MEASURES[criterion];

/** 99.02 % of 10,000 test samples; of numbers, R\u00b2 0.9981 on them @param {import('./types.js').Accuracy} accuracy */
export const accuracy = ({ accuracy, samples, split, correct }) =>
  correct === null ? `R\u00b2 ${accuracy.toFixed(4)} on ${count(samples)} ${SPLITS[split]} samples` : `${percent(accuracy)} of ${count(samples)} ${SPLITS[split]} samples`;

/** What can be opened, as the engine lists it. @param {import('./types.js').State['formats']} formats */
export function openable({ models, samples }) {
  const titles = [...new Set(models.map(([, title]) => title))];
  return `models as ${titles.slice(0, -1).join(', ')} or ${titles.at(-1)}; ${samples}`;
}

/** What a split is called. */
export const SPLITS = { train: 'training', validation: 'validation', test: 'test', all: 'of all' };

/** What a stage is called. @param {import('./types.js').Stage} stage */
export const stage = (stage) => stage[0].toUpperCase() + stage.slice(1);

/** Standard error of a share of samples; 0 of an R\u00b2 below 0, which is no share. @param {{ accuracy: number, samples: number }} measured */
export const standardError = ({ accuracy, samples }) => Math.sqrt(Math.max(0, accuracy * (1 - accuracy)) / Math.max(1, samples));

/** Standard error of an accuracy: 0.10 points @param {{ accuracy: number, samples: number }} measured */
export const points = (measured) => `${(100 * standardError(measured)).toFixed(2)} points`;

/** Shares of a whole in percent, rounded so that they add up to 100: the largest remainders are rounded up.
 * @param {number[]} counts @returns {string[]} */
export function shares(counts) {
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const exact = counts.map((count) => (1e4 * count) / total);
  const parts = exact.map(Math.floor);
  const left = Math.round(exact.reduce((sum, part) => sum + part, 0)) - parts.reduce((sum, part) => sum + part, 0);
  const order = exact.map((part, index) => ({ index, rest: part - parts[index] })).sort((a, b) => b.rest - a.rest);
  for (const { index } of order.slice(0, left)) parts[index]++;
  return parts.map((part) => percent(part / 1e4));
}

/** How good the network of a report is, in few words. @param {import('./types.js').Report} report */
export const quality = ({ after, snr }) => (after ? accuracy(after.test ?? after.validation) : snr === null ? 'lossless' : `${decibels(snr)} signal to noise`);
