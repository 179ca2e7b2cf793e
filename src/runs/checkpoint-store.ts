/** Checkpoints in the target database: which shards of a run are durably done. */
import type { Collection } from 'mongodb';
import type { Books } from '../connect/bookkeeping.js';
import { Deadline, type RetryOptions, withRetry } from '../connect/retry.js';
import type { LoadedShard } from '../dataset/dataset.js';
import { ExitStatus, SeedError } from '../errors.js';
import { instantOf, type Shard } from '../plan/plan.js';
import { makeIndexes } from '../store/collections.js';
import type { Guard } from '../store/schema.js';
import { parseShard, SHARD_INDEXES, SHARDS, type ShardDocument } from './run-document.js';

export class CheckpointStore {
  readonly #shards: Collection<ShardDocument>;
  readonly #deadline: Deadline;

  constructor(
    books: Books,
    readonly retry: RetryOptions,
  ) {
    this.#shards = books.collection<ShardDocument>(SHARDS);
    this.#deadline = new Deadline(books.client);
  }

  /**
   * Makes the collection of checkpoints with its index, while it is empty: a full one's would be
   * built with every member of a set.
   */
  async createIndex(guard: Guard): Promise<void> {
    await this.#trying(() => guard(() => makeIndexes(this.#shards, SHARD_INDEXES)));
  }

  /** Writes the checkpoints of shards whose records are durable. Writing one twice is harmless. */
  async checkpoint(
    runId: string,
    done: readonly { shard: Shard; result: LoadedShard }[],
    guard: Guard,
  ): Promise<void> {
    if (done.length === 0) return;
    const operations = done.map(({ shard, result }) => ({
      replaceOne: {
        filter: { _id: shardKey(runId, shard.id) },
        replacement: {
          run: runId,
          asset: shard.assetId,
          from: instantOf(shard.from),
          to: instantOf(shard.to),
          records: shard.records,
          worker: result.worker,
          ms: Math.round(result.ms),
        },
        upsert: true,
      },
    }));
    await this.#trying(() =>
      guard((limit) => this.#shards.bulkWrite(operations, { ordered: false, ...limit })),
    );
  }

  /**
   * Ids of the shards of a run that are durably done. @throws SeedError for a checkpoint that does
   * not fit the plan.
   */
  async completedShards(runId: string, planned: readonly Shard[]): Promise<Set<string>> {
    const stored = await this.#trying(() => this.#shards.find({ run: runId }).toArray());
    const byKey = new Map(planned.map((shard) => [shardKey(runId, shard.id), shard]));
    const done = new Set<string>();
    for (const checkpoint of stored.map(parseShard)) {
      const shard = byKey.get(checkpoint._id);
      if (!shard || shard.records !== checkpoint.records || +instantOf(shard.to) !== +checkpoint.to) {
        throw new SeedError(
          ExitStatus.failure,
          `checkpoint ${checkpoint._id} of seed_shards does not fit the plan of run ${runId}`,
          'the stored run was changed by hand or by another version; use --clean to start again',
        );
      }
      done.add(shard.id);
    }
    return done;
  }

  #trying<T>(attempt: () => Promise<T>): Promise<T> {
    return withRetry(() => this.#deadline.limit(attempt()), this.retry);
  }
}

function shardKey(runId: string, shardId: string): string {
  return `${runId}:${shardId}`;
}
