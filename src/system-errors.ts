/** What the operating system refuses, as one line and a way out. These may come from anywhere, a library's inside included. */
import { readdirSync, readFileSync } from 'node:fs';
import { ExitStatus, SeedError } from './errors.js';

/** What every message of the system about it holds. */
const TOO_MANY_FILES = /\b(?:EMFILE|ENFILE)\b/;
const FULL = /\b(?:ENOSPC|EDQUOT)\b/;
const FORBIDDEN = /\b(?:EACCES|EPERM|EROFS)\b/;
const NO_MORE = /\b(?:EAGAIN|ENOMEM|ERR_WORKER_OUT_OF_MEMORY)\b/;

/** The failure that a user can act on; undefined for an error that does not come from the system. */
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

/** The same for a text that holds what the system said, such as that of a connection which could not be opened. */
export function explainTooManyFiles(
  text: string,
  message = text,
  options: ErrorOptions = {},
): SeedError | undefined {
  if (!TOO_MANY_FILES.test(text)) return undefined;
  return new SeedError(ExitStatus.failure, `too many open files: ${message}`, MORE_FILES, options);
}

/**
 * Looks whether so many files more can be opened, where the system says so: what lacks one in the middle of its work tries on for long.
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
