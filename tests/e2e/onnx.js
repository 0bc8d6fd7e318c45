// Just enough of ONNX's protobuf to read a weight, written apart from the reader that is tested.

/** The fields of a message: number, and varint or bytes. @param {Uint8Array} bytes @returns {[number, number | Uint8Array][]} */
function fields(bytes) {
  /** @type {[number, number | Uint8Array][]} */
  const found = [];
  let place = 0;
  const varint = () => {
    let [value, shift, byte] = [0, 1, 0x80];
    while (byte & 0x80) {
      byte = bytes[place++];
      value += (byte & 0x7f) * shift;
      shift *= 128;
    }
    return value;
  };
  while (place < bytes.length) {
    const key = varint();
    const [number, kind] = [Math.floor(key / 8), key % 8];
    if (kind === 0) found.push([number, varint()]);
    else {
      const length = kind === 2 ? varint() : kind === 5 ? 4 : 8;
      found.push([number, bytes.subarray(place, place + length)]);
      place += length;
    }
  }
  return found;
}

/** The initializers of 32-bit floats that are stored raw, in the order of the file: name and numbers.
 * @param {Uint8Array} file @returns {[string, Float32Array][]} */
export function initializers(file) {
  const inner = (/** @type {Uint8Array} */ bytes, /** @type {number} */ number) =>
    fields(bytes).flatMap(([own, value]) => (own === number && value instanceof Uint8Array ? [value] : []));
  const [graph] = inner(file, 7);
  return inner(graph, 5)
    .filter((tensor) => inner(tensor, 9).length === 1)
    .map((tensor) => [new TextDecoder().decode(inner(tensor, 8)[0]), new Float32Array(Uint8Array.from(inner(tensor, 9)[0]).buffer)]);
}

/** The numbers of one of them. @param {Uint8Array} file @param {string} name */
export function weightsOf(file, name) {
  const found = initializers(file).find(([own]) => own === name);
  if (!found) throw new Error(`the file has no ${name}`);
  return [...found[1]];
}
