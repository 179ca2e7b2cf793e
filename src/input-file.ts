/** Files that a user names. Any name may be that of a pipe, a folder, a device or something huge: none of them holds the program up. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';

/** Longest wait for somebody who writes into a pipe, in milliseconds; a program that makes a secret takes its time. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 20;
const CHUNK_BYTES = 65_536;

/** Failures of the machine rather than of this file. */
const OF_THE_MACHINE: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOMEM', 'EIO'];

/** Why a file is not read: `there is no such file`. */
export class UnusableFile extends Error {
  constructor(
    reason: string,
    /** The system's own, where it gave one. */
    readonly code?: string,
  ) {
    super(reason);
  }
}

/** The text of a file in UTF-8: see {@link readInputBytes}. */
export function readInputFile(path: string, mostBytes: number): string {
  return readInputBytes(path, mostBytes).toString('utf8');
}

/**
 * What a file holds, or what somebody writes into a pipe.
 * @throws UnusableFile with the reason; its code is EFBIG where there is more than that
 */
export function readInputBytes(path: string, mostBytes: number): Buffer {
  const file = attempt(() => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  try {
    const kind = fstatSync(file);
    if (kind.isDirectory()) throw new UnusableFile('it is a folder');
    return readAll(file, mostBytes, kind.isFIFO());
  } finally {
    closeSync(file);
  }
}

/**
 * For a file that a library is going to open by its name, perhaps more than once: a pipe will not do.
 * @throws UnusableFile with the reason
 */
export function refuseUnlessRereadable(path: string, mostBytes: number): void {
  if (attempt(() => statSync(path)).isFIFO()) throw new UnusableFile('it is a pipe');
  readInputBytes(path, mostBytes);
}

function readAll(file: number, mostBytes: number, isPipe: boolean): Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  let deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = readSome(file, chunk);
    // A pipe without a writer is at its end; there may be one in a moment.
    if (read === undefined || (read === 0 && isPipe && size === 0)) {
      if (performance.now() > deadline) throw new UnusableFile('nobody writes into it');
      pause();
    } else if (read === 0) return Buffer.concat(chunks);
    else {
      chunks.push(chunk.subarray(0, read));
      size += read;
      if (size > mostBytes) throw tooLarge(mostBytes);
      deadline = performance.now() + PATIENCE_MS;
    }
  }
}

/** Undefined where there may be something later. */
function readSome(file: number, chunk: Buffer): number | undefined {
  try {
    return readSync(file, chunk);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw reasonOf(error);
  }
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}

function tooLarge(mostBytes: number): UnusableFile {
  return new UnusableFile(`it has more than ${mostBytes / 1024 / 1024} MB`, 'EFBIG');
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw reasonOf(error);
  }
}

function reasonOf(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || OF_THE_MACHINE.includes(code)) return error;
  if (code === 'ENOENT') return new UnusableFile('there is no such file', code);
  if (code === 'EISDIR') return new UnusableFile('it is a folder', code);
  return new UnusableFile(code, code);
}
