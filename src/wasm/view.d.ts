/** Moments of the numbers of a layer or a tensor; those but `weights` and `zeros` leave out zeros. */
export interface Moments {
  weights: number;
  zeros: number;
  low: number;
  high: number;
  mean: number;
  deviation: number;
  kurtosis: number;
}

/** A layer about a threshold: histograms of what stays and what goes; half of the nonzero weights lie below `half`; `layers` has each layer's weights and those that stay, `units` the same of its outputs. */
export interface PrunedLayer {
  kept: number[];
  pruned: number[];
  saliency: number[];
  saliency_range: [number, number];
  half: number;
  layers: [number, number][];
  units: [number, number][];
}

/** A layer's codebooks of 1, 2, ... values; `knee` is the number of values at which the curve bends most. */
export interface SharingCurve {
  points: { distortion: number; index_bits: number; bytes: number }[];
  knee: number;
}

/** Values on a fixed-point grid Qm.n, m being `integer_bits` and n `fraction_bits`. */
export interface FixedPointGrid {
  bits: number;
  fraction_bits: number;
  integer_bits: number;
  values: { value: number; population: number; integer: number; rounded: number }[];
  relative_error: number;
}

/** The format Qm.n of a layer's weights; the error is relative to the weights' root mean square. */
export interface LayerFormat {
  fraction_bits: number;
  integer_bits: number;
  relative_error: number;
}

/** The symbols of a layer and what they cost in bits. */
export interface LayerCode {
  weights: number;
  fraction_bits: number;
  symbols: { value: number; count: number; huffman: number; ideal: number; coder: number }[];
  entropy_bits: number;
  huffman_bits: number;
  coder_bits: number;
}

/** Two networks' answers: confusion matrices row by row (a row a class), and samples whose answers differ. */
export interface Comparison {
  classes: number;
  before: number[];
  after: number[];
  changes: number;
  changed: { index: number; label: number; before: number; after: number }[];
}

/** A number of a recipe: where it stands in it, what it means, and its range. */
export interface Setting {
  path: string;
  words: string;
  low: number;
  high?: number | null;
  above: boolean;
  integer: boolean;
}
