/**
 * Bookkeeping: runs, parts, checkpoints. One place says how it is read and written, whatever the
 * connection string asks for. A member that lags would show a living loader as dead and a complete
 * load as unfinished, so it is read from the primary, as a majority of the set has it; and what is
 * written survives a crash.
 */
import {
  type Collection,
  type Db,
  type Document,
  type MongoClient,
  MongoOperationTimeoutError,
  MongoServerError,
  ReadConcern,
} from 'mongodb';
import { ASSETS } from '../store/collections.js';

/** What not every server can do. */
interface Abilities {
  /** Some storage engines know no majority read concern. */
  readonly majorityReads: boolean;
  /** Without one, what was acknowledged can be lost in a crash. */
  readonly journal: boolean;
}

const MAJORITY_READS_OFF = 148;
const BAD_VALUE = 2;
/** No document bears it. */
const NOBODY = 'no-asset';

export class Books {
  readonly #db: Db;

  constructor(
    readonly client: MongoClient,
    readonly databaseName: string,
    readonly abilities: Abilities = { majorityReads: true, journal: true },
  ) {
    this.#db = client.db(databaseName, {
      readPreference: 'primary',
      readConcern: new ReadConcern(abilities.majorityReads ? 'majority' : 'local'),
      writeConcern: durableWrites(abilities.journal),
    });
  }

  /** For reading: asks the server what it can. */
  static async open(client: MongoClient, databaseName: string): Promise<Books> {
    const books = new Books(client, databaseName);
    const majorityReads = await knowsMajorityReads(books);
    return majorityReads ? books : new Books(client, databaseName, { majorityReads, journal: true });
  }

  /** For writing: asks the server whether it keeps a journal, without writing. */
  async forWriting(): Promise<Books> {
    const journal = await keepsJournal(this);
    return journal ? this : new Books(this.client, this.databaseName, { ...this.abilities, journal });
  }

  collection<T extends Document = Document>(name: string): Collection<T> {
    return this.#db.collection<T>(name);
  }
}

/**
 * Survives power loss, and on a replica set the loss of the primary; without a journal, only the
 * latter.
 */
export function durableWrites(journal: boolean): { w: 'majority'; j?: true } {
  return journal ? { w: 'majority', j: true } : { w: 'majority' };
}

async function knowsMajorityReads(books: Books): Promise<boolean> {
  try {
    await books.collection(ASSETS).findOne({}, { projection: { _id: 1 } });
    return true;
  } catch (error) {
    // Whatever else is wrong, the command that is meant will meet it, and say so.
    return !(error instanceof MongoServerError && error.code === MAJORITY_READS_OFF);
  }
}

/** A server without a journal refuses the concern before it looks for anything to delete. */
async function keepsJournal(books: Books): Promise<boolean> {
  try {
    const assets = books.collection<{ _id: string }>(ASSETS);
    await assets.deleteOne({ _id: NOBODY }, { writeConcern: { w: 1, j: true } });
    return true;
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
    return !(error.code === BAD_VALUE && /journal/i.test(error.message));
  }
}

/** Of a write concern: none of that name, never so many members; on a server without members. */
const NEVER = new Set([79, 100, 2]);

/**
 * A concern that can be met, by members that are down or late: a load would wait for them as well.
 */
const PATIENCE_MS = 2_000;

/**
 * @param w as `--write-concern`; undefined: the connection string's, or the server's default
 * @throws the server's error, where no write of that concern will ever be confirmed
 */
export async function refuseUnmetWrites(db: Db, w?: string | number): Promise<void> {
  const concern = w === undefined ? {} : { writeConcern: { w: w as 'majority' | number } };
  try {
    const assets = db.collection<{ _id: string }>(ASSETS);
    await assets.deleteOne({ _id: NOBODY }, { ...concern, timeoutMS: PATIENCE_MS });
  } catch (error) {
    if (error instanceof MongoOperationTimeoutError) return;
    // Whatever else is refused, the writes that are meant will meet, and say so.
    if (error instanceof MongoServerError && !NEVER.has(Number(error.code))) return;
    throw error;
  }
}
