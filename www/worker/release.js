// The memory of bytes that a message brought.

/** Gives it back, once the wasm has a copy: until they are collected, the bytes of a large file would count for nothing.
 * @param {Uint8Array<ArrayBuffer>} bytes Of which nobody else makes use. */
export const release = (bytes) => void bytes.buffer.transfer(0);
