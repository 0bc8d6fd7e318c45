// The samples: how many, what they are like, and how their numbers become what the network sees.
import { html, nothing } from 'lit';
import { changeRecipe } from '../actions/recipe.js';
import * as format from '../format.js';
import { busy, get } from '../state.js';

/** @typedef {import('../types.js').Data} Data */
/** @typedef {import('../types.js').Scaling} Scaling */
/** @typedef {import('../types.js').SamplesSummary} SamplesSummary */

/** Classes, or channels, that are listed one by one. */
const MOST_LISTED = 20;
const MOST_CHANNELS = 4;

/** What the network card says of the samples. */
export function dataFacts() {
  const { data, recipe, network } = get();
  const kind = isDrawn(data) ? 'images' : 'samples';
  return html`<dl class="facts">
    <dt class="sr">Samples</dt>
    <dd class="both">
      <strong>${data.name}</strong>: ${format.count(data.test)} test
      ${kind}${data.train < data.trainTotal && !data.problem
        ? html`, <progress max=${data.trainTotal} value=${data.train} aria-label="Training images loaded"></progress>`
        : ','}
      ${format.count(data.train)} training ${kind}
    </dd>
    ${data.summary ? summaryFacts(data.summary, data.reading?.class_names) : nothing}
    ${data.reading ? readingFacts(data.reading) : nothing}
    ${recipe && network
      ? html`<dt><label for="scaling">${kind === 'images' ? 'Pixels' : 'Numbers'}</label></dt>
          <dd>${scalingChoice(data, recipe.scaling)}</dd>`
      : nothing}
  </dl>`;
}

/** Until samples are there, they are the example's images. @param {Data} data */
const isDrawn = ({ shape }) => shape.length === 0 || format.isImage(shape);

/** How they are read, where that was tried.
 * @param {import('../../pkg/nutshell.js').SamplesReading} reading */
function readingFacts({ samples, readings, likely, note, by_r2 }) {
  const words = (/** @type {typeof readings[number]} */ { scaling, classes }) => `${SCALINGS[scaling] ?? scaling}, classes ${ORDERS[classes] ?? `numbered ${classes}`}`;
  const share = (/** @type {number | null} */ accuracy) => (accuracy === null ? 'the labels do not fit the outputs' : by_r2 ? accuracy.toFixed(4) : format.percent(accuracy));
  if (readings.length < 2) return nothing;
  return html`<dt>Read as</dt>
    <dd>
      ${words(readings[likely])}${note ? html`: ${by_r2 ? 'R2 is' : nothing} <strong>${share(readings[likely].accuracy)}</strong> ${by_r2 ? '' : 'right '}so, not ${share(readings[0].accuracy)}` : nothing}
      <details>
        <summary>${by_r2 ? 'R2' : 'Accuracy'} on ${format.count(samples)} samples, read in ${readings.length} ways</summary>
        <ul>
          ${readings.map((reading) => html`<li>${words(reading)}: ${share(reading.accuracy)}</li>`)}
        </ul>
      </details>
    </dd>`;
}

/** @type {Record<string, string>} */
const SCALINGS = {
  unit: 'numbers 0 to 1',
  raw: 'numbers as they are',
  symmetric: 'numbers -1 to 1',
  times255: 'numbers times 255',
  standardised: 'each channel standardised',
  mnist: "by MNIST's mean and deviation",
  imagenet: "by ImageNet's means and deviations",
};

/** @type {Record<string, string>} */
const ORDERS = { given: 'as they are given', text: 'sorted as text (0, 1, 10, 11, 2)', dense: 'without gaps' };

/** @param {SamplesSummary} summary @param {string[]} [own] The classes' names as the network numbers them. */
function summaryFacts({ training, test, class_names, label_column, ignored }, own) {
  const part = training ?? test;
  if (!part) return nothing;
  const { shape, numbers, low, high, means, deviations } = part;
  const listed = (/** @type {number[]} */ values) =>
    values.length <= MOST_CHANNELS ? values.map(format.number).join(', ') : `${format.number(Math.min(...values))} to ${format.number(Math.max(...values))}`;
  return html`<dt>Sample</dt>
    <dd>
      ${format.shape(shape)} ${numbers} from ${format.number(low)} to ${format.number(high)}${means.length > 1 ? ', by channel' : ','}
      mean ${listed(means)}, deviation ${listed(deviations)}
    </dd>
    <dt>Classes</dt>
    <dd>${classes(training, test, class_names)}${label_column ? `, from ${label_column}` : ''}${own && String(own) !== String(class_names) ? `; the network's order is ${own.slice(0, MOST_LISTED).join(', ')}` : ''}</dd>
    ${ignored.length > 0 ? html`<dt>Not used</dt><dd>${ignored.join(', ')}</dd>` : nothing}`;
}

/** How many samples each class has. @param {SamplesSummary['training']} training @param {SamplesSummary['test']} test @param {string[]} names */
function classes(training, test, names) {
  const parts = [training, test].flatMap((part) => (part ? [part.classes] : []));
  const counts = Array.from({ length: Math.max(...parts.map(({ length }) => length)) }, (_, index) =>
    parts.reduce((sum, counts) => sum + (counts[index] ?? 0), 0),
  );
  const outputs = (training ?? test)?.outputs ?? 0;
  if (outputs > 0) return `none: each sample has ${format.count(outputs)} ${outputs === 1 ? 'number' : 'numbers'} to answer with`;
  if (counts.length === 0) return 'none: the samples have no labels';
  if (counts.length > MOST_LISTED)
    return `${format.count(counts.length)}, with ${format.count(Math.min(...counts))} to ${format.count(Math.max(...counts))} samples each`;
  return `${counts.length}: ${counts.map((count, index) => `${names[index] ?? index} (${format.count(count)})`).join(', ')}`;
}

/** @param {Data} data @param {Scaling} chosen */
function scalingChoice(data, chosen) {
  const scalings = scalingsOf(data, chosen);
  return html`<select
    id="scaling"
    ?disabled=${busy()}
    @change=${(/** @type {Event & { target: HTMLSelectElement }} */ event) =>
      changeRecipe({ scaling: scalings[Number(event.target.value)].scaling })}
  >
    ${scalings.map(
      ({ label, scaling }, index) => html`<option value=${index} ?selected=${same(scaling, chosen)}>
        ${label}${data.summary && same(scaling, data.summary.scaling) ? ' (suggested)' : ''}
      </option>`,
    )}
  </select>`;
}

/** @param {Scaling} one @param {Scaling} other */
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** What may be chosen: what is usual, what follows from the data, and what is set if it is neither.
 * @param {Data} data @param {Scaling} chosen @returns {{ label: string, scaling: Scaling }[]} */
function scalingsOf({ summary }, chosen) {
  const floats = (summary?.training ?? summary?.test)?.numbers === 'floats';
  // Of floats both mean the same.
  const asTheyAre = chosen === 'unit' ? 'unit' : 'raw';
  /** @type {{ label: string, scaling: Scaling }[]} */
  const known = floats ? [{ label: 'floats, unchanged', scaling: asTheyAre }] : [...OF_BYTES];
  const usual = get().network?.summary.usual_scaling;
  if (usual && !floats) known.push({ label: "by ImageNet's means and deviations, as networks of this kind expect", scaling: usual });
  if (summary) known.push({ label: 'each channel to mean 0 and deviation 1, measured on these samples', scaling: summary.standardised });
  return known.some(({ scaling }) => same(scaling, chosen)) ? known : [...known, { label: 'set by the network or the recipe', scaling: chosen }];
}

/** @type {{ label: string, scaling: Scaling }[]} */
const OF_BYTES = [
  { label: '0 to 1', scaling: 'unit' },
  { label: 'standardised, with the usual values for MNIST', scaling: { standardised: { mean: 0.1307, deviation: 0.3081 } } },
  { label: '0 to 255', scaling: 'raw' },
];
