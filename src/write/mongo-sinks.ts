/** The two ways in which records reach MongoDB. Both write the same documents and speak of the outcome in the same way. */
import { type Collection, type Db, type Document, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { unwrapped } from '../connect/retry.js';
import type { Insert } from '../encode/insert.js';
import { ExitStatus, SeedError } from '../errors.js';
import { METRICS } from '../store/names.js';
import type { MakeSequence } from './driver/document-sequence.js';
import { HeldConnection } from './driver/held-connection.js';
import type { Sink, WriteResult } from './sink.js';

/** MongoDB's `w`. */
export type WriteConcernSetting = string | number | undefined;

const DUPLICATE_KEY = 11000;

/** How servers name the index: none at all where a collection is clustered by `_id`. */
const DUPLICATE_ID =
  /^E11000 duplicate key error collection: \S+ (?:index: _id_ )?dup key: \{ _id: ObjectId\('[0-9a-f]{24}'\) \}$/;
const INDEX_NAME = / index: (.+) dup key: /;

interface WriteErrorReply {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
  /** The driver's `bulkWrite` does not hand it on. */
  readonly keyPattern?: Document;
}

/** The fast way: `insert` commands whose documents are bytes as they are. */
export class SequenceSink implements Sink {
  readonly #command: Document;
  /** Those that wait for an insert. */
  readonly #connections: HeldConnection[] = [];
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
      this.#connections.push(new HeldConnection(this.db, this.#command));
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
        const connection = this.#held();
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

  #held(): HeldConnection {
    this.#used = true;
    let connection = this.#connections.pop();
    while (connection && !connection.open) connection = this.#connections.pop();
    return connection ?? new HeldConnection(this.db, this.#command);
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
      const errors = [error.writeErrors]
        .flat()
        .map(({ index, code, errmsg = '' }) => ({ index, code, errmsg }));
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
 * The outcome of an unordered insert. A duplicate of a deterministic `_id` means that a record of this `_id` is there already; any other
 * error of a record, or of the write concern, fails the insert.
 */
function outcome(
  insert: Insert,
  inserted: number,
  writeErrors: readonly WriteErrorReply[],
  writeConcernError: Document | undefined,
): WriteResult {
  const failed = writeErrors.find((error) => !isDuplicateId(insert, error));
  if (failed?.code === DUPLICATE_KEY) throw refusedByIndex(failed);
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
  if (writeErrors.length === 0) return { inserted, alreadyThere: 0 };
  return { inserted, alreadyThere: writeErrors.length, duplicates: writeErrors.map(({ index }) => index) };
}

/** Time-series records have no `_id` that could be there before. */
function isDuplicateId({ layout }: Insert, { code, keyPattern, errmsg }: WriteErrorReply): boolean {
  if (code !== DUPLICATE_KEY || layout !== 'flat') return false;
  if (keyPattern) return Object.keys(keyPattern).join() === '_id';
  return DUPLICATE_ID.test(errmsg);
}

/** Whatever it keeps apart, it is not records of one `_id`. */
function refusedByIndex({ errmsg }: WriteErrorReply): SeedError {
  const name = INDEX_NAME.exec(errmsg)?.[1];
  return new SeedError(
    ExitStatus.targetNotReady,
    `the unique index ${name ?? 'of another key'} of ${METRICS} refuses records of this dataset: ${errmsg.replace(/\s+/g, ' ')}`,
    'drop that index, then go on with --resume, or use another --database',
  );
}
