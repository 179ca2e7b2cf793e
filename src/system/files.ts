/**
 * Files that a user names. Any name may be that of a pipe, a folder, a device or something huge:
 * none of them holds the program up.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { ExitStatus, SeedError } from '../errors.js';

/**
 * Longest wait for somebody who writes into a pipe, in milliseconds; a program that makes a secret
 * takes its time.
 */
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
 * For a file that a library is going to open by its name, perhaps more than once: a pipe will not
 * do.
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

// What the operating system refuses, as one line and a way out. These may come from anywhere, a
// library's inside included.

/** What every message of the system about it holds. */
const TOO_MANY_FILES = /\b(?:EMFILE|ENFILE)\b/;
const FULL = /\b(?:ENOSPC|EDQUOT)\b/;
const FORBIDDEN = /\b(?:EACCES|EPERM|EROFS)\b/;
const NO_MORE = /\b(?:EAGAIN|ENOMEM|ERR_WORKER_OUT_OF_MEMORY)\b/;

/**
 * The failure that a user can act on; undefined for an error that does not come from the system.
 */
export function explainSystemError(error: unknown): SeedError | undefined {
  if (!(error instanceof Error) || error instanceof SeedError) return undefined;
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const options = { cause: error };
  const failure = (status: ExitStatus, text: string, remedy: string) =>
    new SeedError(status, text, remedy, options);
  if (syscall === 'uv_cwd' || /\buv_cwd\b/.test(message)) {
    return failure(
      ExitStatus.usage,
      'the working folder is gone, or cannot be looked up',
      'change to a folder that is there: cd ~',
    );
  }
  // Of a thread's error, and of a connection's, the text alone is left.
  const text = `${code ?? ''} ${message}`;
  const tooManyFiles = explainTooManyFiles(text, message, options);
  if (tooManyFiles) return tooManyFiles;
  if (code === undefined || syscall === undefined) return undefined;
  if (FULL.test(code)) return failure(ExitStatus.outOfSpace, `no disk space left: ${message}`, 'make room');
  if (FORBIDDEN.test(code)) {
    return failure(
      ExitStatus.failure,
      `not permitted here: ${message}`,
      'look at who owns it, and may write',
    );
  }
  if (NO_MORE.test(code)) {
    return failure(
      ExitStatus.failure,
      `the system gives no more processes, threads or memory: ${message}`,
      'fewer --workers need less; ulimit -u, or a limit of the container, says how many there may be',
    );
  }
  return undefined;
}

const MORE_FILES = 'allow more, such as ulimit -n 1024, or use fewer --workers';

/**
 * The same for a text that holds what the system said, such as that of a connection which could not
 * be opened.
 */
export function explainTooManyFiles(
  text: string,
  message = text,
  options: ErrorOptions = {},
): SeedError | undefined {
  if (!TOO_MANY_FILES.test(text)) return undefined;
  return new SeedError(ExitStatus.failure, `too many open files: ${message}`, MORE_FILES, options);
}

/**
 * Looks whether so many files more can be opened, where the system says so: what lacks one in the
 * middle of its work tries on for long.
 * @throws SeedError
 */
export function refuseTooFewFiles(needed: number, what: string): void {
  let limit: number;
  let open: number;
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    limit = Number(soft ?? Number.POSITIVE_INFINITY);
    open = readdirSync('/proc/self/fd').length;
  } catch (error) {
    const told = explainSystemError(error);
    if (told && TOO_MANY_FILES.test(told.message)) throw told;
    return;
  }
  if (limit - open >= needed) return;
  throw new SeedError(
    ExitStatus.failure,
    `too few files may be open: ${limit} at most, ${open} are, and ${what} would open ${needed} more`,
    MORE_FILES,
  );
}
