// Files of samples, put together byte by byte, apart from the readers that are tested.
import { crc32, deflateSync } from 'node:zlib';

/** @typedef {{ shape: number[], values: Uint8Array | Float32Array }} Numbers */

/** A `.npy` file, version 1. @param {Numbers} array */
export function npy({ shape, values }) {
  const type = values instanceof Uint8Array ? '|u1' : '<f4';
  const header = Buffer.from(`{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }\n`);
  const start = Buffer.from('\x93NUMPY\x01\x00\0\0', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, header, Buffer.from(values.buffer, values.byteOffset, values.byteLength)]);
}

/** An archive of arrays, stored as `numpy.savez` does. @param {Record<string, Numbers>} arrays */
export const npz = (arrays) => zip(Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, npy(array)])));

/** An archive of files that are stored as they are. @param {Record<string, Uint8Array>} contents */
export function zip(contents) {
  /** @type {Buffer[]} */
  const files = [];
  /** @type {Buffer[]} */
  const directory = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(contents)) {
    const path = Buffer.from(name);
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

/** Numbers of a pixel, by PNG's number of the kind: grey, colour, grey and colour with transparency. @type {Record<number, number>} */
const DEPTHS = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** A PNG file of 8 bits a number, row by row. @param {ArrayLike<number>} pixels @param {{ width: number, kind?: number, exif?: Uint8Array }} options */
export function png(pixels, { width, kind = 0, exif }) {
  const line = width * DEPTHS[kind];
  const height = pixels.length / line;
  const rows = Array.from({ length: height }, (_, row) => [0, ...Array.from(pixels).slice(row * line, (row + 1) * line)]);
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, kind], 8);
  const chunks = [['IHDR', size], ...(exif ? [['eXIf', exif]] : []), ['IDAT', deflateSync(Buffer.from(rows.flat()))], ['IEND', Buffer.alloc(0)]];
  return Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), ...chunks.map(([name, data]) => chunk(/** @type {string} */ (name), /** @type {Buffer} */ (data)))]);
}

/** @param {string} name @param {Uint8Array} data */
function chunk(name, data) {
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(name), data]);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** Exif (TIFF) that says of a picture that it is to be turned by a quarter. */
export const TURNED = Buffer.from('4d4d002a00000008000101120003000000010006000000000000', 'hex');

/** A table with a line of names, a line a sample, the class at its end. @param {Uint8Array} values @param {string[]} classes */
export function csv(values, classes) {
  const width = values.length / classes.length;
  const names = Array.from({ length: width }, (_, column) => `x${column}`);
  const lines = classes.map((name, row) => [...values.subarray(row * width, (row + 1) * width), name].join(','));
  return Buffer.from([[...names, 'label'].join(','), ...lines, ''].join('\n'));
}
