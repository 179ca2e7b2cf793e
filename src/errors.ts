/**
 * Every failure a user can meet, as one class: a one-line cause, what to do about it, and the exit
 * status it ends with.
 */

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
