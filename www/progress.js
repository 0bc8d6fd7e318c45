// How far a run is, and how long it will still take.

/** @typedef {import('./types.js').Run} Run */
/** @typedef {import('./types.js').Stage} Stage */
/** @typedef {import('./types.js').Recipe} Recipe */

/** The stages that work, in their order. @type {Stage[]} */
const STAGES = ['original', 'structure', 'prune', 'share', 'quantize', 'refine', 'code'];

/** Samples that a probe runs, beside those that training runs forward and backward. */
const PROBE = 0.4;
/** What measuring a network after a stage costs, in samples. */
const MEASURE = 2000;

/** The work of a stage, in samples trained on; the original answers all training samples once, to be imitated.
 * @param {Recipe} recipe @param {Stage} stage @param {number} samples */
function work({ structure, prune, share, refine }, stage, samples) {
  const searched = (/** @type {{ probes: number, probe_samples: number, training: { samples: number } }} */ { probes, probe_samples, training }) =>
    training.samples + PROBE * probes * probe_samples;
  switch (stage) {
    case 'original':
      return PROBE * samples;
    case 'structure':
      return MEASURE + structure.rounds * searched(structure);
    case 'prune':
      return MEASURE + prune.rounds * searched(prune);
    case 'share':
      return MEASURE + searched(share);
    case 'refine':
      return MEASURE + refine.rounds * refine.training.samples;
    default:
      return MEASURE;
  }
}

/** Of a run that works: the share that is done, 0 to 1, by the samples that its recipe asks for.
 * @param {Run} run */
export function share({ recipe, samples, stages, stage, trained, training, probes }) {
  const finished = new Set(stages.map((state) => state.stage));
  let [done, total] = [0, 0];
  for (const own of STAGES) {
    const all = work(recipe, own, samples);
    total += all;
    if (finished.has(own)) done += all;
    else if (own === stage) {
      const judged = probes.filter((probe) => probe.stage === own).reduce((sum, { samples }) => sum + PROBE * samples, 0);
      done += Math.min(all, trained + (training?.done ?? 0) + judged);
    }
  }
  return done / total;
}

/** Seconds that a run will still take if it goes on as so far; null while that says nothing.
 * @param {number} share What is done of it.
 * @param {number} seconds What that took. */
export const secondsLeft = (share, seconds) => (share > 0.03 && seconds > 2 ? (seconds * (1 - share)) / share : null);
