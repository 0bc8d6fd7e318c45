// Handing files to the user.

/** Hands a file to the user. @param {Uint8Array} bytes @param {string} name */
export function download(bytes, name) {
  const url = URL.createObjectURL(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]));
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  // Not at once: the browser reads it after this returns.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Hands a value to the user as JSON. @param {unknown} value @param {string} name */
export const downloadJson = (value, name) => download(new TextEncoder().encode(JSON.stringify(value, null, 2)), name);
