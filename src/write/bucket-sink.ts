/**
 * Writes records as the compressed buckets that a time-series collection stores. A bucket's `_id` is made of its series and its
 * first minute, so a bucket that is sent twice is refused the second time.
 */
import { BSON, type Db } from 'mongodb';
import { BucketEncoder, encodeBuckets } from '../encode/bucket.js';
import type { Insert } from '../encode/insert.js';
import { METRIC_BUCKETS } from '../store/names.js';
import type { MakeSequence } from './driver/document-sequence.js';
import {
  duplicatesOf,
  InsertSender,
  repeatsId,
  unaccounted,
  type WriteConcernSetting,
} from './mongo-sinks.js';
import type { Sink, WriteResult } from './sink.js';

/** Of this thread: it is used by one insert at a time, without a pause. */
const encoder = new BucketEncoder();

export class BucketSink implements Sink {
  readonly #sender: InsertSender;

  /** @param single see {@link InsertSender} */
  constructor(db: Db, writeConcern: WriteConcernSetting, single?: MakeSequence) {
    this.#sender = new InsertSender(db, METRIC_BUCKETS, writeConcern, single);
  }

  open(inserts: number): void {
    this.#sender.open(inserts);
  }

  async write(insert: Insert): Promise<WriteResult> {
    const { bytes, buckets } = encodeBuckets(insert, encoder);
    try {
      const reply = await this.#sender.send(bytes);
      const repeated = duplicatesOf(reply, repeatsId).map((index) => buckets[index]);
      if (reply.inserted + repeated.length !== buckets.length) {
        throw unaccounted(insert, reply.inserted, buckets.length);
      }
      if (repeated.length === 0) return { inserted: insert.records, alreadyThere: 0 };
      const alreadyThere = repeated.reduce((sum, { from, to }) => sum + to - from, 0);
      return {
        inserted: insert.records - alreadyThere,
        alreadyThere,
        // Copies: the buffer is used again.
        repeated: repeated.map((bucket) => ({
          ...bucket,
          document: Uint8Array.from(bytes.subarray(bucket.start, bucket.end)),
        })),
      };
    } catch (error) {
      // The broken connection may still hold on to these bytes: they must not change under it.
      insert.buffer.discard();
      throw error;
    }
  }
}

/** Writes without encoding into a message: to measure (`--writer none`). */
export function encodeOnly(insert: Insert): void {
  if (insert.asBuckets) encodeBuckets(insert, encoder);
  else insert.encode();
}

/** The `_id` of an encoded bucket: its first field. */
export function bucketId(document: Uint8Array): BSON.ObjectId {
  return new BSON.ObjectId(document.subarray(9, 21));
}
