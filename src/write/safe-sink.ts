/**
 * Writes each record exactly once over a connection that may fail in the middle.
 *
 * In the flat layout and for compressed buckets that is simple: an `_id` is deterministic, so sending
 * it again is harmless. Measurements of a time-series collection have no unique key. So after a
 * failure whose outcome nobody knows, the connection is replaced, the server is given time to finish
 * what came through it, what is there is read, and only the rest is sent.
 *
 * What is there counts as written only where it is the record itself: one of the same series and
 * minute with another value is somebody else's, and fails the load.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Db, type Document, MongoServerError, type ObjectId } from 'mongodb';
import { type RetryOptions, withRetry } from '../connect/retry.js';
import { flatDocument, recordId } from '../encode/document.js';
import type { Batch, Insert } from '../encode/insert.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Shard } from '../plan/plan.js';
import { METRIC_BUCKETS, METRICS } from '../store/collections.js';
import { NotHeld } from '../threads/counters.js';
import { bucketId, type RepeatedBucket, type Sink, type WriteResult } from './sink.js';
import type { WriterConnection } from './writer-connection.js';

export interface SafeSinkOptions {
  readonly shard: Shard;
  /** True where an earlier attempt, or somebody else, may have written records of this shard. */
  readonly mayHoldRecords: boolean;
  /** True: a record that is there stays, whatever it holds. */
  readonly keepsOthers: boolean;
  readonly retry: RetryOptions;
  /**
   * Resolves when this loader may write, not while another one could have taken its run over;
   * undefined where it may.
   */
  readonly untilHeld: () => Promise<void> | undefined;
}

export class SafeSink implements Sink {
  /**
   * By metric and which of two records: what the shard's series holds in the database, by
   * milliseconds since the epoch.
   */
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
      if (insert.isKeyed) return this.#writeKeyed(insert);
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
        return { inserted: result.inserted, alreadyThere, sentMs: result.sentMs };
      } catch (error) {
        failed = true;
        // A reply, even of refusal, says that the server has done with the insert. What was held
        // back has not been sent.
        const isSettled = error instanceof MongoServerError || error instanceof NotHeld;
        if (!isSettled) astray = sentBy;
        throw error;
      }
    }, this.options.retry);
  }

  async #writeKeyed(insert: Insert): Promise<WriteResult> {
    const result = await this.connection.write(insert);
    if (result.repeated) await this.#refuseOtherBuckets(result.repeated);
    if (!result.duplicates || this.options.keepsOthers) return result;
    for (const picked of pick(insert, result.duplicates)) {
      const { first, last } = idRange(picked);
      refuseOtherDocuments(picked, await this.connection.read((db) => documentsPresent(db, first, last)));
    }
    return result;
  }

  /**
   * A bucket is there when its very bytes are, or, where others have written to it as well, its
   * records.
   */
  async #refuseOtherBuckets(repeated: readonly RepeatedBucket[]): Promise<void> {
    const stored = await this.connection.read((db) =>
      bucketsPresent(
        db,
        repeated.map(({ document }) => bucketId(document)),
      ),
    );
    for (const { document, batch, from, to } of repeated) {
      const found = stored.get(bucketId(document).toHexString());
      if (found?.equals(document)) continue;
      const { assetId, metricName } = batch.series;
      const present = await this.connection.read((db) =>
        valuesPresent(db, assetId, metricName, batch.msAt(from), batch.msAt(to - 1) + 1),
      );
      refuseOtherValues(batch, present, from, to);
    }
  }

  async #notYetThere(insert: Insert, failedBefore: boolean): Promise<Insert | undefined> {
    const { shard, mayHoldRecords, keepsOthers } = this.options;
    for (const batch of insert.batches) {
      const { assetId, metricName } = batch.series;
      const key = batch.key;
      if (!failedBefore && !(mayHoldRecords && !this.#present.has(key))) continue;
      const [from, to] = [shard.from, shard.to].map((minute) => minute * MS_PER_MINUTE);
      const present = await this.connection.read((db) =>
        valuesPresent(db, assetId, metricName, from, to, batch.copy),
      );
      this.#present.set(key, present);
    }
    if (!keepsOthers) {
      for (const batch of insert.batches) refuseOtherValues(batch, this.#present.get(batch.key));
    }
    return insert.without(this.#present);
  }
}

// Which records are in the database already, and what they hold.

const MS_PER_MINUTE = 60_000;

/** From the primary, with what it has acknowledged: not what a majority of the set has by now. */
const FRESH = { batchSize: 10_000, readPreference: 'primary', readConcern: { level: 'local' } } as const;

/** What {@link valuesPresent} says of an instant that has several records which differ. */
const SEVERAL = Number.NaN;

/**
 * The values of a time-series series in [from, to), milliseconds since the epoch, by these.
 * @param times how often a record has to be there to count
 */
async function valuesPresent(
  db: Db,
  assetId: string,
  metricName: string,
  from: number,
  to: number,
  times: 1 | 2 = 1,
): Promise<Map<number, unknown>> {
  const cursor = db.collection(METRICS).find(
    {
      'meta.asset_id': assetId,
      'meta.metric_name': metricName,
      timestamp: { $gte: new Date(from), $lt: new Date(to) },
    },
    { ...FRESH, projection: { _id: 0, timestamp: 1, value: 1 } },
  );
  const values = new Map<number, unknown>();
  const once = new Set<number>();
  for await (const { timestamp, value } of cursor) {
    const ms = (timestamp as Date).getTime();
    if (times === 2 && !once.has(ms)) {
      once.add(ms);
      continue;
    }
    const isAnother = values.has(ms) && values.get(ms) !== value;
    values.set(ms, isAnother ? SEVERAL : value);
  }
  return values;
}

/** The bytes of stored buckets, by their `_id` in hexadecimal. */
async function bucketsPresent(db: Db, ids: readonly ObjectId[]): Promise<Map<string, Buffer>> {
  const cursor = db.collection(METRIC_BUCKETS).find({ _id: { $in: [...ids] } }, { ...FRESH, raw: true });
  const buckets = new Map<string, Buffer>();
  for await (const document of cursor) {
    const bytes = document as unknown as Buffer;
    buckets.set(bucketId(bytes).toHexString(), bytes);
  }
  return buckets;
}

/** The documents of the flat layout from one `_id` up to another, by their `_id` in hexadecimal. */
async function documentsPresent(db: Db, first: ObjectId, last: ObjectId): Promise<Map<string, Document>> {
  const cursor = db.collection(METRICS).find({ _id: { $gte: first, $lte: last } }, FRESH);
  const documents = new Map<string, Document>();
  for await (const document of cursor) documents.set(document._id.toHexString(), document);
  return documents;
}

// Tells a record that is there already from one of the same series and minute that is another's:
// "already there" is said of this run's own records alone.

/** Some records of one batch, by their positions in it, rising. */
export interface Picked {
  readonly batch: Batch;
  readonly positions: readonly number[];
}

/** The records at these positions of an insert. */
export function pick(insert: Insert, positions: readonly number[]): Picked[] {
  const rising = [...positions].sort((a, b) => a - b);
  const picked: Picked[] = [];
  let begin = 0;
  for (const batch of insert.batches) {
    const end = begin + batch.records;
    const own = rising.filter((at) => at >= begin && at < end).map((at) => at - begin);
    if (own.length > 0) picked.push({ batch, positions: own });
    begin = end;
  }
  return picked;
}

/** The `_id`s of the first and the last of them. */
function idRange({ batch: { series, ticks }, positions }: Picked) {
  const picked = positions.map((position) => ticks[position]);
  return {
    first: recordId(
      series,
      picked.reduce((least, tick) => Math.min(least, tick)),
    ),
    last: recordId(
      series,
      picked.reduce((most, tick) => Math.max(most, tick)),
    ),
  };
}

/**
 * @param stored documents by their `_id` in hexadecimal. Fields that somebody has added to them are
 *   no matter, and one that is missing here has gone since: the count at the end of the load tells
 * @throws SeedError for a document that is not the record, though it bears its `_id`
 */
export function refuseOtherDocuments(
  { batch, positions }: Picked,
  stored: ReadonlyMap<string, Document>,
): void {
  const { series, ticks, values } = batch;
  for (const position of positions) {
    const tick = ticks[position];
    const found = stored.get(recordId(series, tick).toHexString());
    if (!found) continue;
    const { _id, ...planned } = flatDocument(series, tick, values[position]);
    for (const [field, value] of Object.entries({ ...planned, value: values[position] })) {
      if (!isDeepStrictEqual(found[field], value))
        throw anothers(batch, position, field, found[field], value);
    }
  }
}

/**
 * @param present what is stored of the series, by instant. What is missing of it is no matter: the
 *   count at the end of the load tells
 * @throws SeedError for a record from position `from` on and before `to` that is there with another
 *   value
 */
export function refuseOtherValues(
  batch: Batch,
  present: ReadonlyMap<number, unknown> | undefined,
  from = 0,
  to = batch.records,
): void {
  if (!present || present.size === 0) return;
  const { values } = batch;
  for (let i = from; i < to; i++) {
    const ms = batch.msAt(i);
    const found = present.get(ms);
    if (found === values[i] || !present.has(ms)) continue;
    throw anothers(batch, i, 'value', found, values[i]);
  }
}

function anothers(
  batch: Batch,
  position: number,
  field: string,
  found: unknown,
  planned: unknown,
): SeedError {
  const { assetId, metricName } = batch.series;
  const which = `${assetId} ${metricName} at ${new Date(batch.msAt(position)).toISOString()}`;
  return new SeedError(
    ExitStatus.targetNotReady,
    `${METRICS} holds another record of ${which}: its ${field} is ${shown(found)}, not ${shown(planned)}`,
    'use another --database, or --clean --yes to replace what is there',
  );
}

const LONGEST = 60;

function shown(value: unknown): string {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  // Of a time-series record that is there several times, with several values.
  if (Number.isNaN(value)) return 'not one alone';
  return (typeof value === 'object' ? JSON.stringify(value) : String(value)).slice(0, LONGEST);
}
