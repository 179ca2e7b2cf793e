/** A loading thread's way to the server, which can be replaced when a write of it has gone astray. */
import type { Db, MongoClient } from 'mongodb';
import type { Batch } from '../encode/index.js';
import type { Sink, WriteResult } from './sink.js';
import { formatLoaderName, type LoaderName, waitForStragglers } from './stragglers.js';

/** How long the server may take over the writes of a broken connection. */
const STRAGGLER_LIMIT_MS = 120_000;

export interface WriterConnectionOptions {
  readonly name: Omit<LoaderName, 'generation'>;
  /** A client whose connections bear the name. */
  readonly makeClient: (appName: string) => MongoClient;
  readonly makeSink: (db: Db) => Sink;
  readonly stopping: () => boolean;
}

export class WriterConnection {
  /** Of the client in use; a failed write names the one it used. */
  generation = 0;
  #client!: MongoClient;
  #db!: Db;
  #sink!: Sink;
  #connecting: Promise<void> | undefined;
  #inFlight = 0;
  #idle: (() => void)[] = [];
  #renewal: Promise<void> | undefined;
  /** True while writes of an earlier client may still be under way. */
  #unsettled = false;

  constructor(readonly options: WriterConnectionOptions) {
    this.#open();
  }

  /** To be used after {@link connected}. */
  get db(): Db {
    return this.#db;
  }

  /** Resolves when the client has reached the server once. A client whose first attempt fails is of no use afterwards: the next call makes another. */
  async connected(): Promise<void> {
    const client = this.#client;
    this.#connecting ??= client.connect().then(
      () => undefined,
      async (error) => {
        await client.close().catch(() => undefined);
        if (client === this.#client) this.#open();
        throw error;
      },
    );
    await this.#connecting;
  }

  /** Sends a batch, after a replacement that is under way; `sentBy` learns the generation of the client that is used. */
  async write(batch: Batch, sentBy?: (generation: number) => void): Promise<WriteResult> {
    await this.connected();
    while (this.#renewal) {
      await this.#renewal.catch(() => undefined);
      await this.connected();
    }
    sentBy?.(this.generation);
    this.#inFlight++;
    try {
      return await this.#sink.write(batch);
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) for (const resume of this.#idle.splice(0)) resume();
    }
  }

  /**
   * Replaces the client of `generation`, unless that has been done; resolves when nothing that was sent through it can still
   * reach the data. Writes that are in flight through it end first, well or not.
   * @throws Error where the server is still busy with them after two minutes
   */
  async renew(generation: number): Promise<void> {
    while (this.#renewal) await this.#renewal.catch(() => undefined);
    if (generation < this.generation && !this.#unsettled) return;
    this.#renewal = this.#replace(generation).finally(() => {
      this.#renewal = undefined;
    });
    await this.#renewal;
  }

  async #replace(generation: number): Promise<void> {
    if (generation === this.generation) {
      if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
      this.#unsettled = true;
      await this.#client.close();
      this.generation++;
      this.#open();
    }
    await this.connected();
    const { name, stopping } = this.options;
    const gone = await waitForStragglers(this.#db, {
      isStraggler: (seen) =>
        seen.loader === name.loader && seen.thread === name.thread && seen.generation < this.generation,
      limitMs: STRAGGLER_LIMIT_MS,
      stopping,
    });
    if (!gone) throw new Error('the server is still busy with the writes of a broken connection');
    this.#unsettled = false;
  }

  #open(): void {
    const { name, makeClient, makeSink } = this.options;
    this.#connecting = undefined;
    this.#client = makeClient(formatLoaderName({ ...name, generation: this.generation }));
    this.#db = this.#client.db(name.database);
    this.#sink = makeSink(this.#db);
  }
}
