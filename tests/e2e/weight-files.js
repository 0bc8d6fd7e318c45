// Small files of weights, put together byte by byte, and read again, apart from the readers and writers that are tested.

/** @typedef {{ shape: number[], values: Float32Array }} Tensor */

/** Normally distributed numbers, the same ones every time. @param {number[]} shape @param {number} deviation @returns {Tensor} */
export function normal(shape, deviation) {
  const values = new Float32Array(shape.reduce((product, side) => product * side, 1));
  let state = 1;
  // The multiplier of MINSTD.
  const uniform = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let place = 0; place < values.length; place++)
    values[place] = deviation * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { shape, values };
}

/** A safetensors file. @param {Record<string, Tensor>} tensors */
export function safetensors(tensors) {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, { shape, values }]) => {
    const start = end;
    end += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [start, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...Object.values(tensors).map(({ values }) => Buffer.from(values.buffer))]);
}

/** The tensors of a safetensors file of 32-bit floats. @param {Buffer} file @returns {Record<string, Tensor>} */
export function readSafetensors(file) {
  const start = 8 + Number(file.readBigUInt64LE());
  const { __metadata__: _, ...header } = JSON.parse(file.subarray(8, start).toString());
  return Object.fromEntries(
    Object.entries(header).map(([name, { shape, data_offsets: [from, to] }]) => [
      name,
      { shape, values: new Float32Array(Uint8Array.from(file.subarray(start + from, start + to)).buffer) },
    ]),
  );
}

/** A `.npy` file, version 1. @param {Tensor} tensor */
export function npy({ shape, values }) {
  const header = Buffer.from(`{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`);
  return Buffer.concat([Buffer.from('\x93NUMPY\x01\x00', 'latin1'), u16(header.length), header, Buffer.from(values.buffer)]);
}

/** A state dictionary as `torch.save` wrote it before version 1.6. @param {Record<string, Tensor>} tensors */
export function pth(tensors) {
  const pickle = (/** @type {Buffer[]} */ ...body) => Buffer.concat([ascii('\x80\x02'), ...body, ascii('.')]);
  const text = (/** @type {string} */ words) => Buffer.concat([ascii('X'), u32(words.length), ascii(words)]);
  const tuple = (/** @type {number[]} */ numbers) => Buffer.concat([ascii('('), ...numbers.map((number) => Buffer.concat([ascii('J'), u32(number)])), ascii('t')]);
  const views = Object.entries(tensors).map(([name, { shape, values }], key) => {
    const strides = shape.map((_, side) => shape.slice(side + 1).reduce((product, other) => product * other, 1));
    const storage = [text('storage'), ascii('ctorch\nFloatStorage\n'), text(String(key)), text('cpu'), ascii('J'), u32(values.length), ascii('NtQ')];
    return [text(name), ascii('ctorch._utils\n_rebuild_tensor_v2\n(('), ...storage, ascii('K\0'), tuple(shape), tuple(strides), ascii('\x89ccollections\nOrderedDict\n)RtR')];
  });
  const storages = Object.values(tensors).map(({ values }) => [u32(values.length), u32(0), Buffer.from(values.buffer)]);
  return Buffer.concat([
    ascii('\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e'),
    pickle(ascii('M\xe9\x03')),
    pickle(ascii('}')),
    pickle(ascii('}('), ...views.flat(), ascii('u')),
    pickle(ascii(']('), ...storages.map((_, key) => text(String(key))), ascii('e')),
    ...storages.flat(),
  ]);
}

/** Energy over noise in dB: the mean of some tensors' noise over energy. @param {Tensor[]} originals @param {Tensor[]} others */
export function signalToNoise(originals, others) {
  const noises = originals.map(({ values }, index) => {
    let [noise, energy] = [0, 0];
    values.forEach((value, place) => {
      noise += (value - others[index].values[place]) ** 2;
      energy += value ** 2;
    });
    return noise / energy;
  });
  return -10 * Math.log10(noises.reduce((sum, noise) => sum + noise, 0) / noises.length);
}

/** @param {string} letters */
const ascii = (letters) => Buffer.from(letters, 'latin1');

/** @param {number} value */
function u16(value) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

/** @param {number} value */
function u32(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
