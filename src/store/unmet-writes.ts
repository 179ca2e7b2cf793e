/** Whether a server can confirm writes as it is asked to, found out by one that writes nothing. */
import { type Db, MongoOperationTimeoutError, MongoServerError } from 'mongodb';
import type { ServerFacts } from '../inspect/inspect.js';
import { refuseWriteConcern } from '../inspect/obstacles.js';
import { RUNS } from './names.js';

/** No document bears it. */
const NOBODY = 'no-run';
/** A concern that can be met, by members that are down or late: a load would wait for them as well. */
const PATIENCE_MS = 2_000;
/** Of a write concern: none of that name, never so many members; on a server without members. */
const NEVER = new Set([79, 100, 2]);

/**
 * Looks at the write concerns of a load: the one that was chosen, for its records, and for the rest that of the connection string or
 * the server's default.
 * @throws SeedError, or the server's error, for one that can never be met
 */
export async function refuseWriteConcerns(
  db: Db,
  server: ServerFacts,
  chosen: string | number | undefined,
): Promise<void> {
  refuseWriteConcern(server, chosen);
  if (chosen !== undefined) await refuseUnmetWrites(db, chosen);
  await refuseUnmetWrites(db);
}

/**
 * @param w as `--write-concern`; undefined: the connection string's, or the server's default
 * @throws the server's error, where no write of that concern will ever be confirmed
 */
export async function refuseUnmetWrites(db: Db, w?: string | number): Promise<void> {
  const concern = w === undefined ? {} : { writeConcern: { w: w as 'majority' | number } };
  try {
    const runs = db.collection<{ _id: string }>(RUNS);
    await runs.deleteOne({ _id: NOBODY }, { ...concern, timeoutMS: PATIENCE_MS });
  } catch (error) {
    if (error instanceof MongoOperationTimeoutError) return;
    // Whatever else is refused, the writes that are meant will meet, and say so.
    if (error instanceof MongoServerError && !NEVER.has(Number(error.code))) return;
    throw error;
  }
}
