/** Trying again after failures that pass: a cut connection, an election, a restarting server. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  MongoBulkWriteError,
  type MongoClient,
  MongoClientClosedError,
  MongoError,
  MongoErrorLabel,
  MongoExpiredSessionError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoNotConnectedError,
  MongoOperationTimeoutError,
  MongoServerClosedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
} from 'mongodb';
import { maskUris } from '../config/uri.js';
import { SeedError } from '../errors.js';
import { NotHeld } from '../threads/counters.js';
import { isSocketError } from './server-errors.js';

// A limit to the wait for an answer. The driver's socket time-out covers the reading of replies,
// but not a message whose connection closes while it is compressed, or while it waits for the
// socket to take it: such an operation never ends.

/**
 * What an operation may take besides the silence of its socket: a queue for a connection, a message
 * on its way.
 */
const MARGIN_MS = 2_000;
/**
 * Where the pool was cleared something is wrong with its connections, and a lost operation is more
 * likely than a long one.
 */
const AFTER_TROUBLE_MS = 10_000;

/** There was no answer in time. The operation may hold a connection of its client for ever. */
export class ReplyTimeout extends MongoNetworkTimeoutError {}

/** One operation that is waited for. */
interface Waiting {
  readonly since: number;
  readonly expire: (error: ReplyTimeout) => void;
  timer: NodeJS.Timeout | undefined;
}

export class Deadline {
  readonly #waiting = new Set<Waiting>();
  readonly #limitMs: number | undefined;

  /**
   * By the client's own time-outs; without a socket time-out there is a limit only after trouble.
   */
  constructor(client: MongoClient) {
    const { socketTimeoutMS, serverSelectionTimeoutMS } = client.options;
    this.#limitMs = socketTimeoutMS ? socketTimeoutMS + serverSelectionTimeoutMS + MARGIN_MS : undefined;
    client.on('connectionPoolCleared', () => {
      for (const waiting of this.#waiting) this.#hurry(waiting);
    });
  }

  /** The operation's outcome. @throws ReplyTimeout where there is none in time */
  limit<T>(operation: Promise<T>): Promise<T> {
    // One promise and no timer as a rule: this is done for every insert.
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { since: performance.now(), expire: reject, timer: undefined };
      this.#waiting.add(waiting);
      if (this.#limitMs !== undefined) expireWithin(waiting, this.#limitMs);
      operation.then(
        (result) => {
          this.#end(waiting);
          resolve(result);
        },
        (error) => {
          this.#end(waiting);
          reject(error);
        },
      );
    });
  }

  #hurry(waiting: Waiting): void {
    const limit = this.#limitMs ?? Number.POSITIVE_INFINITY;
    expireWithin(waiting, Math.min(AFTER_TROUBLE_MS, limit - (performance.now() - waiting.since)));
  }

  #end(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    this.#waiting.delete(waiting);
  }
}

function expireWithin(waiting: Waiting, ms: number): void {
  clearTimeout(waiting.timer);
  waiting.timer = setTimeout(() => {
    const seconds = Math.round((performance.now() - waiting.since) / 1000);
    waiting.expire(new ReplyTimeout(`no answer within ${seconds} s`));
  }, ms);
}

/**
 * Server errors that pass by themselves: the retryable write errors of the driver specification,
 * and write concern time-outs, after which the same write may be sent again; and 43, a cursor that
 * went with its server. Not among them is 100, a write concern that the set can never reach.
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

/**
 * The driver wraps whatever ends a `bulkWrite` early, a cut connection for one, in an error of the
 * bulk write: the cause itself.
 */
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
  /**
   * How long to go on trying, in milliseconds from the first failure. Default: {@link
   * DEFAULT_RETRY_MS}.
   */
  readonly limitMs?: number;
  /**
   * Told of each failure that is followed by another attempt; `tries` counts the failures so far.
   */
  readonly onRetry?: (error: unknown, tries: number) => void;
  /** True: a failure is final, because nobody waits for the result any more. */
  readonly stopping?: () => boolean;
}

/** Generous: an election takes about ten seconds, a server's recovery a minute. */
const DEFAULT_RETRY_MS = 120_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 3_000;

/**
 * Calls `attempt` until it succeeds, fails for good, or the limit has passed since the first
 * failure; pauses grow twofold with jitter. `attempt` learns how many tries went before.
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

// Failures of a load, as the user reads them.

/** Explains a failure by its cause; after vain retries, with their number and time. */
export function explainFailure(error: unknown, explain: (cause: unknown) => unknown): unknown {
  if (!(error instanceof RetriesExhausted)) return explain(unwrapped(error));
  const cause = explain(error.cause);
  if (!(cause instanceof SeedError)) return cause;
  return new SeedError(cause.exitStatus, `${cause.message} (${error.message})`, cause.remedy, { cause });
}

// Counts retries and says them aloud, without a line for each of a hundred that have one cause.

/** One notice for a cause in this time; the next one says how many there were in between. */
const QUIET_MS = 5_000;

/** A retry as a worker thread reports it to the main thread. */
export interface RetryMessage {
  readonly retry: { readonly what: string; readonly cause: string };
}

/** The message for a retry of `what`. */
export function retryMessage(what: string, error: unknown): RetryMessage {
  return { retry: { what, cause: error instanceof Error ? error.message : String(error) } };
}

export function isRetryMessage(message: unknown): message is RetryMessage {
  return typeof message === 'object' && message !== null && 'retry' in message;
}

export class RetryLog {
  /** Retries noted so far. */
  count = 0;
  readonly #said = new Map<string, { at: number; since: number }>();

  constructor(readonly notice: (message: string) => void) {}

  /** Notes that `what` failed and is tried again. */
  note(what: string, error: unknown): void {
    this.noteMessage(retryMessage(what, error));
  }

  /** The same, from another thread. */
  noteMessage({ retry: { what, cause } }: RetryMessage): void {
    this.count++;
    // Connection numbers and addresses differ from one message of a kind to the next.
    const kind = cause.replace(/\d+/g, '#');
    const said = this.#said.get(kind);
    const now = performance.now();
    if (said && now - said.at < QUIET_MS) {
      said.since++;
      return;
    }
    const more = said && said.since > 0 ? ` (and ${said.since} more like it)` : '';
    this.#said.set(kind, { at: now, since: 0 });
    this.notice(`trying again: ${what}: ${maskUris(cause.replace(/\s+/g, ' ').trim())}${more}`);
  }
}
