/**
 * Writes each batch exactly once over a sink that may fail in the middle.
 *
 * In the flat layout that is simple: a record's `_id` is deterministic, so sending it again is harmless. A time-series
 * collection has no unique key, so what may be there already is read first, and only the rest is sent.
 */
import type { Db } from 'mongodb';
import type { Batch } from '../encode/index.js';
import type { Shard } from '../plan/index.js';
import { minutesPresent } from '../store/present.js';
import { withRetry } from './retry.js';
import type { Sink, WriteResult } from './sink.js';

export interface SafeSinkOptions {
  readonly shard: Shard;
  /** True where an earlier attempt, or somebody else, may have written records of this shard. */
  readonly mayHoldRecords: boolean;
  readonly onRetry: (error: unknown, tries: number) => void;
  readonly stopping: () => boolean;
}

export class SafeSink implements Sink {
  /** By metric: minutes that the shard's series holds in the database. */
  readonly #present = new Map<string, ReadonlySet<number>>();

  constructor(
    readonly inner: Sink,
    readonly db: Db,
    readonly options: SafeSinkOptions,
  ) {}

  async write(batch: Batch): Promise<WriteResult> {
    if (batch.layout === 'flat') return this.#retrying(() => this.inner.write(batch));
    return this.#retrying(async (tries) => {
      const rest = await this.#notYetThere(batch, tries > 0);
      const alreadyThere = batch.records - rest.records;
      if (rest.records === 0) return { inserted: 0, alreadyThere };
      const result = await this.inner.write(rest);
      return { inserted: result.inserted, alreadyThere };
    });
  }

  async #notYetThere(batch: Batch, failedBefore: boolean): Promise<Batch> {
    const { shard, mayHoldRecords } = this.options;
    const { assetId, metricName } = batch.series;
    if (failedBefore || (mayHoldRecords && !this.#present.has(metricName))) {
      this.#present.set(metricName, await minutesPresent(this.db, assetId, metricName, shard.from, shard.to));
    }
    const present = this.#present.get(metricName);
    return present ? batch.without(present) : batch;
  }

  #retrying<T>(attempt: (tries: number) => Promise<T>): Promise<T> {
    return withRetry(attempt, this.options.onRetry, this.options.stopping);
  }
}
