// Files that a user drops or chooses, with the folders that they are in.

/** A file, and the folders that it is in: its path, or its name alone. @typedef {{ path: string, file: File }} Found */

/** The most files of a drop. */
const MOST_FILES = 300_000;
/** Folders in folders that are looked into. */
const DEEPEST = 6;
/** Bytes that tell a picture. */
const HEAD = 3;

/** What was dropped; to be called while the event is told. @param {DataTransfer | null} transfer @returns {Promise<Found[]>} */
export function dropped(transfer) {
  const items = [...(transfer?.items ?? [])].filter(({ kind }) => kind === 'file');
  // Both are only there until the event is over.
  const entries = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  return gather(entries);
}

/** @param {{ entry: FileSystemEntry | null, file: File | null }[]} entries */
async function gather(entries) {
  /** @type {Found[]} */
  const found = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) await walk(/** @type {FileSystemDirectoryEntry} */ (entry), entry.name, found);
    else if (file) found.push({ path: file.name, file });
  }
  return found;
}

/** What was chosen, by files or by a folder. @param {FileList | null} files @returns {Found[]} */
export const chosen = (files) => [...(files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** Adds all files below a folder. @param {FileSystemDirectoryEntry} folder @param {string} path @param {Found[]} found */
async function walk(folder, path, found) {
  const reader = folder.createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    // It gives a part each time, and none at the end.
    if (entries.length === 0) return;
    for (const entry of entries) {
      const own = `${path}/${entry.name}`;
      if (entry.isDirectory) {
        if (own.split('/').length <= DEEPEST) await walk(/** @type {FileSystemDirectoryEntry} */ (entry), own, found);
        continue;
      }
      /** @type {File} */
      const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
      found.push({ path: own, file });
      if (found.length > MOST_FILES) throw new Error(`${path}: expected at most ${MOST_FILES} files, got more`);
    }
  }
}

/** @param {Found} found */
export const isInFolder = ({ path }) => path.includes('/');

/** What systems put beside files. @param {Found} found */
const isHidden = ({ path }) => path.split('/').some((part) => part.startsWith('.') || part === '__MACOSX');

/** Takes apart what is samples as pictures: pictures by themselves, and all files of folders if one of them is a picture.
 * @param {Found[]} all @returns {Promise<{ pictures: Found[], others: Found[] }>} */
export async function takePictures(all) {
  const [inside, alone] = [all.filter(isInFolder), all.filter((found) => !isInFolder(found))];
  const are = await Promise.all(alone.map(isPicture));
  let folders = false;
  for (const found of inside) if (!isHidden(found) && (await isPicture(found)) && (folders = true)) break;
  const rest = folders ? [] : inside.filter((found) => !isHidden(found));
  return {
    pictures: [...alone.filter((_, index) => are[index]), ...(folders ? inside : [])],
    others: [...alone.filter((_, index) => !are[index]), ...rest],
  };
}

/** By its first bytes: those of PNG or of JPEG. @param {Found} found */
async function isPicture({ file }) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  const begins = (/** @type {number[]} */ ...first) => first.every((byte, place) => head[place] === byte);
  return begins(0x89, 0x50, 0x4e) || begins(0xff, 0xd8, 0xff);
}
