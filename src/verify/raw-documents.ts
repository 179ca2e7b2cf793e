/**
 * Query results as the server sent them: many documents in one piece of memory. A buffer for each document, which the
 * driver's cursors can give, would cost more than comparing it.
 */
import { BSON, type ClientSession, type Db, type Document } from 'mongodb';

/** One reply. */
export interface RawReply {
  /** `use` is given the bytes and where in them a document begins and ends. */
  each(use: (bytes: Buffer, start: number, end: number) => void): void;
  /** Asks for the next reply; resolves with undefined where there is none. */
  more(): Promise<RawReply | undefined>;
}

/** Runs a `find` where the database's read preference leads to, which must be one server: its cursor is there. */
export async function findRaw(
  db: Db,
  session: ClientSession,
  find: { readonly find: string } & Document,
): Promise<RawReply> {
  const ask = async (command: Document): Promise<RawReply> => {
    const reply = await db.command(command, { session, raw: true, readPreference: db.readPreference });
    // With `raw` a nested document stays bytes.
    const { id, cursor, array } = parseCursor(reply.cursor as Buffer);
    return {
      each: (use) => eachDocument(cursor, array, use),
      more: async () => {
        if (id === 0n) return undefined;
        // A number of 64 bits: the command refuses any other.
        const getMore = BSON.Long.fromBigInt(id);
        return ask({ getMore, collection: find.find, batchSize: find.batchSize });
      },
    };
  };
  return ask(find);
}

function parseCursor(cursor: Buffer): { id: bigint; cursor: Buffer; array: number } {
  let id = 0n;
  let array = -1;
  for (const [, nameOffset, nameLength, offset] of BSON.onDemand.parseToElements(cursor)) {
    const name = cursor.toString('latin1', nameOffset, nameOffset + nameLength);
    if (name === 'id') id = cursor.readBigInt64LE(offset);
    if (name === 'firstBatch' || name === 'nextBatch') array = offset;
  }
  if (array < 0) throw new Error('the server answered a query without a batch of documents');
  return { id, cursor, array };
}

/** An array in BSON: its length; for each element its type, its position as text with a zero after it, and the document; a zero at the end. */
function eachDocument(
  cursor: Buffer,
  array: number,
  use: (bytes: Buffer, start: number, end: number) => void,
): void {
  const last = array + cursor.readInt32LE(array) - 1;
  for (let at = array + 4; at < last; ) {
    at++;
    while (cursor[at] !== 0) at++;
    const start = at + 1;
    at = start + cursor.readInt32LE(start);
    use(cursor, start, at);
  }
}
