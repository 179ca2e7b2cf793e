/** Trying again after failures that pass: a cut connection, an election, a restarting server. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';

/**
 * Server errors that pass by themselves: the retryable write errors of the driver specification, and write concern
 * time-outs, after which the same write may be sent again.
 */
const PASSING_CODES = new Set([
  6, 7, 24, 46, 64, 89, 91, 100, 112, 134, 189, 202, 234, 262, 314, 317, 358, 384, 9001, 10058, 10107, 11600, 11602,
  13388, 13435, 13436, 50915,
]);

/** True where the same operation may succeed later without anybody's doing. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MongoServerSelectionError) return true;
  if (error instanceof MongoNetworkError) return true;
  if (error instanceof MongoServerError) return PASSING_CODES.has(Number(error.code));
  if (error instanceof MongoError) {
    return (
      error.hasErrorLabel(MongoErrorLabel.RetryableWriteError) ||
      error.name === 'MongoPoolClearedError' ||
      error.name === 'MongoTopologyClosedError'
    );
  }
  return false;
}

/** How long to go on trying one operation. Generous: an election takes about ten seconds, a server's recovery a minute. */
export const RETRY_LIMIT_MS = 120_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3_000;

/**
 * Calls `attempt` until it succeeds, fails for good, or {@link RETRY_LIMIT_MS} have passed since the first failure;
 * pauses grow twofold with jitter. `attempt` learns how many tries went before.
 */
export async function withRetry<T>(
  attempt: (tries: number) => Promise<T>,
  onRetry: (error: unknown, tries: number) => void,
  stopping: () => boolean = () => false,
): Promise<T> {
  let firstFailure: number | undefined;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(tries);
    } catch (error) {
      if (!isPassing(error) || stopping()) throw error;
      firstFailure ??= performance.now();
      if (performance.now() - firstFailure > RETRY_LIMIT_MS) throw error;
      onRetry(error, tries);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
      await sleep(pause * (0.5 + Math.random() / 2));
    }
  }
}
