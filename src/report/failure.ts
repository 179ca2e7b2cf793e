/** A failure as the user reads it. Imported by every command: it needs nothing else. */
import { oneLine } from './harmless.js';
import { END, INDENT } from './tree.js';
import type { Failure, FailureResult } from './types.js';
import { hanging } from './width.js';

/**
 * The cause in one line, what else is wrong in others, and the way out in another where there is one.
 * @param width breaks them where a terminal of so many cells would
 */
export function failureLines(
  { message, details = [], remedy }: Pick<Failure, 'message' | 'details' | 'remedy'>,
  width = Number.POSITIVE_INFINITY,
): string[] {
  return [
    ...hanging(oneLine(message), width, '❌ ', INDENT),
    ...details.flatMap((detail) => hanging(oneLine(detail), width, INDENT, `${INDENT}    `)),
    ...(remedy === '' ? [] : hanging(oneLine(remedy), width, INDENT + END, `${INDENT}    `)),
  ];
}

/** The JSON object of a failure. */
export function failureResult({ exitStatus, message, details = [], remedy }: Failure): FailureResult {
  return {
    status: 'failed',
    exitStatus,
    error: oneLine(message),
    ...(details.length > 0 ? { details: details.map(oneLine) } : {}),
    remedy: oneLine(remedy),
  };
}
