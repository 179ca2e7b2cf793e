/** A failure as the user reads it. Imported by every command: it needs nothing else. */
import { oneLine } from './format.js';
import { END, INDENT } from './tree.js';
import type { Failure, FailureResult } from './types.js';
import { hanging } from './width.js';

/**
 * The cause in one line, and the way out in another where there is one.
 * @param width breaks them where a terminal of so many cells would
 */
export function failureLines(
  { message, remedy }: Pick<Failure, 'message' | 'remedy'>,
  width = Number.POSITIVE_INFINITY,
): string[] {
  return [
    ...hanging(oneLine(message), width, '❌ ', INDENT),
    ...(remedy === '' ? [] : hanging(oneLine(remedy), width, INDENT + END, `${INDENT}    `)),
  ];
}

/** The JSON object of a failure. */
export function failureResult({ exitStatus, message, remedy }: Failure): FailureResult {
  return { status: 'failed', exitStatus, error: oneLine(message), remedy: oneLine(remedy) };
}
