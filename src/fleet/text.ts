/** The text of a fleet file, in whichever of the usual encodings an editor or a shell has written it. */
import { statSync } from 'node:fs';
import { usageError } from '../errors.js';
import { readInputBytes, UnusableFile } from '../input-file.js';

/** Far more than a person writes. */
const MOST_BYTES = 4 * 1024 * 1024;
const AS_UTF_8 = 'save it as UTF-8';

/** @throws SeedError (usage) for what is no text, too large, or cannot be read */
export function readFleetText(path: string): string {
  try {
    const found = statSync(path);
    // A terminal or a device such as /dev/zero might never end.
    if (!found.isFile() && !found.isFIFO()) {
      throw usageError(
        `--fleet ${path} is ${found.isDirectory() ? 'a folder' : 'no file'}`,
        'name a YAML or JSON file',
      );
    }
    return decoded(readInputBytes(path, MOST_BYTES), path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EFBIG') throw tooLarge(path);
    if (code === undefined && !(error instanceof UnusableFile)) throw error;
    throw usageError(`--fleet ${path} cannot be read: ${message}`, 'name a YAML or JSON file');
  }
}

function tooLarge(path: string) {
  return usageError(
    `fleet ${path} has more than ${MOST_BYTES / 1024 / 1024} MB`,
    'describe one site, and multiply it with --scale',
  );
}

/** By its byte order mark: Windows PowerShell writes UTF-16 where a command's output goes into a file. */
function decoded(bytes: Buffer, path: string): string {
  const mark = bytes.subarray(0, 2).toString('hex');
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8';
  const text = new TextDecoder(encoding).decode(bytes);
  const broken = /[\0\ufffd]/.exec(text);
  if (broken && !hasReplacementOfItsOwn(bytes, broken[0])) {
    const line = text.slice(0, broken.index).split('\n').length;
    throw usageError(`fleet ${path}, line ${line}: this is no text in UTF-8`, AS_UTF_8);
  }
  return text;
}

/** True where U+FFFD stands in the file as it is. */
function hasReplacementOfItsOwn(bytes: Buffer, found: string): boolean {
  return found !== '\0' && bytes.includes('\ufffd');
}
