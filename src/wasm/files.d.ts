/** What a model file can be written as: ONNX with the original's graph, the same with few different values as a list and 8-bit indices, the
 * same with 8-bit integers and a step (DequantizeLinear), and named weights. */
export type ExportKind = 'onnx' | 'onnx-shared' | 'onnx-scaled' | 'safetensors' | 'npz' | 'tflite';

/** The tensors of a file in numbers. `format` is the file's, such as `onnx`, `safetensors`, `npz`, `torch`, `tflite` or `nut`, and `source` that which
 * the weights came from; `nut` says where the bytes of a `.nut` file of named weights go. */
export interface WeightsSummary {
  format: string;
  bytes: number;
  source: string;
  runnable: boolean;
  /** Why the file's graph cannot be run. */
  obstacle: string | null;
  elements: number;
  tensor_bytes: number;
  tensors: TensorSummary[];
  nut: { head: number; sections: [string, number][]; payload: number; checksum: number; ratio: number } | null;
}

/** A tensor; `dequantized`: the file held integers with a scale. `step`: its numbers are multiples of it. */
export interface TensorSummary {
  name: string;
  shape: number[];
  dtype: string;
  dequantized: boolean;
  nonzeros: number;
  step: number | null;
}

/** Every tensor as it is; the smallest file with a signal-to-noise ratio of the layers in dB; or the least noise in so many bytes. */
export type WeightsTarget = 'lossless' | { snr: number } | { budget: number };

/** What a run without samples does; `done` is the share of a search, 0 to 1, of which a budget takes several. */
export type WeightsEvent = { kind: 'searching'; done: number } | { kind: 'coding' } | { kind: 'checking' };

/** What a run without samples did. The ratios of signal to noise are in dB, null where nothing was lost: `snr` of the layers' mean noise,
 * `snr_of_all` of all weights together. */
export interface WeightsReport {
  criterion: 'none' | 'snr';
  file_bytes: number;
  baseline_bytes: number;
  ratio: number;
  elements: number;
  snr: number | null;
  snr_of_all: number | null;
  tensors: (TensorSummary & { snr: number | null; bytes: number })[];
  sections: [string, number][];
  seconds: number;
}

/** The `.nut` file, and the report on it. */
export interface CompressedWeights {
  nut: Uint8Array<ArrayBuffer>;
  report: WeightsReport;
}
