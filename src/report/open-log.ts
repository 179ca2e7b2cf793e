/** Opens the file of a log: an ordinary one, or a device such as a terminal or /dev/null. Anything else might never take a line. */
import { closeSync, constants, fstatSync, mkdirSync, openSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { usageError } from '../errors.js';

const { O_APPEND, O_CREAT, O_NONBLOCK = 0, O_WRONLY } = constants;

/** What has the log's name is nothing to write a log to. */
class NoLogFile extends Error {
  constructor(
    readonly code: string,
    readonly reason: string,
  ) {
    super(`${code}: ${reason}`);
  }
}

/**
 * Makes its folders, opens it to be added to, and waits for nobody.
 * @returns the descriptor
 * @throws Error where it cannot be opened, or is a folder, a pipe, a socket or a disk
 */
export function openLog(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  let file: number;
  try {
    file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') throw new NoLogFile(code, 'it is a folder');
    if (code === 'ENXIO') throw new NoLogFile(code, 'it is a pipe that nobody reads, or a socket');
    throw error;
  }
  const kind = fstatSync(file);
  if (kind.isFile() || kind.isCharacterDevice()) return file;
  closeSync(file);
  throw new NoLogFile('ESPIPE', nameOf(kind));
}

function nameOf(kind: Stats): string {
  return kind.isFIFO() ? 'it is a pipe' : 'it is no ordinary file';
}

/**
 * Looks at the file of `--log-file` before anything is done. One that cannot be written now is done without, as any
 * log; one that is no file was named by mistake.
 * @throws SeedError (usage)
 */
export function refuseNoLogFile(path: string | undefined): void {
  if (path === undefined) return;
  try {
    closeSync(openLog(path));
  } catch (error) {
    if (!(error instanceof NoLogFile)) return;
    throw usageError(`--log-file ${path} cannot take a log: ${error.reason}`, 'name an ordinary file');
  }
}
