/** The two ways in which a batch reaches MongoDB. Both write the same documents and speak of the outcome in the same way. */
import { type Collection, type Db, type Document, MongoBulkWriteError, MongoServerError } from 'mongodb';
import type { Batch } from '../encode/index.js';
import { METRICS } from '../store/names.js';
import type { MakeSequence } from './document-sequence.js';
import { unwrapped } from './retry.js';
import type { Sink, WriteResult } from './sink.js';

/** MongoDB's `w`. */
export type WriteConcernSetting = string | number | undefined;

const DUPLICATE_KEY = 11000;

interface WriteErrorReply {
  readonly code: number;
  readonly errmsg: string;
}

/** The fast way: one `insert` command whose documents are the batch's bytes as they are. */
export class SequenceSink implements Sink {
  constructor(
    readonly db: Db,
    readonly makeSequence: MakeSequence,
    readonly writeConcern: WriteConcernSetting,
  ) {}

  async write(batch: Batch): Promise<WriteResult> {
    const command: Document = {
      insert: METRICS,
      ordered: false,
      documents: this.makeSequence(batch.encode()),
    };
    if (this.writeConcern !== undefined) command.writeConcern = { w: this.writeConcern };
    const reply = await this.db.command(command).catch((error) => {
      // The broken connection may still hold on to these bytes: they must not change under it.
      batch.buffer.discard();
      throw error;
    });
    return outcome(batch, reply.n, reply.writeErrors ?? [], reply.writeConcernError);
  }
}

/** The public way: the driver's unordered `bulkWrite`. */
export class BulkWriteSink implements Sink {
  readonly #collection: Collection;

  constructor(
    db: Db,
    readonly writeConcern: WriteConcernSetting,
  ) {
    this.#collection = db.collection(METRICS);
  }

  async write(batch: Batch): Promise<WriteResult> {
    const operations = batch.documents().map((document) => ({ insertOne: { document } }));
    const options = {
      ordered: false,
      // In the time-series layout documents have no `_id`, and the driver would give them one.
      forceServerObjectId: batch.layout === 'timeseries',
      ...(this.writeConcern === undefined
        ? {}
        : { writeConcern: { w: this.writeConcern as 'majority' | number } }),
    };
    try {
      const result = await this.#collection.bulkWrite(operations, options);
      return outcome(batch, result.insertedCount, [], undefined);
    } catch (thrown) {
      const error = unwrapped(thrown);
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const errors = [error.writeErrors].flat().map((e) => ({ code: e.code, errmsg: e.errmsg ?? '' }));
      const concern = error.result.getWriteConcernError();
      if (errors.length === 0 && !concern) throw error;
      return outcome(
        batch,
        error.insertedCount,
        errors,
        concern && { code: concern.code, errmsg: concern.errmsg },
      );
    }
  }
}

/**
 * The outcome of an unordered insert. A duplicate key on a deterministic `_id` means that the record is there
 * already; any other error of a record, or of the write concern, fails the batch.
 */
function outcome(
  batch: Batch,
  inserted: number,
  writeErrors: readonly WriteErrorReply[],
  writeConcernError: Document | undefined,
): WriteResult {
  const failed = writeErrors.find((error) => error.code !== DUPLICATE_KEY);
  if (failed) throw new MongoServerError({ code: failed.code, errmsg: failed.errmsg });
  if (writeConcernError) {
    throw new MongoServerError({ code: writeConcernError.code, errmsg: writeConcernError.errmsg });
  }
  if (inserted + writeErrors.length !== batch.records) {
    const { assetId, metricName } = batch.series;
    throw new Error(
      `the server acknowledged ${inserted} of ${batch.records} records of ${assetId} ${metricName} and named no cause`,
    );
  }
  return { inserted, alreadyThere: writeErrors.length };
}
