/**
 * The two ways in which records reach MongoDB. Both write the same documents and speak of the
 * outcome in the same way.
 */
import { type Collection, type Db, type Document, MongoBulkWriteError, MongoServerError } from 'mongodb';
import { unwrapped } from '../connect/retry.js';
import type { Insert } from '../encode/insert.js';
import { ExitStatus, SeedError } from '../errors.js';
import { METRICS } from '../store/collections.js';
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

export interface WriteErrorReply {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
  /** The driver's `bulkWrite` does not hand it on. */
  readonly keyPattern?: Document;
}

/**
 * Sends `insert` commands whose documents are bytes as they are, over connections of the driver
 * that are held for one after the other.
 */
export abstract class SendingSink implements Sink {
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
    collection: string,
    writeConcern: WriteConcernSetting,
    readonly single?: MakeSequence,
  ) {
    this.#command = { insert: collection, ordered: false };
    if (writeConcern !== undefined) this.#command.writeConcern = { w: writeConcern };
    // Another server may be the primary now, and an insert must not go to one that only believes to
    // be it: the driver has to choose again.
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
    try {
      return await this.send(insert);
    } catch (error) {
      // The broken connection may still hold on to these bytes: they must not change under it.
      insert.buffer.discard();
      throw error;
    }
  }

  /** Encodes an insert, has it {@link sent} and says what became of it. */
  protected abstract send(insert: Insert): Promise<WriteResult>;

  /**
   * @param bytes a buffer that must not change until the reply has come, as {@link MakeSequence}
   * takes it
   */
  protected async sent(bytes: Buffer): Promise<InsertReply> {
    const started = performance.now();
    if (this.single) {
      const reply = await this.db.command({ ...this.#command, documents: this.single(bytes) });
      return replyOf(reply, started);
    }
    const changes = this.#changes;
    const connection = this.#held();
    const reply = await connection.send(bytes);
    if (changes === this.#changes) this.#connections.push(connection);
    else connection.release();
    return replyOf(reply, started);
  }

  #held(): HeldConnection {
    this.#used = true;
    let connection = this.#connections.pop();
    while (connection && !connection.open) connection = this.#connections.pop();
    return connection ?? new HeldConnection(this.db, this.#command);
  }
}

/** What a server says of an insert. */
export interface InsertReply {
  /** Documents. */
  readonly inserted: number;
  readonly writeErrors: readonly WriteErrorReply[];
  readonly writeConcernError: Document | undefined;
  /** Milliseconds from sending the insert to this. */
  readonly sentMs: number;
}

function replyOf({ n, writeErrors, writeConcernError }: Document, started: number): InsertReply {
  const sentMs = performance.now() - started;
  return { inserted: n, writeErrors: writeErrors ?? [], writeConcernError, sentMs };
}

/** The fast way to write documents. */
export class SequenceSink extends SendingSink {
  /** @param single see {@link SendingSink} */
  constructor(db: Db, writeConcern: WriteConcernSetting, single?: MakeSequence) {
    super(db, METRICS, writeConcern, single);
  }

  protected async send(insert: Insert): Promise<WriteResult> {
    return outcome(insert, await this.sent(insert.encode()));
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
    const started = performance.now();
    try {
      const result = await this.#collection.bulkWrite(operations, options);
      return outcome(insert, {
        inserted: result.insertedCount,
        writeErrors: [],
        writeConcernError: undefined,
        sentMs: performance.now() - started,
      });
    } catch (thrown) {
      const error = unwrapped(thrown);
      if (!(error instanceof MongoBulkWriteError)) throw error;
      const errors = [error.writeErrors]
        .flat()
        .map(({ index, code, errmsg = '' }) => ({ index, code, errmsg }));
      const concern = error.result.getWriteConcernError();
      if (errors.length === 0 && !concern) throw error;
      return outcome(insert, {
        inserted: error.insertedCount,
        writeErrors: errors,
        writeConcernError: concern && { code: concern.code, errmsg: concern.errmsg },
        sentMs: performance.now() - started,
      });
    }
  }
}

/**
 * The outcome of an unordered insert. A duplicate of a deterministic `_id` means that a record of
 * this `_id` is there already; any other error of a record, or of the write concern, fails the
 * insert.
 */
function outcome(insert: Insert, reply: InsertReply): WriteResult {
  const duplicates = duplicatesOf(reply, (error) => isDuplicateId(insert, error));
  const { inserted, sentMs } = reply;
  if (inserted + duplicates.length !== insert.records) throw unaccounted(insert, inserted, insert.records);
  return {
    inserted,
    alreadyThere: duplicates.length,
    sentMs,
    ...(duplicates.length > 0 ? { duplicates } : {}),
  };
}

/**
 * Positions of documents whose `_id` the server had before.
 * @throws SeedError, or the server's error, for any other failure of a document or of the write
 *   concern
 */
export function duplicatesOf(
  { writeErrors, writeConcernError }: InsertReply,
  isDuplicate: (error: WriteErrorReply) => boolean,
): number[] {
  const failed = writeErrors.find((error) => !isDuplicate(error));
  if (failed?.code === DUPLICATE_KEY) throw refusedByIndex(failed);
  if (failed) throw new MongoServerError({ code: failed.code, errmsg: failed.errmsg });
  if (writeConcernError) {
    throw new MongoServerError({ code: writeConcernError.code, errmsg: writeConcernError.errmsg });
  }
  return writeErrors.map(({ index }) => index);
}

export function unaccounted({ batches }: Insert, taken: number, sent: number): Error {
  const { assetId, metricName } = batches[0].series;
  return new Error(
    `the server acknowledged ${taken} of ${sent} documents of ${assetId} ${metricName} and named no cause`,
  );
}

/** Time-series records have no `_id` that could be there before. */
function isDuplicateId({ layout }: Insert, error: WriteErrorReply): boolean {
  return layout === 'flat' && repeatsId(error);
}

/** Whether a document was refused because of its `_id`, and of nothing else that is unique. */
export function repeatsId({ code, keyPattern, errmsg }: WriteErrorReply): boolean {
  if (code !== DUPLICATE_KEY) return false;
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
