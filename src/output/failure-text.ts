/** A failure as the user reads it. Imported by every command: it needs nothing else. */

import { END, INDENT } from './format.js';
import { commandAtEnd } from './shell.js';
import type { Failure, FailureResult } from './types.js';
import { hanging, oneLine, widthOf } from './width.js';

/**
 * The cause in one line, what else is wrong in others, and the way out in another where there is
 * one.
 * @param width breaks them where a terminal of so many cells would
 */
export function failureLines(
  { message, details = [], remedy }: Pick<Failure, 'message' | 'details' | 'remedy'>,
  width = Number.POSITIVE_INFINITY,
): string[] {
  return [
    ...hanging(oneLine(message), width, '❌ ', INDENT),
    ...details.flatMap((detail) => hanging(oneLine(detail), width, INDENT, `${INDENT}    `)),
    ...remedyLines(oneLine(remedy), width),
  ];
}

function remedyLines(remedy: string, width: number): string[] {
  if (remedy === '') return [];
  const [first, rest] = [INDENT + END, `${INDENT}    `];
  const [lead, command] = commandAtEnd(remedy) ?? [];
  if (lead === undefined || widthOf(first + remedy) <= width) return hanging(remedy, width, first, rest);
  return [...hanging(lead, width, first, rest), `${rest}${command}`];
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
