/**
 * Writes each record exactly once over a connection that may fail in the middle.
 *
 * In the flat layout that is simple: a record's `_id` is deterministic, so sending it again is harmless. A time-series
 * collection has no unique key. So after a failure whose outcome nobody knows, the connection is replaced, the server is given time to
 * finish what came through it, what is there is read, and only the rest is sent.
 *
 * What is there counts as written only where it is the record itself: one of the same series and minute with another value is
 * somebody else's, and fails the load.
 */
import { MongoServerError } from 'mongodb';
import type { Insert } from '../encode/index.js';
import type { Shard } from '../plan/index.js';
import { documentsPresent, valuesPresent } from '../store/present.js';
import { idRange, pick, refuseOtherDocuments, refuseOtherValues } from './own-records.js';
import { type RetryOptions, withRetry } from './retry.js';
import type { Sink, WriteResult } from './sink.js';
import { NotHeld } from './until-held.js';
import type { WriterConnection } from './writer-connection.js';

export interface SafeSinkOptions {
  readonly shard: Shard;
  /** True where an earlier attempt, or somebody else, may have written records of this shard. */
  readonly mayHoldRecords: boolean;
  /** True: a record that is there stays, whatever it holds. */
  readonly keepsOthers: boolean;
  readonly retry: RetryOptions;
  /** Resolves when this loader may write, not while another one could have taken its run over; undefined where it may. */
  readonly untilHeld: () => Promise<void> | undefined;
}

export class SafeSink implements Sink {
  /** By metric: what the shard's series holds in the database, by minute. */
  readonly #present = new Map<string, ReadonlyMap<number, unknown>>();

  constructor(
    readonly connection: WriterConnection,
    readonly options: SafeSinkOptions,
  ) {}

  async write(insert: Insert): Promise<WriteResult> {
    let astray: number | undefined;
    let failed = false;
    return withRetry(async () => {
      const held = this.options.untilHeld();
      if (held) await held;
      if (insert.layout === 'flat') return this.#writeKeyed(insert);
      if (astray !== undefined) {
        await this.connection.renew(astray);
        astray = undefined;
      }
      const rest = await this.#notYetThere(insert, failed);
      if (!rest) return { inserted: 0, alreadyThere: insert.records };
      const alreadyThere = insert.records - rest.records;
      let sentBy = 0;
      try {
        const result = await this.connection.write(rest, (generation) => {
          sentBy = generation;
        });
        return { inserted: result.inserted, alreadyThere };
      } catch (error) {
        failed = true;
        // A reply, even of refusal, says that the server has done with the insert. What was held back has not been sent.
        const isSettled = error instanceof MongoServerError || error instanceof NotHeld;
        if (!isSettled) astray = sentBy;
        throw error;
      }
    }, this.options.retry);
  }

  async #writeKeyed(insert: Insert): Promise<WriteResult> {
    const result = await this.connection.write(insert);
    if (!result.duplicates || this.options.keepsOthers) return result;
    for (const picked of pick(insert, result.duplicates)) {
      const { first, last } = idRange(picked);
      refuseOtherDocuments(picked, await this.connection.read((db) => documentsPresent(db, first, last)));
    }
    return result;
  }

  async #notYetThere(insert: Insert, failedBefore: boolean): Promise<Insert | undefined> {
    const { shard, mayHoldRecords, keepsOthers } = this.options;
    for (const { series } of insert.batches) {
      const { assetId, metricName } = series;
      if (!failedBefore && !(mayHoldRecords && !this.#present.has(metricName))) continue;
      const present = await this.connection.read((db) =>
        valuesPresent(db, assetId, metricName, shard.from, shard.to),
      );
      this.#present.set(metricName, present);
    }
    if (!keepsOthers) refuseOtherValues(insert, this.#present);
    return insert.without(this.#present);
  }
}
