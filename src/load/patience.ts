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

export class Patience {
  readonly #waiting = new Set<(ms: number) => void>();
  readonly #limitMs: number | undefined;

  /** By the client's own time-outs; without a socket time-out there is a limit only after trouble. */
  constructor(client: MongoClient) {
    const { socketTimeoutMS, serverSelectionTimeoutMS } = client.options;
    this.#limitMs = socketTimeoutMS ? socketTimeoutMS + serverSelectionTimeoutMS + MARGIN_MS : undefined;
    client.on('connectionPoolCleared', () => {
      for (const hurry of this.#waiting) hurry(AFTER_TROUBLE_MS);
    });
  }

  /** The operation's outcome. @throws NoAnswer where there is none in time */
  async limit<T>(operation: Promise<T>): Promise<T> {
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    let expire: (error: Error) => void;
    const expired = new Promise<never>((_, reject) => {
      expire = reject;
    });
    const within = (ms: number) => {
      clearTimeout(timer);
      const seconds = () => Math.round((performance.now() - started) / 1000);
      timer = setTimeout(() => expire(new NoAnswer(`no answer within ${seconds()} s`)), ms);
    };
    const hurry = (ms: number) => {
      const left = this.#limitMs === undefined ? ms : this.#limitMs - (performance.now() - started);
      within(Math.min(ms, left));
    };
    this.#waiting.add(hurry);
    if (this.#limitMs !== undefined) within(this.#limitMs);
    try {
      return await Promise.race([operation, expired]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(hurry);
    }
  }
}
