/** Whether a file is one of samples: `likely` is an array alone whose name says so, `perhaps` one whose name says nothing. */
export type SampleChoice = 'samples' | 'likely' | 'perhaps' | 'no';

/** A file of samples in numbers: `scaling` suits them, `standardised` gives each channel mean 0 and deviation 1. `training` has all samples where
 * the file says nothing of testing. */
export interface SamplesSummary {
  format: string;
  class_names: string[];
  training: SamplesPart | null;
  test: SamplesPart | null;
  scaling: SamplesScaling;
  standardised: SamplesScaling;
  ignored: string[];
}

/** Samples of one shape: how many, how many of each class (empty if they are unlabelled), and what their numbers are like as they are in the file;
 * a mean and a deviation a channel. */
export interface SamplesPart {
  shape: number[];
  numbers: 'bytes' | 'floats';
  samples: number;
  classes: number[];
  low: number;
  high: number;
  means: number[];
  deviations: number[];
}

/** As `Scaling` of `nutshell`. */
export type SamplesScaling = 'unit' | 'raw' | { per_channel: { means: number[]; deviations: number[] } };
