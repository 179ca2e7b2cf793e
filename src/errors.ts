/**
 * Every failure a user can meet, as one class: a one-line cause, what to do about it, and the exit
 * status it ends with.
 */
import { distance } from 'fastest-levenshtein';

/** Exit statuses of the command line, as `--help` documents them. */
export const ExitStatus = {
  done: 0,
  failure: 1,
  usage: 2,
  cannotConnect: 3,
  authentication: 4,
  targetNotReady: 5,
  outOfSpace: 6,
  interrupted: 130,
} as const;

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];

/**
 * An expected failure. `message` is one line; `remedy` says the way out. Neither ever holds a
 * password.
 */
export class SeedError extends Error {
  override readonly name = 'SeedError';
  /** Where more than one thing is wrong: a line for each further one. */
  readonly details: readonly string[];

  constructor(
    readonly exitStatus: ExitStatus,
    message: string,
    readonly remedy: string = '',
    options: ErrorOptions & { readonly details?: readonly string[] } = {},
  ) {
    super(message, options);
    this.details = options.details ?? [];
  }
}

/** A flag, variable or file that cannot be used: exit status 2. */
export function usageError(message: string, remedy = ''): SeedError {
  return new SeedError(ExitStatus.usage, message, remedy);
}

// What somebody may have meant who typed a name that there is not.

/** Two names this much of the longer one apart have nothing to do with each other. */
const FARTHEST = 0.4;

/** The known name that is nearest to a typed one; undefined where none is near. */
function nearestName(typed: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of known) {
    const edits = distance(typed.toLowerCase(), name.toLowerCase());
    if (edits < least && edits <= FARTHEST * Math.max(typed.length, name.length)) {
      nearest = name;
      least = edits;
    }
  }
  return nearest;
}

/** `; did you mean NAME?`, or nothing. */
export function didYouMean(typed: string, known: Iterable<string>): string {
  const nearest = nearestName(typed, known);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}
