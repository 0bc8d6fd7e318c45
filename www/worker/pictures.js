// Decodes pictures with the browser, in the worker that reads samples.
/** @typedef {import('../../pkg/nutshell.js').PictureFiles} PictureFiles */
/** @typedef {import('../../pkg/nutshell.js').PictureHeader} PictureHeader */

/** Pictures that are decoded at the same time. */
const ABREAST = 8;
/** Milliseconds between two reports. */
const PACE = 100;

/** Reads and decodes all that are pictures.
 * @param {PictureFiles} pictures
 * @param {(index: number) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>} read The bytes of a file.
 * @param {(done: number) => void} tell */
export async function decodeAll(pictures, read, tell) {
  let told = 0;
  for (let first = 0; first < pictures.length; first += ABREAST) {
    const indices = Array.from({ length: Math.min(ABREAST, pictures.length - first) }, (_, place) => first + place);
    const files = await Promise.all(indices.map(read));
    const headers = files.map((bytes, place) => pictures.begin(first + place, bytes));
    const decoded = await Promise.allSettled(
      headers.map((header, place) => header && decode(files[place], header, pictures.place(first + place))),
    );
    // In their order, so that the first that is wrong is named.
    for (const [place, header] of headers.entries()) {
      const outcome = decoded[place];
      if (outcome.status === 'rejected') throw outcome.reason;
      if (header && outcome.value) pictures.add(first + place, header, outcome.value);
      header?.free();
    }
    if (performance.now() - told > PACE) {
      told = performance.now();
      tell(first + indices.length);
    }
  }
}

/** Pixels as red, green, blue and transparency, as they are in the file. @param {Uint8Array<ArrayBuffer>} bytes @param {PictureHeader} header @param {string} place */
async function decode(bytes, { width, height, exif }, place) {
  const fault = (/** @type {string} */ expected, /** @type {string} */ got) => new Error(`picture file, ${place}: expected ${expected}, got ${got}`);
  const parts = [];
  let from = 0;
  for (let at = 0; at < exif.length; at += 2) {
    // Without what would turn it.
    parts.push(bytes.subarray(from, exif[at]));
    from = exif[at + 1];
  }
  const file = new Blob([...parts, bytes.subarray(from)]);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  } catch {
    throw fault('a picture that this browser can decode', 'one that it cannot');
  }
  try {
    if (bitmap.width !== width || bitmap.height !== height) throw fault(`${width} x ${height} pixels`, `${bitmap.width} x ${bitmap.height}`);
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw fault('a canvas of its size', 'none');
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = new Uint8Array(data.buffer);
    for (let at = 3; at < pixels.length; at += 4) {
      // A canvas has lost some of the colour of what is transparent.
      if (pixels[at] < 255) throw fault('opaque pixels, because a browser changes transparent ones', 'transparent ones');
    }
    return pixels;
  } finally {
    bitmap.close();
  }
}
