/**
 * A limit to the wait for an answer. The driver's socket time-out covers the reading of replies, but not a message whose
 * connection closes while it is compressed, or while it waits for the socket to take it: such an operation never ends.
 */
import { type MongoClient, MongoNetworkTimeoutError } from 'mongodb';

/** What an operation may take besides the silence of its socket: a queue for a connection, a message on its way. */
const MARGIN_MS = 2_000;
/** Where the pool was cleared something is wrong with its connections, and a lost operation is more likely than a long one. */
const AFTER_TROUBLE_MS = 10_000;

/** There was no answer in time. The operation may hold a connection of its client for ever. */
export class NoAnswer extends MongoNetworkTimeoutError {}

/** One operation that is waited for. */
interface Waiting {
  readonly since: number;
  readonly expire: (error: NoAnswer) => void;
  timer: NodeJS.Timeout | undefined;
}

export class Patience {
  readonly #waiting = new Set<Waiting>();
  readonly #limitMs: number | undefined;

  /** By the client's own time-outs; without a socket time-out there is a limit only after trouble. */
  constructor(client: MongoClient) {
    const { socketTimeoutMS, serverSelectionTimeoutMS } = client.options;
    this.#limitMs = socketTimeoutMS ? socketTimeoutMS + serverSelectionTimeoutMS + MARGIN_MS : undefined;
    client.on('connectionPoolCleared', () => {
      for (const waiting of this.#waiting) this.#hurry(waiting);
    });
  }

  /** The operation's outcome. @throws NoAnswer where there is none in time */
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
    waiting.expire(new NoAnswer(`no answer within ${seconds} s`));
  }, ms);
}
