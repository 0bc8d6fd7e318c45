// Shapes of what the page keeps. The engine's own types come with the package.

/** @typedef {import('../pkg/nutshell.js').Recipe} Recipe */
/** @typedef {import('../pkg/nutshell.js').Effort} Effort */
/** @typedef {import('../pkg/nutshell.js').Scaling} Scaling */
/** @typedef {import('../pkg/nutshell.js').Stage} Stage */
/** @typedef {import('../pkg/nutshell.js').StageState} StageState */
/** @typedef {import('../pkg/nutshell.js').LayerState} LayerState */
/** @typedef {import('../pkg/nutshell.js').Accuracy} Accuracy */
/** @typedef {import('../pkg/nutshell.js').Probe} Probe */
/** @typedef {import('../pkg/nutshell.js').RunEvent} RunEvent */
/** @typedef {import('../pkg/nutshell.js').Report} Report */
/** @typedef {import('../pkg/nutshell.js').Checkpoint} Checkpoint */
/** @typedef {import('../pkg/nutshell.js').Summary} Summary */
/** @typedef {import('../pkg/nutshell.js').GraphSummary} GraphSummary */
/** @typedef {import('../pkg/nutshell.js').StageWords} StageWords */
/** @typedef {import('../pkg/nutshell.js').SamplesSummary} SamplesSummary */

/**
 * An opened network.
 * @typedef {object} Network
 * @property {number} id Another one for each opening.
 * @property {string} name What it is called in the page.
 * @property {string} file Name of its file.
 * @property {Summary} summary
 * @property {GraphSummary} graph Of the summary.
 * @property {Measured} measured Its accuracy on the test samples.
 */

/**
 * The tensors of an opened file, whether its graph can be run or not.
 * @typedef {object} Weights
 * @property {number} id Another one for each opening.
 * @property {string} name What it is called in the page.
 * @property {string} file Name of the file.
 * @property {Uint8Array} bytes The file.
 * @property {Summary} summary
 * @property {string} obstacle Why its graph is not run; empty if it is.
 */

/**
 * What a run without samples is to reach.
 * @typedef {object} WeightsTargetChoice
 * @property {'snr' | 'budget' | 'lossless'} kind
 * @property {number} snr Signal-to-noise ratio, in dB.
 * @property {number | null} budget In bytes; null until it is set.
 */

/**
 * What came of a run.
 * @typedef {{ id: string, nut: Uint8Array, report: Report, name: string }} Result
 */

/**
 * An accuracy that is there, is being measured (`done` of `total` samples), cannot be had (and why), or has no meaning, since the samples have
 * no labels.
 * @typedef {{ kind: 'waiting', done: number, total: number, started: number } | { kind: 'known', accuracy: Accuracy }
 *   | { kind: 'none', reason: string } | { kind: 'unlabelled' }} Measured
 */

/**
 * Samples that have come so far.
 * @typedef {object} Data
 * @property {number | null} id Another one for each set of samples; null until its test samples have all come.
 * @property {string} name
 * @property {boolean} bundled Whether they come with the page.
 * @property {number} test Test samples.
 * @property {number} train Training samples that have come, validation samples among them.
 * @property {number} trainTotal Those that will.
 * @property {number[]} shape Of one sample: channels, height, width; or features.
 * @property {{ train: boolean, test: boolean }} labelled Whether they have labels.
 * @property {SamplesSummary | null} summary Of a file that the reader opened.
 * @property {import('../pkg/nutshell.js').SamplesReading | null} reading How the opened network reads them; null where none does.
 * @property {Scaling | null} scaling What suits them and the opened network; null where nothing says so.
 * @property {string} problem Why no more come; empty if all is well.
 */

/**
 * A file that is being opened; the share of it that is decoded, where that takes time and is known.
 * @typedef {{ name: string, done: number | null, started: number }} OpeningFile
 */

/**
 * Samples that are being read: so many of so many files, of which there are none to count where all is in one.
 * @typedef {{ name: string, done: number, total: number, started: number }} ReadingSamples
 */

/**
 * An array that may be samples or a model's weights.
 * @typedef {object} AmbiguousFile
 * @property {string} name Of its file.
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @property {import('./actions/samples.js').Opened} opened As samples.
 * @property {number[]} shape Of one of them.
 */

/**
 * A training that is going on.
 * @typedef {Extract<RunEvent, { kind: 'training' }>} Training
 */

/**
 * A run: what it has said so far.
 * @typedef {object} Run
 * @property {'running' | 'cancelled' | 'interrupted' | 'failed' | 'done'} status Interrupted by a reload, or by closing the page.
 * @property {Evidence} evidence
 * @property {Recipe} recipe
 * @property {string} network Name of the network.
 * @property {number} started Milliseconds, by performance.now().
 * @property {number} finished The same; 0 while it runs.
 * @property {Stage | null} stage The stage that is being worked on.
 * @property {StageState[]} stages Those that are done.
 * @property {(number | undefined)[]} [sensitivities] Of the layers that the stage *round* has tried so far.
 * @property {Probe[]} probes
 * @property {Training | null} training
 * @property {string[]} warnings What is suspicious about it.
 * @property {{ done: number, of: number } | null} progress Estimated seconds of work that are done, and in all; null while the file is decoded.
 * @property {boolean} grown Whether it has turned out to be more work than was estimated.
 * @property {boolean} resumable Whether there is a checkpoint to go on from.
 * @property {string} message What went wrong.
 */

/**
 * A test sample, and the class that the opened network takes it for.
 * @typedef {object} Look
 * @property {number[]} shape Channels, height, width; or features, which cannot be drawn.
 * @property {Uint8Array} pixels
 * @property {number | null} label Its class, if that is known.
 * @property {number} answer
 */

/** An answer: a class, and its share of the softmax, if there are several. @typedef {{ answer: number, share: number | null }} Answer */

/**
 * A test image with the answers before and after a run.
 * @typedef {{ pixels: Uint8Array, label: number | null, before: Answer, after: Answer }} Pair
 */

/**
 * Something to know that is no error, and a way out of it.
 * @typedef {object} Notice
 * @property {string} text
 * @property {string} [button] What the way out is called.
 * @property {() => unknown} [act]
 */

/** The steps of the page, from left to right. @typedef {'model' | 'prune' | 'share' | 'quantize' | 'code' | 'result'} Step */

/**
 * What the controls of the views are set to; null where a view's own first value stands.
 * @typedef {object} ViewControls
 * @property {number | null} threshold Of saliency.
 * @property {number | null} centroids Of a codebook.
 * @property {number | null} bits Of a weight.
 */

/**
 * What is kept of any run that is over.
 * @typedef {object} KeptRun
 * @property {string} id
 * @property {string} name What it is called in the page.
 * @property {string} file Name of the network's file.
 * @property {number} date Milliseconds since 1970.
 * @property {Uint8Array} nut
 */

/** What a run is judged by: samples, or the weights alone. @typedef {'samples' | 'weights'} Evidence */
/** @typedef {KeptRun & { evidence: Evidence, report: Report }} Kept */

/** @typedef {import('../pkg/nutshell.js').Setting} Setting */

/**
 * @typedef {object} State
 * @property {Network | null} network
 * @property {Weights | null} weights The tensors of the opened file, if the reader was asked for them.
 * @property {OpeningFile | null} openingFile The file that is being opened.
 * @property {Data} data
 * @property {Look[]} examples Some test images.
 * @property {ReadingSamples | null} readingSamples Samples that are being read.
 * @property {AmbiguousFile | null} ambiguousFile An array that is samples or weights: the user says which.
 * @property {Recipe | null} recipe What the form says.
 * @property {Recipe | null} preset The recipe of its effort, suited to the opened network and samples.
 * @property {Run | null} run
 * @property {Result | null} result
 * @property {Evidence} evidence
 * @property {WeightsTargetChoice} weightsTarget What a run by the weights alone is to reach.
 * @property {number} tensor The tensor that is looked at, counted from 0.
 * @property {string} problem An error to show; empty if there is none.
 * @property {Notice | null} notice
 * @property {string} elsewhere What another tab compresses now; empty if none does.
 * @property {Step} step The step that is looked at.
 * @property {Stage | null} chosenStage Which of a step's stages, where it has two; null for the last that is there.
 * @property {boolean} followsRun Whether the step that is looked at follows the run.
 * @property {number} layer The layer that is looked at, counted from 0.
 * @property {Stage[]} viewerStages Stages whose networks the viewer has.
 * @property {ViewControls} viewControls
 * @property {number} heldOutCount Training samples that the viewer measures on.
 * @property {Setting[]} settings Every number of a recipe, with its range.
 * @property {StageWords[]} stages The stages in their order.
 * @property {{ models: [name: string, title: string][], samples: string }} formats What can be opened.
 * @property {Kept[]} keptRuns Runs so far, the oldest first.
 * @property {number | null} lesson The step of the guided walk that is shown.
 * @property {boolean} lessonMoves Whether it still moves the page.
 * @property {boolean} ownNetwork Whether what is open is the user's, not the example's.
 * @property {{ network: string | null, samples: string | null }} files Under which names the user's files that are open are kept.
 */

export {};
