/** A sink: where records go, and how a shard is driven there. Its slowness holds the source back. */

import { BSON, type Db } from 'mongodb';
import type { WriterKind } from '../config/settings.js';
import type { DriverConnectionType } from '../connect/driver-internals.js';
import type { Writer } from '../dataset/dataset.js';
import type { ShardSource } from '../dataset/source.js';
import { BucketEncoder, type EncodedBucket, encodeBuckets } from '../encode/bucket.js';
import { BatchBuffer } from '../encode/document.js';
import type { Insert } from '../encode/insert.js';
import { METRIC_BUCKETS } from '../store/collections.js';
import { loadDocumentSequence, type MakeSequence } from './driver/document-sequence.js';
import { holdableConnections } from './driver/held-connection.js';
import {
  BulkWriteSink,
  duplicatesOf,
  repeatsId,
  SendingSink,
  SequenceSink,
  unaccounted,
  type WriteConcernSetting,
} from './mongo-sinks.js';

/** What became of an insert: every record of it is either new or was there before. */
export interface WriteResult {
  readonly inserted: number;
  readonly alreadyThere: number;
  /** Milliseconds from sending the insert to its answer; absent where nothing was sent. */
  readonly sentMs?: number;
  /** Positions, in the insert, of records whose `_id` the server had before. */
  readonly duplicates?: readonly number[];
  /** Buckets whose `_id` the server had before. */
  readonly repeated?: readonly RepeatedBucket[];
}

/** A bucket that the server has, with whatever content. */
export interface RepeatedBucket extends EncodedBucket {
  readonly document: Uint8Array;
}

export interface Sink {
  /**
   * Resolves when every record is acknowledged; rejects when that cannot be reached. Called for
   * several inserts side by side, never for two with one series.
   */
  write(insert: Insert): Promise<WriteResult>;
  /** Makes ready for so many inserts side by side, where that saves time later. */
  open?(inserts: number): void;
}

/** Encodes and throws away: measures the model and the encoder alone (`--writer none`). */
export const nullSink: Sink = {
  async write(insert) {
    insert.encode();
    return { inserted: insert.records, alreadyThere: 0 };
  },
};

// Chooses the sink for a writer's name, falling back where the fast one cannot be had.

/** How to send ready bytes, and over which connections of the driver. */
export interface Sequence {
  readonly make: MakeSequence;
  /**
   * Of the client that sends; the message where this version of the driver's connections cannot be
   * held.
   */
  readonly connectionType: DriverConnectionType | string;
}

/** A string is the reason why ready bytes cannot be sent. */
export type LoadedSequence = Sequence | string;

/** Prepares the driver of this thread for the fast writer; once for a thread. */
export async function loadSequence(): Promise<LoadedSequence> {
  try {
    const make = await loadDocumentSequence();
    const connectionType = await holdableConnections(make).catch((error: Error) => error.message);
    return { make, connectionType };
  } catch (error) {
    return (error as Error).message;
  }
}

/** A sink, and how it writes. */
export interface OpenedSink {
  readonly sink: Sink;
  readonly writer: Writer;
}

/** `writer` says which one was taken and, after a fallback, why. */
export function openSink(
  db: Db | undefined,
  kind: WriterKind,
  writeConcern: WriteConcernSetting,
  sequence: LoadedSequence,
): OpenedSink {
  if (!db || kind === 'none') return { sink: nullSink, writer: { kind: 'none' } };
  if (kind === 'bulkwrite') return { sink: new BulkWriteSink(db, writeConcern), writer: { kind } };
  if (typeof sequence === 'string') {
    if (kind === 'buckets') throw new Error(`buckets cannot be sent: ${sequence}`);
    const writer = { kind: 'bulkwrite', reason: sequence } as const;
    return { sink: new BulkWriteSink(db, writeConcern), writer };
  }
  const { make, connectionType } = sequence;
  const Sequenced = kind === 'buckets' ? BucketSink : SequenceSink;
  if (connectsBy(connectionType, db)) return { sink: new Sequenced(db, writeConcern), writer: { kind } };
  const why = typeof connectionType === 'string' ? connectionType : 'its connections are of another type';
  const reason = `a command for each insert: ${why}`;
  return { sink: new Sequenced(db, writeConcern, make), writer: { kind, reason } };
}

/** Whether a database's client makes connections of this type. */
function connectsBy(connectionType: Sequence['connectionType'], db: Db): boolean {
  const { options } = db.client as { options: { readonly connectionType?: unknown } };
  return options.connectionType === connectionType;
}

// Writes records as the compressed buckets that a time-series collection stores. A bucket's `_id`
// is made of its series and its first minute, so a bucket that is sent twice is refused the second
// time.

/** Of this thread: it is used by one insert at a time, without a pause. */
const encoder = new BucketEncoder();

class BucketSink extends SendingSink {
  /** @param single see {@link SendingSink} */
  constructor(db: Db, writeConcern: WriteConcernSetting, single?: MakeSequence) {
    super(db, METRIC_BUCKETS, writeConcern, single);
  }

  protected async send(insert: Insert): Promise<WriteResult> {
    const { bytes, buckets } = insert.takeBuckets() ?? encodeBuckets(insert, encoder);
    const reply = await this.sent(bytes);
    const { sentMs } = reply;
    const repeated = duplicatesOf(reply, repeatsId).map((index) => buckets[index]);
    if (reply.inserted + repeated.length !== buckets.length) {
      throw unaccounted(insert, reply.inserted, buckets.length);
    }
    if (repeated.length === 0) return { inserted: insert.records, alreadyThere: 0, sentMs };
    const alreadyThere = repeated.reduce((sum, { from, to }) => sum + to - from, 0);
    return {
      inserted: insert.records - alreadyThere,
      alreadyThere,
      sentMs,
      // Copies: the buffer is used again.
      repeated: repeated.map((bucket) => ({
        ...bucket,
        document: Uint8Array.from(bytes.subarray(bucket.start, bucket.end)),
      })),
    };
  }
}

/** The `_id` of an encoded bucket: its first field. */
export function bucketId(document: Uint8Array): BSON.ObjectId {
  return new BSON.ObjectId(document.subarray(9, 21));
}

// Drives one shard from its source to its sink.

const MS_PER_MINUTE = 60_000;

/** Who asks the loop to stop or to wait, and is told of its inserts. */
export interface LoopHooks {
  readonly stopping: () => boolean;
  /** Resolves when so many records may be sent; undefined where they may at once. */
  readonly turn: (records: number) => Promise<void> | undefined;
  /** @param sentMs see {@link WriteResult} */
  readonly acknowledged: (
    records: number,
    sentMs: number | undefined,
    metricName: string,
    minute: number,
  ) => void;
}

/**
 * Batch buffers, used again and again: the loop waits for a free one, so memory stays flat however
 * slow the sink is.
 */
export class BufferPool {
  readonly #free: BatchBuffer[];
  readonly #waiting: ((buffer: BatchBuffer) => void)[] = [];

  constructor(count: number, headroom: number) {
    this.#free = Array.from({ length: count }, () => new BatchBuffer(headroom));
  }

  /** A free buffer, as soon as there is one. */
  async take(): Promise<BatchBuffer> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  give(buffer: BatchBuffer): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#free.push(buffer);
  }
}

/**
 * Writes all batches of a shard, a few inserts side by side but of one series only one at a time,
 * so that each series reaches the server in time order. Stops early when `stopping()` says so,
 * after the inserts in flight.
 */
export async function loadShard(
  source: ShardSource,
  sink: Sink,
  buffers: BufferPool,
  { stopping, turn, acknowledged }: LoopHooks,
): Promise<WriteResult & { readonly complete: boolean }> {
  const inFlight = new Map<string, Promise<void>>();
  let inserted = 0;
  let alreadyThere = 0;
  let failure: { error: unknown } | undefined;
  let stopped = false;

  for (let metric = source.nextMetric; metric !== undefined; metric = source.nextMetric) {
    // First the series, then the buffer: a buffer that waits for its series would be missing
    // elsewhere.
    await inFlight.get(metric);
    const buffer = await buffers.take();
    const insert =
      failure || stopping() ? undefined : source.nextInsert(buffer, (metricName) => inFlight.has(metricName));
    await (insert && turn(insert.records));
    if (!insert || stopping()) {
      stopped = true;
      buffers.give(buffer);
      break;
    }
    const write = sink.write(insert).then(
      (result) => {
        inserted += result.inserted;
        alreadyThere += result.alreadyThere;
        const [batch] = insert.batches;
        const minute = Math.floor(batch.msAt(batch.records - 1) / MS_PER_MINUTE);
        acknowledged(insert.records, result.sentMs, batch.series.metricName, minute);
      },
      (error: unknown) => {
        failure ??= { error };
      },
    );
    const metricNames = insert.batches.map(({ series }) => series.metricName);
    const done = write.then(() => {
      buffers.give(buffer);
      for (const metricName of metricNames) inFlight.delete(metricName);
    });
    for (const metricName of metricNames) inFlight.set(metricName, done);
  }
  await Promise.all(inFlight.values());
  if (failure) throw failure.error;
  return { complete: !stopped && source.nextMetric === undefined, inserted, alreadyThere };
}
