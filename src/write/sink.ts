/** A sink: where records go. Its slowness holds the source back. */
import { BSON, type Db } from 'mongodb';
import type { WriterKind } from '../config/settings.js';
import type { DriverConnectionType } from '../connect/driver-internals.js';
import type { Writer } from '../dataset/dataset.js';
import { BucketEncoder, type EncodedBucket, encodeBuckets } from '../encode/bucket.js';
import type { Insert } from '../encode/insert.js';
import { METRIC_BUCKETS } from '../store/names.js';
import { holdableConnections } from './driver/connection-type.js';
import { loadDocumentSequence, type MakeSequence } from './driver/document-sequence.js';
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
