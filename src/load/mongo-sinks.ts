/** The two ways in which records reach MongoDB. Both write the same documents and speak of the outcome in the same way. */
import { type Collection, type Db, type Document, MongoBulkWriteError, MongoServerError } from 'mongodb';
import type { Insert } from '../encode/index.js';
import { METRICS } from '../store/names.js';
import type { MakeSequence } from './document-sequence.js';
import { PinnedConnection } from './pinned-connection.js';
import { unwrapped } from './retry.js';
import type { Sink, WriteResult } from './sink.js';

/** MongoDB's `w`. */
export type WriteConcernSetting = string | number | undefined;

const DUPLICATE_KEY = 11000;

interface WriteErrorReply {
  readonly code: number;
  readonly errmsg: string;
}

/** The fast way: `insert` commands whose documents are bytes as they are. */
export class SequenceSink implements Sink {
  readonly #command: Document;
  /** Those that wait for an insert. */
  readonly #connections: PinnedConnection[] = [];
  /** True once an insert has taken a connection. */
  #used = false;
  /** Counts what the driver has learnt of its servers. */
  #changes = 0;

  /** @param single sends each insert as a command of its own, where no connection can be held */
  constructor(
    readonly db: Db,
    writeConcern: WriteConcernSetting,
    readonly single?: MakeSequence,
  ) {
    this.#command = { insert: METRICS, ordered: false };
    if (writeConcern !== undefined) this.#command.writeConcern = { w: writeConcern };
    // Another server may be the primary now, and an insert must not go to one that only believes to be it: the driver has to choose again.
    db.client.on('serverDescriptionChanged', () => {
      this.#changes++;
      for (const connection of this.#connections.splice(0)) connection.release();
    });
  }

  open(inserts: number): void {
    // With those of inserts under way there would be more than the client has.
    if (this.single || this.#used) return;
    while (this.#connections.length < inserts) {
      this.#connections.push(new PinnedConnection(this.db, this.#command));
    }
  }

  async write(insert: Insert): Promise<WriteResult> {
    const bytes = insert.encode();
    try {
      let reply: Document;
      if (this.single) {
        reply = await this.db.command({ ...this.#command, documents: this.single(bytes) });
      } else {
        const changes = this.#changes;
        const connection = this.#pinned();
        reply = await connection.send(bytes);
        if (changes === this.#changes) this.#connections.push(connection);
        else connection.release();
      }
      return outcome(insert, reply.n, reply.writeErrors ?? [], reply.writeConcernError);
    } catch (error) {
      // The broken connection may still hold on to these bytes: they must not change under it.
      insert.buffer.discard();
      throw error;
    }
  }

  #pinned(): PinnedConnection {
    this.#used = true;
    let connection = this.#connections.pop();
    while (connection && !connection.open) connection = this.#connections.pop();
    return connection ?? new PinnedConnection(this.db, this.#command);
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

  async write(insert: Insert): Promise<WriteResult> {
    const operations = insert.documents().map((document) => ({ insertOne: { document } }));
    const options = {
      ordered: false,
      // In the time-series layout documents have no `_id`, and the driver would give them one.
      forceServerObjectId: insert.layout === 'timeseries',
      ...(this.writeConcern === undefined
        ? {}
        : { writeConcern: { w: this.writeConcern as 'majority' | number } }),
    };
    try {
      const result = await this.#collection.bulkWrite(operations, options);
      return outcome(insert, result.insertedCount, [], undefined);
    } catch (thrown) {
      const error = unwrapped(thrown);
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const errors = [error.writeErrors].flat().map((e) => ({ code: e.code, errmsg: e.errmsg ?? '' }));
      const concern = error.result.getWriteConcernError();
      if (errors.length === 0 && !concern) throw error;
      return outcome(
        insert,
        error.insertedCount,
        errors,
        concern && { code: concern.code, errmsg: concern.errmsg },
      );
    }
  }
}

/**
 * The outcome of an unordered insert. A duplicate key on a deterministic `_id` means that the record is there
 * already; any other error of a record, or of the write concern, fails the insert.
 */
function outcome(
  insert: Insert,
  inserted: number,
  writeErrors: readonly WriteErrorReply[],
  writeConcernError: Document | undefined,
): WriteResult {
  const failed = writeErrors.find((error) => error.code !== DUPLICATE_KEY);
  if (failed) throw new MongoServerError({ code: failed.code, errmsg: failed.errmsg });
  if (writeConcernError) {
    throw new MongoServerError({ code: writeConcernError.code, errmsg: writeConcernError.errmsg });
  }
  if (inserted + writeErrors.length !== insert.records) {
    const { assetId, metricName } = insert.batches[0].series;
    throw new Error(
      `the server acknowledged ${inserted} of ${insert.records} records of ${assetId} ${metricName} and named no cause`,
    );
  }
  return { inserted, alreadyThere: writeErrors.length };
}
