/** Trying again after failures that pass: a cut connection, an election, a restarting server. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoErrorLabel,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';
import { isSocketError } from '../store/server-errors.js';
import { NotHeld } from './until-held.js';

/**
 * Server errors that pass by themselves: the retryable write errors of the driver specification, and write concern
 * time-outs, after which the same write may be sent again; and 43, a cursor that went with its server. Not among them is 100, a write concern that the
 * set can never reach.
 */
const PASSING_CODES = new Set([
  6, 7, 24, 43, 46, 64, 89, 91, 112, 134, 189, 202, 234, 262, 314, 317, 358, 384, 9001, 10058, 10107, 11600,
  11602, 13388, 13435, 13436, 50915,
]);

/** What the driver says of a client that was closed, or lost its server, under an operation. */
const PASSING_CLASSES = [
  MongoServerSelectionError,
  MongoNetworkError,
  MongoClientClosedError,
  MongoTopologyClosedError,
  MongoServerClosedError,
  MongoNotConnectedError,
  MongoExpiredSessionError,
  MongoOperationTimeoutError,
  NotHeld,
];

/** The same of its pool of connections; the class is not exported. */
const POOL_CLOSED = 'MongoPoolClosedError';

/** The driver wraps whatever ends a `bulkWrite` early, a cut connection for one, in an error of the bulk write: the cause itself. */
export function unwrapped(error: unknown): unknown {
  if (!(error instanceof MongoBulkWriteError)) return error;
  const inner: unknown = error.errorResponse;
  return inner instanceof Error ? inner : error;
}

/** True where the same operation may succeed later without anybody's doing. */
export function isPassing(thrown: unknown): boolean {
  const error = unwrapped(thrown);
  if (PASSING_CLASSES.some((passing) => error instanceof passing) || isSocketError(error)) return true;
  if (error instanceof MongoError && error.name === POOL_CLOSED) return true;
  if (error instanceof MongoServerError && PASSING_CODES.has(Number(error.code))) return true;
  return error instanceof MongoError && error.hasErrorLabel(MongoErrorLabel.RetryableWriteError);
}

/** The end of patience with a failure that was expected to pass. `cause` is the last one. */
export class RetriesExhausted extends Error {
  override readonly name = 'RetriesExhausted';

  constructor(
    override readonly cause: unknown,
    readonly tries: number,
    readonly seconds: number,
  ) {
    super(`gave up after ${tries} attempts in ${seconds} s`, { cause });
  }
}

export interface RetryOptions {
  /** How long to go on trying, in milliseconds from the first failure. Default: {@link DEFAULT_RETRY_MS}. */
  readonly limitMs?: number;
  /** Told of each failure that is followed by another attempt; `tries` counts the failures so far. */
  readonly onRetry?: (error: unknown, tries: number) => void;
  /** True: a failure is final, because nobody waits for the result any more. */
  readonly stopping?: () => boolean;
}

/** Generous: an election takes about ten seconds, a server's recovery a minute. */
export const DEFAULT_RETRY_MS = 120_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3_000;

/**
 * Calls `attempt` until it succeeds, fails for good, or the limit has passed since the first failure; pauses grow
 * twofold with jitter. `attempt` learns how many tries went before.
 * @throws RetriesExhausted, or the failure itself where it is none that passes
 */
export async function withRetry<T>(
  attempt: (tries: number) => Promise<T>,
  { limitMs = DEFAULT_RETRY_MS, onRetry, stopping }: RetryOptions = {},
): Promise<T> {
  let firstFailure: number | undefined;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt(tries);
    } catch (thrown) {
      const error = unwrapped(thrown);
      if (!isPassing(error) || stopping?.()) throw error;
      firstFailure ??= performance.now();
      const passed = performance.now() - firstFailure;
      if (passed >= limitMs) throw new RetriesExhausted(error, tries + 1, Math.round(passed / 1000));
      onRetry?.(error, tries + 1);
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries, limitMs - passed + 1);
      await interruptibleSleep(pause * (0.5 + Math.random() / 2), stopping);
    }
  }
}

/** Sleeps, but not on after a stop was asked for. */
async function interruptibleSleep(ms: number, stopping: () => boolean = () => false): Promise<void> {
  const step = 200;
  for (let left = ms; left > 0 && !stopping(); left -= step) await sleep(Math.min(left, step));
}
