/** A failure as the user reads it. Imported by every command: it needs nothing else. */
import { oneLine } from './format.js';
import { tree } from './tree.js';
import type { Failure, FailureResult } from './types.js';

/** The cause in one line, and the way out in another where there is one. */
export function failureLines({ message, remedy }: Pick<Failure, 'message' | 'remedy'>): string[] {
  return [`❌ ${oneLine(message)}`, ...(remedy ? tree([oneLine(remedy)]) : [])];
}

/** The JSON object of a failure. */
export function failureResult({ exitStatus, message, remedy }: Failure): FailureResult {
  return { status: 'failed', exitStatus, error: oneLine(message), remedy: oneLine(remedy) };
}
