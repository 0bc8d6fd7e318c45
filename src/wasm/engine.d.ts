/** How much work a run may do. */
export type Effort = 'quick' | 'balanced' | 'thorough';

/** How a byte of an image becomes the number that the network sees; `per_channel` has a mean and a deviation of each channel. */
export type Scaling =
  | 'unit'
  | 'raw'
  | { standardised: { mean: number; deviation: number } }
  | { per_channel: { means: number[]; deviations: number[] } };

/** A tolerance in percentage points of validation accuracy, or a budget in bytes on disk. */
export type Target = { tolerance: number } | { budget: number };

/** Settings of one training. */
export interface Training {
  samples: number;
  batch: number;
  learning_rate: number;
  augmentation: number;
}

/** Everything that decides the result of a run, apart from the model and the samples. */
export interface Recipe {
  effort: Effort;
  target: Target;
  seed: number;
  scaling: Scaling;
  split: { validation: number; seed: number; training: number };
  /** Share of the images that trainings mirror left to right, 0 to 1. */
  mirror: number;
  distillation: { weight: number; temperature: number };
  structure: {
    rounds: number;
    probes: number;
    activation_samples: number;
    probe_samples: number;
    loss_rise: number;
    parameters_per_byte: number;
    training: Training;
  };
  prune: { rounds: number; probes: number; probe_samples: number; loss_rise: number; training: Training };
  share: { centroids: number; probes: number; probe_samples: number; loss_rise: number; training: Training };
  refine: {
    rounds: number;
    levels: number;
    unit: number;
    price: number;
    freeze_from: number;
    training: Training;
  };
  code: { trial_symbols: number };
}

/** The stages, in their order. */
export type Stage = 'original' | 'structure' | 'prune' | 'share' | 'quantize' | 'refine' | 'code';

/** An accuracy with what it was measured on; `accuracy` is 0 to 1, `loss` in nats. */
export interface Accuracy {
  split: 'train' | 'validation' | 'test';
  samples: number;
  correct: number;
  accuracy: number;
  loss: number;
}

/** Where one layer's bits go. */
export interface LayerBits {
  positions: number;
  signs: number;
  magnitudes: number;
  codebook: number;
  biases: number;
}

/** One layer after a stage. `centroids` are values with their populations. */
export interface LayerState {
  name: string;
  op: string;
  shape: number[];
  parameters: number;
  nonzeros: number;
  macs: number;
  histogram: number[];
  range: [number, number];
  centroids: [number, number][];
  bits: LayerBits;
}

/** The network after a stage. */
export interface StageState {
  stage: Stage;
  bytes: number;
  ratio: number;
  validation: Accuracy;
  nonzeros: number;
  macs: number;
  layers: LayerState[];
}

/** One step of a half-interval search. */
export interface Probe {
  stage: Stage;
  variable: string;
  lo: number;
  mid: number;
  hi: number;
  criterion: string;
  value: number;
  limit: number;
  standard_error: number;
  accuracy: number;
  samples: number;
  accepted: boolean;
}

/** What a run says while it works. */
export type RunEvent =
  | { kind: 'started'; stage: Stage }
  | ({ kind: 'probed' } & Probe)
  | {
      kind: 'training';
      stage: Stage;
      done: number;
      total: number;
      loss: number;
      bytes: number | null;
      accuracy: number | null;
    }
  | ({ kind: 'finished' } & StageState);

/** Accuracy on validation samples, and on test samples if there are some. */
export interface Accuracies {
  validation: Accuracy;
  test: Accuracy | null;
}

/** How many samples a split has, and of each class; `classes` is empty if they are unlabelled. */
export interface SplitCounts {
  samples: number;
  classes: number[];
}

/** What a run did, and what came of it. `criterion`: what held the result to the original, the samples' labels or, without them, the original's
 * answers; `output_distance` is then how far the outputs are from the original's, relative to their size. */
export interface Report {
  version: string;
  platform: string;
  recipe: Recipe;
  seed: number;
  criterion: 'labels' | 'agreement';
  splits: { training: SplitCounts; validation: SplitCounts; test: SplitCounts | null };
  output_distance: { validation: number; test: number | null } | null;
  /** What is suspicious about the run. */
  warnings: string[];
  baseline_bytes: number;
  file_bytes: number;
  ratio: number;
  file_bytes_with_graph: number;
  head_bytes: number;
  before: Accuracies;
  after: Accuracies;
  integer: Accuracies | null;
  baselines: { name: string; bytes: number }[];
  peak_activation_bytes: number;
  stages: StageState[];
  probes: Probe[];
  seconds: number;
}

/** A run after a finished stage. Keep it, clone it, and give it back as it is. */
export interface Checkpoint {
  header: object;
  numbers: Uint8Array<ArrayBuffer>;
}

/** The `.nut` file, and the report on it. */
export interface Compressed {
  nut: Uint8Array<ArrayBuffer>;
  report: Report;
}

/** A measured speed; `per_second` counts samples or products. */
export interface Rate {
  name: string;
  per_second: number;
  gflops: number;
  of_sgemm: number;
}

/** An opened file in numbers. */
export interface Summary {
  format: 'model' | 'nut';
  file_bytes: number;
  baseline_bytes: number;
  parameters: number;
  macs: number;
  input_shape: number[];
  scaling: Scaling | null;
  /** In the order in which they run; `inputs` has 0 for the network's input, and n for the output of the node at place n - 1. */
  nodes: { name: string; op: string; shape: number[]; parameters: number; inputs: number[] }[];
  layers: LayerState[];
}
