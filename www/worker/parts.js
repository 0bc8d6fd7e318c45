// How both workers that have samples gather them.

/** A part of a set: images and labels as IDX files, gzipped or not, or the values of samples of one shape, with their classes, or numbers to answer with.
 * @typedef {object} Part
 * @property {'train' | 'test'} set
 * @property {Uint8Array} [images]
 * @property {Uint8Array} [labels]
 * @property {number[]} [shape]
 * @property {Uint8Array | Float32Array} [values]
 * @property {Uint32Array} [classes]
 * @property {Float32Array} [targets] Numbers to answer with, in place of classes.
 * @property {number} [outputs] How many of them each sample has. */

/** @param {import('../../pkg/nutshell.js').Samples} samples @param {Part} part */
export function addPart(samples, { images, labels, shape = [], values, classes, targets, outputs = 0 }) {
  if (images) samples.addImages(images);
  if (labels) samples.addLabels(labels);
  if (values instanceof Float32Array) samples.addFloats(Uint32Array.from(shape), values);
  else if (values) samples.addBytes(Uint32Array.from(shape), values);
  if (classes) samples.addClasses(classes);
  if (targets && targets.length > 0) samples.addTargets(outputs, targets);
}
