/**
 * Sources of the shards that a load begins with, made while it waits for its target: a thread has
 * nothing else to do then.
 */
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { BucketEncoder, encodeBuckets } from '../encode/bucket.js';
import { BatchBuffer } from '../encode/document.js';
import { buildFleet } from '../fleet/build.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import type { Shard } from '../plan/plan.js';
import type { AheadContext } from './dataset.js';
import { SeriesMemory, Templates } from './series.js';
import { ShardSource } from './source.js';

export class SourcesAhead {
  readonly model: TelemetryModel;
  readonly templates = new Templates();
  readonly #encoder = new BucketEncoder();
  /** By shard. */
  readonly #sources = new Map<string, ShardSource>();

  constructor(
    readonly context: AheadContext,
    /** Records of an insert. */
    readonly batchSize: number,
    /** Of a buffer. */
    readonly headroom: number,
  ) {
    const { fleet, dataset } = context;
    this.model = new TelemetryModel(buildFleet(fleet), dataset.seed);
  }

  /** Makes one source after the other, a day at a time, until somebody wants to use them. */
  async generate(isWanted: () => boolean): Promise<void> {
    const { batchSize } = this;
    const { dataset, shards, asBuckets } = this.context;
    for (const shard of shards) {
      const memory = new SeriesMemory(this.templates);
      const options = { asBuckets, byArrival: true };
      const source = new ShardSource(this.model, dataset, shard, batchSize, memory, options);
      this.#sources.set(shard.id, source);
      do {
        await setImmediate();
        if (isWanted()) return;
      } while (source.generateDay());
      if (asBuckets) this.#encodeFirstInsert(source);
    }
  }

  /** Buckets are small enough to be kept as well. */
  #encodeFirstInsert(source: ShardSource): void {
    const insert = source.makeFirstInsert(new BatchBuffer(this.headroom));
    insert?.keepBuckets(encodeBuckets(insert, this.#encoder));
  }

  /** Whether they are of this dataset. */
  areOf({ dataset, fleet }: Pick<AheadContext, 'dataset' | 'fleet'>): boolean {
    return isDeepStrictEqual(
      { dataset, fleet },
      { dataset: this.context.dataset, fleet: this.context.fleet },
    );
  }

  /**
   * The source of a shard, which has not been used; undefined where there is none, or one of other
   * batches.
   */
  take(shard: Shard, batchSize: number, asBuckets: boolean): ShardSource | undefined {
    if (this.#sources.size === 0) return undefined;
    if (batchSize !== this.batchSize || asBuckets !== this.context.asBuckets) return undefined;
    const source = this.#sources.get(shard.id);
    this.#sources.delete(shard.id);
    // The first shards have all been handed out by now: what is left went to other threads.
    if (!this.context.shards.some(({ id }) => id === shard.id)) this.#sources.clear();
    return source && isDeepStrictEqual(source.shard, shard) ? source : undefined;
  }
}
