/**
 * A loading thread's way to the server, which can be replaced when a write of it has gone astray.
 */

import type { Db, MongoClient } from 'mongodb';
import { closeForgotten } from '../connect/driver-internals.js';
import { formatLoaderName, type LoaderName, waitForStragglers } from '../connect/loader-connections.js';
import { Deadline, ReplyTimeout } from '../connect/retry.js';
import type { Writer } from '../dataset/dataset.js';
import type { Insert } from '../encode/insert.js';
import type { OpenedSink, WriteResult } from './sink.js';

/** How long the server may take over the writes of a broken connection. */
const STRAGGLER_LIMIT_MS = 120_000;

export interface WriterConnectionOptions {
  readonly name: Omit<LoaderName, 'generation'>;
  /** A client whose connections bear the name. */
  readonly makeClient: (appName: string) => MongoClient;
  readonly openSink: (db: Db) => OpenedSink;
  readonly stopping: () => boolean;
}

export class WriterConnection {
  /** Of the client in use; a failed write names the one it used. */
  generation = 0;
  #client!: MongoClient;
  #db!: Db;
  #opened!: OpenedSink;
  #deadline!: Deadline;
  #connecting: Promise<void> | undefined;
  /** True for a client that has reached the server. */
  #reached = false;
  #inFlight = 0;
  #idle: (() => void)[] = [];
  #renewal: Promise<void> | undefined;
  /** True while writes of an earlier client may still be under way. */
  #unsettled = false;
  /** True for a client that has lost an operation, and with it one of its connections. */
  #damaged = false;

  constructor(readonly options: WriterConnectionOptions) {
    this.#open();
  }

  /** What the sink in use is called. */
  get writer(): Writer {
    return this.#opened.writer;
  }

  /**
   * Connects, and holds as many connections as inserts will be under way. What fails is for the
   * first insert to meet again.
   */
  async open(connections: number): Promise<void> {
    await this.#ready();
    this.#opened.sink.open?.(connections);
  }

  /** Reads from the database, or asks the server something. */
  async read<T>(use: (db: Db) => Promise<T>): Promise<T> {
    await this.#ready();
    const { generation } = this;
    return this.#deadline.limit(use(this.#db)).catch((error) => {
      this.#noteDamage(error, generation);
      throw error;
    });
  }

  /** Sends an insert; `sentBy` learns the generation of the client that is used. */
  async write(insert: Insert, sentBy?: (generation: number) => void): Promise<WriteResult> {
    // Not awaited as a rule: this is done for every insert.
    if (!this.#isReady) await this.#ready();
    const { generation } = this;
    sentBy?.(generation);
    this.#inFlight++;
    try {
      return await this.#deadline.limit(this.#opened.sink.write(insert));
    } catch (error) {
      this.#noteDamage(error, generation);
      // A lost operation may still hold on to the insert's bytes: they must not change under it.
      if (error instanceof ReplyTimeout) insert.buffer.discard();
      throw error;
    } finally {
      this.#inFlight--;
      if (this.#inFlight === 0) for (const resume of this.#idle.splice(0)) resume();
    }
  }

  /**
   * Replaces the client of `generation`, unless that has been done; resolves when nothing that was
   * sent through it can still reach the data. Writes that are in flight through it end first, well
   * or not.
   * @throws Error where the server is still busy with them after two minutes
   */
  async renew(generation: number): Promise<void> {
    while (this.#renewal) await this.#renewal.catch(() => undefined);
    if (generation < this.generation && !this.#unsettled) return;
    await this.#exclusively(async () => {
      if (generation === this.generation) {
        if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
        await this.#replace();
      }
      await this.#connected();
      await this.#awaitStragglers();
      this.#unsettled = false;
    });
  }

  /** Closes the client in use. What is in flight through it fails. */
  async close(): Promise<void> {
    await new Deadline(this.#client).limit(this.#client.close()).catch(() => undefined);
    closeForgotten(this.#appName);
  }

  get #isReady(): boolean {
    return this.#reached && !this.#renewal && !this.#damaged;
  }

  /**
   * Resolves when there is a client that has reached the server, and no replacement is under way.
   */
  async #ready(): Promise<void> {
    for (;;) {
      if (this.#renewal) await this.#renewal.catch(() => undefined);
      else if (this.#damaged) await this.#exclusively(() => this.#replace());
      else {
        await this.#connected();
        if (this.#isReady) return;
      }
    }
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    this.#renewal = work().finally(() => {
      this.#renewal = undefined;
    });
    await this.#renewal;
  }

  async #replace(): Promise<void> {
    this.#unsettled = true;
    await this.close();
    this.generation++;
    this.#open();
  }

  /**
   * Resolves when the client has reached the server once. One whose first attempt fails is of no
   * use afterwards: another takes its place.
   */
  async #connected(): Promise<void> {
    const client = this.#client;
    this.#connecting ??= client.connect().then(
      () => {
        if (client === this.#client) this.#reached = true;
      },
      async (error) => {
        await client.close().catch(() => undefined);
        if (client === this.#client) this.#open();
        throw error;
      },
    );
    await this.#connecting;
  }

  async #awaitStragglers(): Promise<void> {
    const { name, stopping } = this.options;
    const gone = await waitForStragglers(this.#db, {
      isStraggler: ({ loader, thread, generation }) =>
        loader === name.loader && thread === name.thread && generation < this.generation,
      limitMs: STRAGGLER_LIMIT_MS,
      stopping,
      deadline: this.#deadline,
    });
    if (!gone) throw new Error('the server is still busy with the writes of a broken connection');
  }

  /** Of the client in use. */
  get #appName(): string {
    return formatLoaderName({ ...this.options.name, generation: this.generation });
  }

  #noteDamage(error: unknown, generation: number): void {
    if (error instanceof ReplyTimeout && generation === this.generation) this.#damaged = true;
  }

  #open(): void {
    const { name, makeClient, openSink } = this.options;
    this.#connecting = undefined;
    this.#reached = false;
    this.#damaged = false;
    this.#client = makeClient(this.#appName);
    this.#deadline = new Deadline(this.#client);
    this.#db = this.#client.db(name.database);
    this.#opened = openSink(this.#db);
  }
}
