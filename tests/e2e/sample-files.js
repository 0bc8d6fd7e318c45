// Files of samples, put together byte by byte, apart from the readers that are tested.
import { crc32 } from 'node:zlib';

/** @typedef {{ shape: number[], values: Uint8Array | Float32Array }} Numbers */

/** A `.npy` file, version 1. @param {Numbers} array */
function npy({ shape, values }) {
  const type = values instanceof Uint8Array ? '|u1' : '<f4';
  const header = Buffer.from(`{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`);
  const start = Buffer.from('\x93NUMPY\x01\x00\0\0', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}

/** An archive of arrays, stored as `numpy.savez` does. @param {Record<string, Numbers>} arrays */
export function npz(arrays) {
  /** @type {Buffer[]} */
  const files = [];
  /** @type {Buffer[]} */
  const directory = [];
  let offset = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const [path, bytes] = [Buffer.from(`${name}.npy`), npy(array)];
    const about = Buffer.alloc(26);
    about.writeUInt16LE(20, 0);
    about.writeUInt32LE(crc32(bytes), 10);
    about.writeUInt32LE(bytes.length, 14);
    about.writeUInt32LE(bytes.length, 18);
    about.writeUInt16LE(path.length, 22);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    const file = Buffer.concat([Buffer.from('PK\x03\x04'), about, path, bytes]);
    files.push(file);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), about, entry, path]));
    offset += file.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  for (const place of [8, 10]) end.writeUInt16LE(directory.length, place);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

/** A table with a line of names, a line a sample, the class at its end. @param {Uint8Array} values @param {string[]} classes */
export function csv(values, classes) {
  const width = values.length / classes.length;
  const names = Array.from({ length: width }, (_, column) => `x${column}`);
  const lines = classes.map((name, row) => [...values.subarray(row * width, (row + 1) * width), name].join(','));
  return Buffer.from([[...names, 'label'].join(','), ...lines, ''].join('\n'));
}
