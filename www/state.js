// The page's one state, and how a run's events change it.

import { share } from './progress.js';

/** @typedef {import('./types.js').State} State */
/** @typedef {import('./types.js').Run} Run */
/** @typedef {import('./types.js').RunEvent} RunEvent */

/** The samples that come with the page, before they have come. @type {import('./types.js').Data} */
export const MNIST = {
  id: null,
  name: 'MNIST',
  bundled: true,
  test: 0,
  train: 0,
  trainTotal: 60_000,
  shape: [],
  labelled: { train: true, test: true },
  summary: null,
  reading: null,
  scaling: null,
  problem: '',
};

/** @type {State} */
let state = {
  network: null,
  weights: null,
  openingFile: null,
  data: MNIST,
  examples: [],
  readingSamples: null,
  ambiguousFile: null,
  recipe: null,
  preset: null,
  run: null,
  result: null,
  evidence: 'samples',
  weightsTarget: { kind: 'snr', snr: 30, budget: null },
  tensor: 0,
  problem: '',
  notice: null,
  elsewhere: '',
  step: 'model',
  chosenStage: null,
  followsRun: false,
  layer: 0,
  viewerStages: [],
  viewControls: { threshold: null, centroids: null, bits: null },
  heldOutCount: 0,
  settings: [],
  stages: [],
  formats: { models: [], samples: '' },
  keptRuns: [],
  lesson: null,
  lessonMoves: false,
  ownNetwork: false,
  files: { network: null, samples: null },
};

/** @type {Set<() => void>} */
const listeners = new Set();

/** The state now. Never changed in place. */
export const get = () => state;

/** Whether a run is going on. */
export const busy = () => state.run?.status === 'running';

/** Whether a run is held to agreement with the original's answers, since its samples have no labels. @param {import('./types.js').Data} data */
export const byAgreement = ({ train, labelled }) => !(train > 0 ? labelled.train : labelled.test);

/** Puts new values beside the ones that stay, and tells everybody.
 * @param {Partial<State>} change */
export function set(change) {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

/** Calls `listener` after each change, until the returned function is called.
 * @param {() => void} listener */
export function subscribe(listener) {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

/** Resolves once the state is as `is` wants it. @param {(state: State) => boolean} is @returns {Promise<void>} */
export const until = (is) =>
  new Promise((resolve) => {
    const look = () => {
      if (!is(state)) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = subscribe(look);
    look();
  });

/** Calls `react` when what `read` takes from the state has changed, and the state is at rest: not while a file is being opened, and after
 * everything that one action of the user changes at once, such as samples and a network that were dropped together.
 * @param {(state: State) => string} read
 * @param {() => void} react */
export function whenChanged(read, react) {
  let last = read(state);
  let planned = false;
  subscribe(() => {
    if (planned) return;
    planned = true;
    setTimeout(() => {
      planned = false;
      const now = read(state);
      if (state.openingFile || now === last) return;
      last = now;
      react();
    });
  });
}

/** What a share that is done has to fall by until it is said that there is more to do. */
const GROWN = 0.03;

/** The run after one more event. A run that has ended hears nothing more.
 * @param {Run} run
 * @param {RunEvent} event
 * @returns {Run} */
export function advance(run, event) {
  if (run.status !== 'running') return run;
  switch (event.kind) {
    case 'started': {
      // A stage that starts again is of a second pass: what it and the stages after it had made is not used.
      const again = run.stages.findIndex((done) => done.stage === event.stage);
      const stages = again < 0 ? run.stages : run.stages.slice(0, again);
      return { ...run, stage: event.stage, training: null, stages };
    }
    case 'progress':
      return { ...run, progress: event, grown: run.grown || event.done / event.of < share(run) - GROWN };
    case 'warned':
      return { ...run, warnings: [...run.warnings, event.warning] };
    case 'tried': {
      const sensitivities = [...(run.sensitivities ?? [])];
      sensitivities[event.layer] = event.sensitivity;
      return { ...run, sensitivities };
    }
    case 'probed':
      return { ...run, stage: event.stage, training: null, probes: [...run.probes, event] };
    case 'training':
      return { ...run, stage: event.stage, training: event };
    case 'finished': {
      const others = run.stages.filter((done) => done.stage !== event.stage);
      return { ...run, training: null, stages: [...others, event] };
    }
  }
}
