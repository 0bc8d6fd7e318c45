// The steps of the page, and what of a run belongs to each.
import { get } from './state.js';

/** @typedef {import('./types.js').Step} Step */
/** @typedef {import('./types.js').Stage} Stage */
/** @typedef {import('./types.js').StageState} StageState */

/** @type {{ step: Step, name: string, note: string, stages: Stage[] }[]} */
export const STEPS = [
  { step: 'model', name: 'Model', note: 'the original', stages: ['original'] },
  { step: 'prune', name: 'Prune', note: 'fewer weights', stages: ['structure', 'prune'] },
  { step: 'share', name: 'Share', note: 'few different values', stages: ['share'] },
  { step: 'quantize', name: 'Quantize', note: 'small integers', stages: ['quantize', 'round', 'refine'] },
  { step: 'code', name: 'Code', note: 'the fewest bits', stages: ['code'] },
];

/** The step that a stage belongs to. @param {Stage} stage */
export const stepOf = (stage) => STEPS.find(({ stages }) => stages.includes(stage))?.step ?? 'model';

/** The stages of the shown run. @returns {StageState[]} */
export function stages() {
  const { run, result } = get();
  return result?.report.stages ?? run?.stages ?? [];
}

/** A stage of the shown run, if it is finished. @param {Stage} stage */
export const stageState = (stage) => stages().find((state) => state.stage === stage);

/** The stage of a step that is shown: the one that was chosen, or the last that is finished. @param {Step} step */
export function shownStage(step) {
  const own = STEPS.find((other) => other.step === step)?.stages ?? [];
  const done = own.filter((stage) => stageState(stage));
  const { chosenStage } = get();
  return done.find((stage) => stage === chosenStage) ?? done.at(-1) ?? (step === 'model' ? 'original' : null);
}

/** The stage of a step that is worked on, unless another was chosen; else the one that is shown. @param {Step} step */
export function workedStage(step) {
  const { run, chosenStage } = get();
  const own = STEPS.find((other) => other.step === step)?.stages ?? [];
  const working = run?.status === 'running' && chosenStage === null ? own.find((stage) => stage === run.stage) : undefined;
  return working ?? shownStage(step);
}

/** The last stage before `stage` whose network can be looked at. @param {Stage} stage @returns {Stage} */
export function stageBefore(stage) {
  const { viewerStages } = get();
  const order = get().stages.map((own) => own.stage);
  return order.slice(0, order.indexOf(stage)).findLast((other) => viewerStages.includes(other)) ?? 'original';
}

/** The layers of a stage, or of the opened network where there is no such stage. @param {Stage | null} stage */
export function layersOf(stage) {
  return (stage && stageState(stage)?.layers) || get().network?.graph.layers || [];
}
