/** Hands shards to workers until all are durably done. */
import type { Histogram } from 'node:perf_hooks';
import type { Db } from 'mongodb';
import { waitForStragglers } from '../connect/loader-connections.js';
import { isPassing, RetriesExhausted, withRetry } from '../connect/retry.js';
import type { LoadedShard, WorkerContext, Writer } from '../dataset/dataset.js';
import { ExitStatus, SeedError } from '../errors.js';
import { ShardQueue } from '../plan/order.js';
import type { Plan, Shard } from '../plan/plan.js';
import type { CheckpointStore } from '../runs/checkpoint-store.js';
import type { Lease } from '../runs/lease.js';
import { serverIdentity } from '../store/server.js';
import type { Counters } from '../threads/counters.js';
import type { LoadPool } from './load.js';

/**
 * Makes shards durable. Where there is no database (`--writer none`) there is nothing to make
 * durable.
 */
export interface Checkpoints {
  readonly db: Db;
  readonly store: Pick<CheckpointStore, 'checkpoint'>;
  readonly lease: Lease;
}

/** A worker thread that dies is replaced, and its shard loaded again, this often. */
const SHARD_ATTEMPTS = 3;

/**
 * Each commit makes the server write to disk twice, so shards that end within this time share one.
 * It grows from commit to commit: what a kill costs, the work since the last one, may be more where
 * a load takes long.
 */
const COMMIT_INTERVAL_MS = { first: 200, longest: 1_000 };

interface Loaded {
  readonly shard: Shard;
  readonly result: LoadedShard;
}

export interface DispatcherInput {
  readonly plan: Plan;
  /** Ids of shards that are done already. */
  readonly skipped: ReadonlySet<string>;
  readonly pool: LoadPool;
  readonly context: WorkerContext;
  readonly counters: Counters;
  readonly checkpoints: Checkpoints | undefined;
  /** True where shards of this run may be half loaded. */
  readonly mayHoldRecords: boolean;
  readonly notice: (message: string) => void;
}

export class Dispatcher {
  /** Ids of shards loaded in this session whose checkpoint is durable. */
  readonly done = new Set<string>();
  /** Records that the server did not have before. */
  inserted = 0;
  /** Of each thread: see {@link LoadedShard.latencies}. */
  readonly latencies: Histogram[] = [];
  /** The writer that workers used. */
  writer: Writer | undefined;

  readonly #queue: ShardQueue;
  readonly #uncommitted: Loaded[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #suspect = new Set<string>();
  #failure: { error: unknown } | undefined;
  #committing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #commitInterval = COMMIT_INTERVAL_MS.first;

  constructor(readonly input: DispatcherInput) {
    this.#queue = new ShardQueue(input.plan.shards.filter((shard) => !input.skipped.has(shard.id)));
  }

  /**
   * Resolves when every shard is durable, or when the counters' stop flag has ended the work early.
   */
  async run(): Promise<void> {
    const { pool, counters, checkpoints } = this.input;
    checkpoints?.lease.attach(counters, (error) => this.#fail(error));
    // A shard whose durability turned out doubtful comes back to the queue after worker loops may
    // have ended: go round again.
    do {
      await Promise.all(Array.from({ length: pool.workers * pool.sideBySide }, () => this.#worker()));
      clearTimeout(this.#timer);
      this.#timer = undefined;
      await this.#commit().catch((error) => this.#fail(error));
    } while (this.#queue.size > 0 && !counters.stopping);
    if (this.#failure) throw this.#failure.error;
  }

  /** Keeps one thread of the pool busy. */
  async #worker(): Promise<void> {
    while (!this.input.counters.stopping) {
      const shard = this.#queue.next();
      if (!shard) return;
      await this.#load(shard);
    }
  }

  async #load(shard: Shard): Promise<void> {
    const { pool, context, counters } = this.input;
    const mayHoldRecords = this.input.mayHoldRecords || this.#suspect.has(shard.id);
    const result = await pool.load(shard, mayHoldRecords, context, counters).catch(async (error) => {
      await this.#loadAfterDeath(shard, error).catch((failure) => this.#fail(failure));
    });
    this.#queue.release(shard);
    if (result?.state === 'failed') {
      this.#fail(new SeedError(result.exitStatus, result.message, result.remedy));
    }
    if (result?.state !== 'loaded') return;
    const taken = result.inserted + result.alreadyThere;
    if (taken !== shard.records) {
      return this.#fail(
        new Error(`the server took ${taken} of the ${shard.records} records of shard ${shard.id}`),
      );
    }
    this.inserted += result.inserted;
    this.writer = result.writer;
    if (result.latencies) this.latencies.push(result.latencies);
    this.#uncommitted.push({ shard, result });
    this.#commitSoon();
  }

  /**
   * A task answers for its own failures, so what is thrown is a dead thread. That says nothing
   * about the data: another one repeats the shard.
   */
  async #loadAfterDeath(shard: Shard, error: unknown): Promise<void> {
    const attempts = (this.#attempts.get(shard.id) ?? 0) + 1;
    this.#attempts.set(shard.id, attempts);
    const cause = error instanceof Error ? error.message : String(error);
    if (attempts >= SHARD_ATTEMPTS) {
      throw new SeedError(
        ExitStatus.failure,
        `worker threads die at shard ${shard.id}: ${cause}`,
        'fewer --workers or a smaller --batch-size need less memory',
        { cause: error },
      );
    }
    this.input.notice(`a worker thread died (${cause}): shard ${shard.id} is loaded again`);
    await this.#awaitDeadThreads();
    this.#suspect.add(shard.id);
    this.#queue.putBack(shard);
  }

  /**
   * What a dead thread sent last may still be on its way, and must not arrive after it has been
   * looked for.
   */
  async #awaitDeadThreads(): Promise<void> {
    const { checkpoints, context, pool, counters } = this.input;
    if (!checkpoints || context.dataset.layout === 'flat' || context.writer === 'buckets') return;
    const { db, lease } = checkpoints;
    const gone = await withRetry(
      () =>
        waitForStragglers(db, {
          // Thread 0 is this one.
          isStraggler: ({ loader, thread }) =>
            loader === context.loader && thread > 0 && !pool.threadIds().has(thread),
          limitMs: context.retryMs,
          stopping: () => counters.stopping,
        }),
      lease.retry,
    );
    if (!gone && !counters.stopping)
      throw new Error('the server is still busy with the writes of a dead thread');
  }

  #fail(error: unknown): void {
    const { counters } = this.input;
    const passing = isPassing(error) || error instanceof RetriesExhausted;
    // After an orderly stop was asked for, a server that is away costs no more than the shards that
    // are not committed.
    if (counters.stopping && !this.#failure && passing) return;
    this.#failure ??= { error };
    counters.stop();
  }

  /**
   * Not awaited: the worker goes on with its next shard while the server makes this one durable,
   * together with others.
   */
  #commitSoon(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#commit().catch((error) => this.#fail(error));
    }, this.#commitInterval);
    this.#commitInterval = Math.min(2 * this.#commitInterval, COMMIT_INTERVAL_MS.longest);
  }

  /**
   * Commits what has come together so far; one commit at a time, so that shards that end meanwhile
   * share the next one.
   */
  async #commit(): Promise<void> {
    while (this.#uncommitted.length > 0 && !this.#failure) {
      this.#committing ??= this.#commitBatch(this.#uncommitted.splice(0)).finally(() => {
        this.#committing = undefined;
      });
      await this.#committing;
    }
    await this.#committing;
  }

  /**
   * A journaled majority write covers all writes before it, provided that the server is still the
   * process, in the same term, that took the first of them. Only then is a checkpoint written;
   * other shards are loaded again.
   */
  async #commitBatch(loaded: readonly Loaded[]): Promise<void> {
    const { checkpoints, context } = this.input;
    if (!checkpoints) {
      for (const { shard } of loaded) this.done.add(shard.id);
      return;
    }
    const { db, store, lease } = checkpoints;
    await lease.renew();
    const identity = await withRetry(() => serverIdentity(db), lease.retry);
    const safe = loaded.filter(({ result }) => result.serverIdentity === identity);
    await store.checkpoint(context.runId, safe, lease.guard);
    for (const one of loaded) {
      if (safe.includes(one)) this.done.add(one.shard.id);
      else this.#loadAgain(one.shard);
    }
  }

  #loadAgain(shard: Shard): void {
    this.input.notice(
      `the server restarted or changed while shard ${shard.id} was loaded: it is loaded again`,
    );
    this.#suspect.add(shard.id);
    this.#queue.putBack(shard);
  }
}
