/** Hands shards to workers until all are durably done. */
import type { Db } from 'mongodb';
import { ExitStatus, SeedError } from '../errors.js';
import { type Plan, type Shard, ShardQueue } from '../plan/index.js';
import { serverIdentity } from '../store/identity.js';
import type { Counters } from './counters.js';
import type { WorkerPool } from './pool.js';
import { withRetry } from './retry.js';
import type { LoadedShard, WorkerContext } from './run.js';
import type { RunStore } from './run-store.js';

/** Makes shards durable. Where there is no database (`--writer none`) there is nothing to make durable. */
export interface Checkpoints {
  readonly db: Db;
  readonly store: RunStore;
}

/** A worker thread that dies is replaced, and its shard loaded again, this often. */
const SHARD_ATTEMPTS = 3;

interface Loaded {
  readonly shard: Shard;
  readonly result: LoadedShard;
}

export interface DispatcherInput {
  readonly plan: Plan;
  /** Ids of shards that are done already. */
  readonly skipped: ReadonlySet<string>;
  readonly pool: WorkerPool;
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
  /** The writer that workers used. */
  writer: string | undefined;

  readonly #queue: ShardQueue;
  readonly #uncommitted: Loaded[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #suspect = new Set<string>();
  #failure: { error: unknown } | undefined;
  #committing: Promise<void> | undefined;

  constructor(readonly input: DispatcherInput) {
    this.#queue = new ShardQueue(input.plan.shards.filter((shard) => !input.skipped.has(shard.id)));
  }

  /** Resolves when every shard is durable, or when the counters' stop flag has ended the work early. */
  async run(): Promise<void> {
    const { pool, counters } = this.input;
    // A shard whose durability turned out doubtful comes back to the queue after worker loops may have ended: go round again.
    do {
      await Promise.all(Array.from({ length: pool.workers }, () => this.#worker()));
      await this.#commit();
    } while (this.#queue.size > 0 && !this.#failure && !counters.stopping);
    if (this.#failure) throw this.#failure.error;
  }

  /** Keeps one thread of the pool busy. */
  async #worker(): Promise<void> {
    while (!this.#failure && !this.input.counters.stopping) {
      const shard = this.#queue.next();
      if (!shard) return;
      await this.#load(shard);
    }
  }

  async #load(shard: Shard): Promise<void> {
    try {
      const mayHoldRecords = this.input.mayHoldRecords || this.#suspect.has(shard.id);
      const result = await this.input.pool.run({ context: this.input.context, shard, mayHoldRecords });
      this.#queue.release(shard);
      if (result.state === 'failed') this.#fail(new SeedError(result.exitStatus, result.message, result.remedy));
      if (result.state !== 'loaded') return;
      this.writer = result.writer;
      this.#uncommitted.push({ shard, result });
      // Not awaited: the worker goes on with its next shard while the server makes this one durable.
      void this.#commit().catch((error) => this.#fail(error));
    } catch (error) {
      this.#retryOrFail(shard, error);
    }
  }

  /** A dead thread says nothing about the data: another thread repeats the shard. What the sink reports is final. */
  #retryOrFail(shard: Shard, error: unknown): void {
    const attempts = (this.#attempts.get(shard.id) ?? 0) + 1;
    this.#attempts.set(shard.id, attempts);
    this.#queue.release(shard);
    if (!isThreadDeath(error) || attempts >= SHARD_ATTEMPTS) {
      this.#fail(error);
      return;
    }
    this.input.notice(`a worker thread died (${(error as Error).message}); shard ${shard.id} is loaded again`);
    this.#suspect.add(shard.id);
    this.#queue.putBack(shard);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.input.counters.stop();
  }

  /** Commits what has come together so far; one commit at a time, so that shards that end meanwhile share the next one. */
  async #commit(): Promise<void> {
    while (this.#uncommitted.length > 0) {
      this.#committing ??= this.#commitBatch(this.#uncommitted.splice(0)).finally(() => {
        this.#committing = undefined;
      });
      await this.#committing;
    }
    await this.#committing;
  }

  /**
   * A journaled majority write covers all writes before it, provided that the server is still the process, in the
   * same term, that took the first of them. Only then is a checkpoint written; other shards are loaded again.
   */
  async #commitBatch(loaded: Loaded[]): Promise<void> {
    const { checkpoints, context, notice } = this.input;
    if (!checkpoints) {
      for (const { shard } of loaded) this.done.add(shard.id);
      return;
    }
    const { db, store } = checkpoints;
    const { runId } = context;
    await withRetry(
      async () => {
        if (!(await store.heartbeat(runId))) throw lostHold();
        const identity = await serverIdentity(db);
        const safe = loaded.filter(({ result }) => result.serverIdentity === identity);
        await store.checkpoint(runId, safe);
        for (const one of loaded.splice(0)) {
          if (safe.includes(one)) this.done.add(one.shard.id);
          else this.#loadAgain(one.shard);
        }
      },
      (error) => notice(`checkpoint delayed: ${(error as Error).message}`),
    );
  }

  #loadAgain(shard: Shard): void {
    this.input.notice(`the server restarted or changed while shard ${shard.id} was loaded: it is loaded again`);
    this.#suspect.add(shard.id);
    this.#queue.putBack(shard);
  }
}

function lostHold(): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    'another loader took this run over, because no sign of life of this one reached the server in time',
    'let the other one finish',
  );
}

/** Errors of the thread itself, as opposed to those of its task. */
function isThreadDeath(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return (
    code === 'ERR_WORKER_OUT_OF_MEMORY' ||
    code === 'ERR_WORKER_UNCAUGHT' ||
    /worker (thread )?(exited|terminated)|Worker exited|terminating worker/i.test(String(message))
  );
}
