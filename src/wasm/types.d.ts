/**
 * Accuracy on validation samples, and on test samples if there are some.
 */
export type Accuracies = { 
/**
 * On validation samples, which the run searched and selected on.
 */
validation: Accuracy, 
/**
 * On test samples, looked at once, at the end.
 */
test: Accuracy | null, };

/**
 * An accuracy with what it was measured on.
 */
export type Accuracy = { 
/**
 * Which samples.
 */
split: SplitName, 
/**
 * How many.
 */
samples: number, 
/**
 * How many were answered correctly; none where there are numbers to answer with.
 */
correct: number | null, 
/**
 * `correct / samples`, 0 to 1; where there are numbers to answer with R2, which is at most 1.
 */
accuracy: number, 
/**
 * Mean loss: the cross-entropy in nats, or 1 - R2.
 */
loss: number, };

/**
 * Another coding of the same symbols.
 */
export type Baseline = { 
/**
 * What it is.
 */
name: string, 
/**
 * Complete, with headers.
 */
bytes: number, };

/**
 * A sample that two networks answer differently.
 */
export type Changed = { 
/**
 * Which sample.
 */
index: number, 
/**
 * Its class.
 */
label: number, 
/**
 * The first network's answer.
 */
before: number, 
/**
 * The second network's answer.
 */
after: number, };

/**
 * The numbers of this stage; [`META`] says what they mean.
 */
export type CodeSettings = { trial_symbols: number, };

/**
 * One symbol.
 */
export type CodedSymbol = { 
/**
 * What it stands for.
 */
value: number, 
/**
 * How often it occurs.
 */
count: number, 
/**
 * Bits of its Huffman code.
 */
huffman: number, 
/**
 * Its share of the entropy: `-log2` of its frequency.
 */
ideal: number, 
/**
 * What the adaptive coder spent on it, on average.
 */
coder: number, };

/**
 * How two networks answer the same samples.
 */
export type Comparison = { 
/**
 * Number of classes.
 */
classes: number, 
/**
 * For each class, a row: how often each class was answered by the first network.
 */
before: Array<number>, 
/**
 * The same of the second network.
 */
after: Array<number>, 
/**
 * How many answers differ.
 */
changes: number, 
/**
 * The first of the samples whose answers differ.
 */
changed: Array<Changed>, };

/**
 * What a compressed network is held to.
 */
export type Criterion = "labels" | "agreement" | "targets" | "outputs" | "snr" | "none";

/**
 * A codebook's distortion and its bytes.
 */
export type CurvePoint = { 
/**
 * Mean squared distance of the nonzero weights to their centroids, over their mean square: 0 to 1.
 */
distortion: number, 
/**
 * Entropy of the indices, in bits a nonzero weight.
 */
index_bits: number, 
/**
 * Indices at their entropy, and 8 bits a centroid.
 */
bytes: number, };

/**
 * Relative distances of outputs, `|y - y0| / |y0|`; see [`output_distance`](super::output_distance).
 */
export type Distances = { 
/**
 * On validation samples.
 */
validation: number, 
/**
 * On test samples, if there are some.
 */
test: number | null, };

/**
 * Targets of training: `weight x softmax(teacher logits / temperature) + (1 - weight) x label`.
 * The teacher is the network as it was given (Hinton et al. 2015).
 */
export type Distillation = { 
/**
 * Share of the teacher in the targets, 0 to 1.
 */
weight: number, 
/**
 * Above 1 softens the teacher's answers, below 1 sharpens them.
 */
temperature: number, };

/**
 * How far answers to drawn pictures are from the original's.
 */
export type Drawn = { 
/**
 * How many pictures were drawn.
 */
pictures: number, 
/**
 * Share of the same answers, in `[0, 1]`, if they are classes.
 */
agreement: number | null, 
/**
 * Distance of the outputs, `|y - y0| / |y0|`.
 */
distance: number, };

/**
 * How much work a run may do: sets of numbers, never other code.
 */
export type Effort = "calibrate" | "quick" | "balanced" | "thorough";

/**
 * Values on the grid of a Qm.n format.
 */
export type FixedPointGrid = { 
/**
 * Bits of a number, its sign among them.
 */
bits: number, 
/**
 * The n of Qm.n: one unit is `2^-n`.
 */
fraction_bits: number, 
/**
 * The m of Qm.n: `bits - 1 - n`; negative where even the first fraction bits are never needed.
 */
integer_bits: number, 
/**
 * Each value on the grid, in the order in which they came.
 */
values: Array<Rounded>, 
/**
 * Root mean square of the rounding errors over that of the values, each value counted as often as it occurs.
 */
relative_error: number, };

/**
 * The fixed-point format of a parameter.
 */
export type FormatSummary = { 
/**
 * Its name.
 */
parameter: string, 
/**
 * `uniform` steps, or `free` centroids.
 */
codebook: string, 
/**
 * The m of Qm.n, without the sign: the largest magnitude is below `2^m`.
 */
integer_bits: number, 
/**
 * The n of Qm.n.
 */
fraction_bits: number, 
/**
 * Distinct values, zero among them if it occurs.
 */
values: number, };

/**
 * A network that can be run.
 */
export type GraphSummary = { 
/**
 * Whether its weights are integers with codebooks.
 */
compressed: boolean, 
/**
 * Whether the graph is not the file's: it is that of an architecture that was recognised by the tensors.
 */
recognised: boolean, 
/**
 * Whether its answers are classes.
 */
classifies: boolean, 
/**
 * Bytes of the original's parameters as 32-bit floats.
 */
baseline_bytes: number, 
/**
 * Weights and biases, in the shapes in which it runs.
 */
parameters: number, 
/**
 * Those that are not zero.
 */
nonzeros: number, 
/**
 * Multiply-accumulates of the dense network, for one sample.
 */
macs: number, 
/**
 * Those with a weight that is not zero.
 */
nonzero_macs: number, 
/**
 * Bytes of activations that have to be held at once, one sample, as 32-bit floats.
 */
peak_activation_bytes: number, 
/**
 * Name of the input.
 */
input_name: string, 
/**
 * Shape of one sample.
 */
input_shape: Array<number>, 
/**
 * How pixels become numbers, if the file says so.
 */
scaling: Scaling | null, 
/**
 * In the order in which they run.
 */
nodes: Array<NodeSummary>, 
/**
 * The nodes that have weights, with what the viewer draws of them.
 */
layers: Array<LayerState>, };

/**
 * Where one layer's bits go.
 */
export type LayerBits = { 
/**
 * Which weights are not zero.
 */
positions: number, 
/**
 * Signs.
 */
signs: number, 
/**
 * Magnitudes, or indices into the codebook.
 */
magnitudes: number, 
/**
 * Centroids and formats.
 */
codebook: number, 
/**
 * Biases.
 */
biases: number, };

/**
 * The symbols of a layer's weights, and what they cost in bits.
 */
export type LayerCode = { 
/**
 * Number of weights.
 */
weights: number, 
/**
 * The n of Qm.n.
 */
fraction_bits: number, 
/**
 * Each symbol with its value, how often it occurs, and the length of its Huffman code.
 */
symbols: Array<CodedSymbol>, 
/**
 * The bound for any code of independent symbols.
 */
entropy_bits: number, 
/**
 * Huffman's codes, without their table.
 */
huffman_bits: number, 
/**
 * The adaptive coder, which predicts each symbol from those before it, codebook included.
 */
coder_bits: number, };

/**
 * A layer's format, and what rounding all its weights to it loses.
 */
export type LayerFormat = { 
/**
 * The n of Qm.n.
 */
fraction_bits: number, 
/**
 * The m of Qm.n.
 */
integer_bits: number, 
/**
 * Root mean square of the rounding errors over that of the weights.
 */
relative_error: number, };

/**
 * One layer after a stage: its numbers, and what the viewer draws.
 */
export type LayerState = { 
/**
 * The layer's name.
 */
name: string, 
/**
 * Operator.
 */
op: string, 
/**
 * Shape of the weight at this stage: `[out, in, kh, kw]` or `[out, in]`.
 */
shape: Array<number>, 
/**
 * Weights and biases.
 */
parameters: number, 
/**
 * Weights and biases that are not zero.
 */
nonzeros: number, 
/**
 * Multiplications by nonzero weights, for one sample.
 */
macs: number, 
/**
 * Multiplications by all weights, for one sample.
 */
dense_macs: number, 
/**
 * Counts of nonzero weights in equal bins over `range`.
 */
histogram: Array<number>, 
/**
 * Lowest and highest weight.
 */
range: [number, number], 
/**
 * The codebook's values with their populations, rising; empty before sharing.
 */
centroids: Array<[number, number]>, 
/**
 * Where its bits go: by the coder's own count, or before there is a file as a file of the stage would hold them.
 */
bits: LayerBits, 
/**
 * The step of which its weights are multiples, once they are integers.
 */
step: number | null, 
/**
 * After the stage *round*: how far the outputs on eight validation samples move, over their size, if this layer alone is rounded with a
 * signal-to-noise ratio of 25 dB. `None` where that was not measured.
 */
sensitivity: number | null, };

/**
 * Moments of the finite weights that are not zero; all 0 if there is none.
 */
export type Moments = { 
/**
 * Weights, zeros included.
 */
weights: number, 
/**
 * Weights that are zero.
 */
zeros: number, 
/**
 * Lowest.
 */
low: number, 
/**
 * Highest.
 */
high: number, 
/**
 * Mean.
 */
mean: number, 
/**
 * Standard deviation, of the population.
 */
deviation: number, 
/**
 * Fourth central moment over the squared variance: 3 for a normal distribution, more with heavier tails; 0 if the
 * weights do not vary.
 */
kurtosis: number, };

/**
 * One node.
 */
export type NodeSummary = { 
/**
 * Its name in the file.
 */
name: string, 
/**
 * Its operator.
 */
op: string, 
/**
 * Shape of its output for one sample.
 */
shape: Array<number>, 
/**
 * Weights and biases.
 */
parameters: number, 
/**
 * What it reads: 0 is the network's input, and `n` the output of the node at place `n - 1`.
 */
inputs: Array<number>, };

/**
 * What only a `.nut` file has.
 */
export type NutSummary = { 
/**
 * Number of its topology: 0 is a graph that is stored, 15 none.
 */
topology: number, 
/**
 * Whether names are stored.
 */
named: boolean, 
/**
 * Bytes of the original divided by the size of the file.
 */
ratio: number, 
/**
 * Where the bytes go, each kind with its bytes; fractions, since the coded stream is rounded up once. Empty if the file is not as this
 * version writes it.
 */
items: Array<[string, number]>, 
/**
 * The fixed-point format of each parameter of a network with its graph.
 */
formats: Array<FormatSummary>, };

/**
 * One step of a half-interval search; or a trial of a budget, whose interval is its value alone.
 */
export type Probe = { 
/**
 * The stage that searches.
 */
stage: Stage, 
/**
 * The searched scalar's name.
 */
variable: string, 
/**
 * Lower end of the interval.
 */
lo: number, 
/**
 * The probed value.
 */
mid: number, 
/**
 * Upper end of the interval.
 */
hi: number, 
/**
 * What is judged.
 */
criterion: string, 
/**
 * Its value at `mid`.
 */
value: number, 
/**
 * What it may be at most.
 */
limit: number, 
/**
 * Standard error of `value`.
 */
standard_error: number, 
/**
 * Validation accuracy on the same samples, 0 to 1.
 */
accuracy: number, 
/**
 * Samples that were used.
 */
samples: number, 
/**
 * Whether `mid` was accepted.
 */
accepted: boolean, 
/**
 * How far the outputs are from the original's, over their size; only where the run is held to these.
 */
distance: number | null, };

/**
 * The numbers of this stage; [`META`] says what they mean.
 */
export type PruneSettings = { rounds: number, probes: number, probe_samples: number, loss_rise: number, training: Training, };

/**
 * One layer's weights about a threshold.
 */
export type PrunedLayer = { 
/**
 * Weights that would stay, in equal bins over the range that was asked for, lowest first.
 */
kept: Array<number>, 
/**
 * Weights that would go, in the same bins.
 */
pruned: Array<number>, 
/**
 * Saliencies of the nonzero weights, in equal bins of their logarithms; what is below the first bin is in it.
 */
saliency: Array<number>, 
/**
 * The ends of those bins: the highest saliency of all layers, and the one below which a thousandth of the network's nonzero
 * weights lie, since the very lowest would leave most bins empty; `[0, 0]` if every weight is zero.
 */
saliency_range: [number, number], 
/**
 * The threshold below which half of the network's nonzero weights lie; 0 if there is none.
 */
half: number, 
/**
 * For each layer, its weights, and those that would stay.
 */
layers: Array<[number, number]>, 
/**
 * For each layer, its units (outputs), and those that would be left once the dead ones are gone.
 */
units: Array<[number, number]>, };

/**
 * One measured speed.
 */
export type Rate = { 
/**
 * What was done.
 */
name: string, 
/**
 * Samples (for the matrix product: products) a second.
 */
per_second: number, 
/**
 * 10^9 operations a second.
 */
gflops: number, 
/**
 * `gflops` as a share of the matrix product's, measured beside it.
 */
of_sgemm: number, };

/**
 * One way to read samples.
 */
export type Reading = { 
/**
 * The scaling's name, or what it is where it has none.
 */
scaling: string, 
/**
 * The order of the classes, as [`ClassOrder::name`] writes it.
 */
classes: string, 
/**
 * The share of samples that the network answers correctly so, or R2 to their numbers; none if these do not fit its outputs, or there are none.
 */
accuracy: number | null, };

/**
 * Everything that decides the result of a run, apart from the model and the samples.
 */
export type Recipe = { 
/**
 * Which preset of numbers this recipe started from; decides nothing by itself.
 */
effort: Effort, 
/**
 * What is to be reached.
 */
target: Target, 
/**
 * Seed of every random choice; the same seed gives the same file.
 */
seed: number, 
/**
 * How the bytes of an image become the numbers that the network sees.
 */
scaling: Scaling, 
/**
 * Which samples validate.
 */
split: Split, 
/**
 * The share of images that trainings mirror left to right, 0 to 1: 0 for digits, 0.5 for most photos.
 */
mirror: number, 
/**
 * Targets of every training in the run.
 */
distillation: Distillation, 
/**
 * Removal of channels and neurons.
 */
structure: StructureSettings, 
/**
 * Removal of single weights.
 */
prune: PruneSettings, 
/**
 * Codebooks.
 */
share: ShareSettings, 
/**
 * Rounding without training; it takes the place of quantization.
 */
round: RoundSettings, 
/**
 * Training that knows what the code will cost.
 */
refine: RefineSettings, 
/**
 * Lossless coding.
 */
code: CodeSettings, };

/**
 * The numbers of this stage; [`META`] says what they mean.
 */
export type RefineSettings = { rounds: number, levels: number, 
/**
 * The nearest power of two is taken.
 */
unit: number, price: number, freeze_from: number, training: Training, };

/**
 * The result of a run, as the page shows it and `--report` writes it. What only samples tell, or only a run by the weights alone, is missing
 * from the other's.
 */
export type Report = { 
/**
 * Version of Nutshell that made it.
 */
version: string, 
/**
 * Where it ran: architecture and instruction set.
 */
platform: string, 
/**
 * What was asked for.
 */
recipe: Recipe, 
/**
 * The recipe's seed.
 */
seed: number, 
/**
 * What held the result to the original. All accuracies here are by it.
 */
criterion: Criterion, 
/**
 * What is suspicious about the run, a sentence each.
 */
warnings: Array<string>, 
/**
 * Bytes of the original: its parameters as 32-bit floats; by the weights alone its tensors in their own types.
 */
baseline_bytes: number, 
/**
 * Size of the `.nut` on disk.
 */
file_bytes: number, 
/**
 * `baseline_bytes / file_bytes`.
 */
ratio: number, 
/**
 * Bytes of the `.nut` that are not coded parameters: magic, topology, sections, checksum.
 */
head_bytes: number, 
/**
 * The sections among them, each with its tag and length.
 */
sections: Array<[string, number]>, 
/**
 * Wall-clock seconds of the run, filled in by whoever has a clock.
 */
seconds: number, 
/**
 * The samples that the run was given.
 */
splits: Splits | null, 
/**
 * The original network.
 */
before: Accuracies | null, 
/**
 * The network decoded again from the file's bytes.
 */
after: Accuracies | null, 
/**
 * The same weights, run with integers only (8-bit activations).
 */
integer: Accuracies | null, 
/**
 * How far the decoded network's outputs are from the original's; only where there are no labels.
 */
output_distance: Distances | null, 
/**
 * Size of the `.nut` if its graph is stored instead of named by a number.
 */
file_bytes_with_graph: number | null, 
/**
 * Largest sum of the bytes of two neighbouring activations, one sample, 32-bit floats.
 */
peak_activation_bytes: number | null, 
/**
 * Other codings of the same symbols, complete with their headers.
 */
baselines: Array<Baseline>, 
/**
 * The network after each stage.
 */
stages: Array<StageState>, 
/**
 * Every step of every search.
 */
probes: Array<Probe>, 
/**
 * Signal-to-quantization-noise ratio in dB of the layers that were rounded: energy over noise, where the noise over the energy is
 * the mean over the layers. `None` if nothing was lost, or samples judged.
 */
snr: number | null, 
/**
 * The same of all rounded weights taken together.
 */
snr_of_all: number | null, 
/**
 * What it changes of the answers to drawn pictures, if the network reads pictures and can be run.
 */
drawn: Drawn | null, 
/**
 * Each tensor of a run by the weights alone.
 */
tensors: Array<TensorReport>, };

/**
 * The numbers of this stage; [`META`] says what they mean.
 */
export type RoundSettings = { probes: number, samples: number, trellis: number, 
/**
 * Names of layers whose numbers keep 16 bits.
 */
locked: Array<string>, };

/**
 * A value and its place on the grid.
 */
export type Rounded = { 
/**
 * The value.
 */
value: number, 
/**
 * How many weights have it.
 */
population: number, 
/**
 * In units of `2^-n`.
 */
integer: number, 
/**
 * `integer * 2^-n`.
 */
rounded: number, };

/**
 * What a run says while it works. A progress bar, the page and the log draw the same ones.
 */
export type RunEvent = { "kind": "started", 
/**
 * Which one.
 */
stage: Stage, } | { "kind": "progress", 
/**
 * Seconds' work that is done.
 */
done: number, 
/**
 * Seconds' work in all.
 */
of: number, } | { "kind": "tried", 
/**
 * Which layer, counted from 0.
 */
layer: number, 
/**
 * What came of it: see [`LayerState`].
 */
sensitivity: number, } | { "kind": "probed" } & Probe | { "kind": "training", 
/**
 * The stage that trains.
 */
stage: Stage, 
/**
 * Samples seen in this training.
 */
done: number, 
/**
 * Samples that it will see.
 */
total: number, 
/**
 * Mean training loss since the last of these events, in nats.
 */
loss: number, 
/**
 * Size of the `.nut` if it were written now, once that is known.
 */
bytes: number | null, 
/**
 * Validation accuracy, 0 to 1, once that is known.
 */
accuracy: number | null, } | { "kind": "warned", 
/**
 * A sentence.
 */
warning: string, } | { "kind": "finished" } & StageState;

/**
 * How long a network takes for one sample.
 */
export type RunTime = { 
/**
 * Milliseconds of a run: the median of many.
 */
milliseconds: number, 
/**
 * What the steps take by themselves, each called again and again.
 */
layers: Array<StepTime>, };

/**
 * Whether a file that was opened with others, or alone, is one of samples. An array may be anything.
 */
export type SampleChoice = "samples" | "likely" | "perhaps" | "no";

/**
 * The samples of one part.
 */
export type SamplesPart = { 
/**
 * Shape of one sample.
 */
shape: Array<number>, 
/**
 * `bytes` or `floats`.
 */
numbers: string, 
/**
 * In all.
 */
samples: number, 
/**
 * Of each class; empty if they are unlabelled.
 */
classes: Array<number>, 
/**
 * How many numbers each is to be answered with; 0 where there are classes, or nothing.
 */
outputs: number, 
/**
 * The least number.
 */
low: number, 
/**
 * The greatest.
 */
high: number, 
/**
 * The mean of each channel.
 */
means: Array<number>, 
/**
 * The standard deviation of each channel.
 */
deviations: Array<number>, };

/**
 * How samples are read for a network.
 */
export type SamplesReading = { 
/**
 * How their numbers are scaled.
 */
scaling: Scaling, 
/**
 * The network's number of each class, at the place of the data set's.
 */
numbers: Array<number>, 
/**
 * The classes' names, in the network's order.
 */
class_names: Array<string>, 
/**
 * What is to be said, if it is another reading than the usual one.
 */
note: string | null, 
/**
 * How many samples they were tried on.
 */
samples: number, 
/**
 * The first is what the data set and the recipe say.
 */
readings: Array<Reading>, 
/**
 * The place of the likely one.
 */
likely: number, 
/**
 * Whether the samples have numbers to answer with: what is told of each reading is then R2.
 */
by_r2: boolean, };

/**
 * A data set in numbers.
 */
export type SamplesSummary = { 
/**
 * Such as `idx`, `npz`, `csv` or `pictures`.
 */
format: string, 
/**
 * The classes' names, if they have some.
 */
class_names: Array<string>, 
/**
 * The column of a table that has what samples are answered with.
 */
label_column: string | null, 
/**
 * Samples to train and validate with.
 */
training: SamplesPart | null, 
/**
 * Samples to report with.
 */
test: SamplesPart | null, 
/**
 * The scaling that suits the samples.
 */
scaling: Scaling, 
/**
 * The one after which each channel has mean 0 and deviation 1.
 */
standardised: Scaling, 
/**
 * What was found and not used.
 */
ignored: Array<string>, };

/**
 * How a number of a sample becomes the number that the network sees. Bytes count as `byte / 255`, in `[0, 1]`; floats as they are.
 */
export type Scaling = "unit" | { "standardised": { 
/**
 * Of the numbers.
 */
mean: number, 
/**
 * Of the numbers; above 0.
 */
deviation: number, } } | "raw" | { "per_channel": { 
/**
 * Of each channel.
 */
means: Array<number>, 
/**
 * Of each channel; above 0.
 */
deviations: Array<number>, } };

/**
 * A number of a recipe, and where it stands there.
 */
export type Setting = { 
/**
 * Its place in a recipe's JSON, joined by dots.
 */
path: string, 
/**
 * What it means, in a few words.
 */
words: string, 
/**
 * The lowest value.
 */
low: number, 
/**
 * The highest value, if there is one.
 */
high: number | null, 
/**
 * Whether `low` itself is too low.
 */
above: boolean, 
/**
 * Whether it counts something.
 */
integer: boolean, };

/**
 * The numbers of this stage; [`META`] says what they mean. The training moves centroids by their clusters' gradients.
 */
export type ShareSettings = { centroids: number, probes: number, probe_samples: number, loss_rise: number, training: Training, };

/**
 * A layer's codebooks of every size.
 */
export type SharingCurve = { 
/**
 * For 1, 2, ... centroids.
 */
points: Array<CurvePoint>, 
/**
 * The number of centroids at the knee; 0 if there is no point.
 */
knee: number, };

/**
 * Which samples validate: they search and select, and are never trained on.
 */
export type Split = { 
/**
 * Number of samples held out of the training file.
 */
validation: number, 
/**
 * At most so many of the others are trained on; 0 for all.
 */
training: number, 
/**
 * 0: the file's last samples, as is the custom with MNIST; else they are drawn, each class in its share.
 */
seed: number, };

/**
 * How many samples a split has.
 */
export type SplitCounts = { 
/**
 * In all.
 */
samples: number, 
/**
 * Of each class; empty if they are unlabelled.
 */
classes: Array<number>, 
/**
 * How many numbers each is to be answered with; 0 where there are classes, or nothing.
 */
outputs: number, };

/**
 * Which samples an accuracy was measured on.
 */
export type SplitName = "train" | "validation" | "test" | "all";

/**
 * How many samples a run had, for what.
 */
export type Splits = { 
/**
 * To train on.
 */
training: SplitCounts, 
/**
 * To search and select on.
 */
validation: SplitCounts, 
/**
 * To report on, if there are some.
 */
test: SplitCounts | null, };

/**
 * The stages, in their order.
 */
export type Stage = "original" | "structure" | "prune" | "share" | "quantize" | "round" | "refine" | "code";

/**
 * The network after a stage.
 */
export type StageState = { 
/**
 * Which stage.
 */
stage: Stage, 
/**
 * Bytes as a file of this stage would hold them: 4 a parameter for dense floats; from quantize on, of a `.nut`.
 */
bytes: number, 
/**
 * The original's parameter bytes divided by `bytes`.
 */
ratio: number, 
/**
 * On validation samples.
 */
validation: Accuracy, 
/**
 * Weights and biases that are not zero.
 */
nonzeros: number, 
/**
 * Multiply-accumulates of the dense, compact network, for one sample.
 */
macs: number, 
/**
 * Its layers, in order.
 */
layers: Array<LayerState>, };

/**
 * A stage in words.
 */
export type StageWords = { 
/**
 * Which one.
 */
stage: Stage, 
/**
 * What it does.
 */
sentence: string, };

/**
 * How long one step of a run of one sample takes.
 */
export type StepTime = { 
/**
 * Name of the first node that it does.
 */
name: string, 
/**
 * Their operators, one after the other.
 */
operators: string, 
/**
 * The kernel that runs.
 */
kernel: string, 
/**
 * Share of the layer's weights that are not zero; nothing for other operators.
 */
density: number | null, 
/**
 * Microseconds.
 */
microseconds: number, 
/**
 * Share of all steps.
 */
share: number, };

/**
 * The numbers of this stage; [`META`] says what they mean.
 */
export type StructureSettings = { rounds: number, probes: number, activation_samples: number, probe_samples: number, loss_rise: number, 
/**
 * With a byte budget the search goes on past `loss_rise`, to this many weights and biases a byte.
 */
parameters_per_byte: number, training: Training, };

/**
 * A file in numbers.
 */
export type Summary = { 
/**
 * Such as `onnx`, `safetensors` or `nut`.
 */
format: string, 
/**
 * The format that the tensors came from.
 */
source: string, 
/**
 * Size of the file.
 */
file_bytes: number, 
/**
 * Elements of all tensors.
 */
elements: number, 
/**
 * Bytes of all tensors in their own types.
 */
tensor_bytes: number, 
/**
 * In the order of the file.
 */
tensors: Array<TensorSummary>, 
/**
 * The network, if it can be run.
 */
graph: GraphSummary | null, 
/**
 * How pixels become numbers in networks of this kind, where that is known: it holds if neither the file nor labels tell.
 */
usual_scaling: Scaling | null, 
/**
 * Why it cannot, if the file has a graph.
 */
obstacle: string | null, 
/**
 * What was left out of the file, or is not as it was there.
 */
notes: Array<string>, 
/**
 * What only a `.nut` file has.
 */
nut: NutSummary | null, };

/**
 * What is to be reached.
 */
export type Target = { "tolerance": number } | { "budget": number } | { "snr": number } | "lossless";

/**
 * What became of a tensor.
 */
export type TensorReport = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its sides.
 */
shape: Array<number>, 
/**
 * Its type, as numpy calls it.
 */
dtype: string, 
/**
 * Whether the original held integers with a scale.
 */
dequantized: boolean, 
/**
 * Whether any number is another one than in the original.
 */
changed: boolean, 
/**
 * The step of its symbols, where rows have their own that of a row in the middle; `None` if they are kept as floats.
 */
step: number | null, 
/**
 * Elements that are not zero.
 */
nonzeros: number, 
/**
 * Signal-to-quantization-noise ratio in dB, where its rows have steps of their own weighed by those; `None` if nothing was lost, or it is no layer.
 */
snr: number | null, 
/**
 * Bytes in the coded stream; a fraction, since the stream is rounded up once.
 */
bytes: number, };

/**
 * A tensor.
 */
export type TensorSummary = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its sides.
 */
shape: Array<number>, 
/**
 * Its type, as numpy calls it.
 */
dtype: string, 
/**
 * Whether the file held integers with a scale.
 */
dequantized: boolean, 
/**
 * Elements that are not zero.
 */
nonzeros: number, 
/**
 * Of a `.nut` file, whose numbers are multiples of it; none if they are kept as they are.
 */
step: number | null, };

/**
 * Settings of one training.
 */
export type Training = { 
/**
 * Samples seen, forward and backward; the only bound on the work.
 */
samples: number, 
/**
 * Samples a step.
 */
batch: number, 
/**
 * Adam's peak step size; a cosine takes it to zero.
 */
learning_rate: number, 
/**
 * Strength of random affine and elastic maps of the images: 0 none, 1 about 12 degrees, 12 % and 1.5 pixels.
 */
augmentation: number, };

/** What a model file can be written as. */
export type ExportKind = 'onnx' | 'onnx-shared' | 'onnx-scaled' | 'tflite' | 'safetensors' | 'npz';

/** A run after a finished stage. Keep it, clone it, and give it back as it is. */
export type Checkpoint = { header: object, numbers: Uint8Array<ArrayBuffer>, };

/** The `.nut` file, and the report on it. */
export type Compressed = { nut: Uint8Array<ArrayBuffer>, report: Report, };
