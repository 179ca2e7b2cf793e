/** Compares one shard, as the model makes it, with what a database holds of it. */
import { BSON, type ClientSession, type Db, type Document } from 'mongodb';
import type { ShardSource } from '../dataset/source.js';
import { BatchBuffer, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import type { Shard } from '../plan/plan.js';
import { Comparison, findSeries } from './comparison.js';
import { type Findings, noFindings } from './findings.js';

export interface CompareInput {
  readonly source: ShardSource;
  readonly shard: Shard;
  readonly db: Db;
  readonly session: ClientSession;
  /** Flat layout: is given the planned documents that are there with other content. */
  readonly mend?: (documents: readonly Document[]) => Promise<void>;
}

/**
 * What is planned of a series in [from, to): a batch, or nothing where a backup series has none
 * there.
 */
interface Piece {
  readonly series: Series;
  readonly batch: Batch | undefined;
  readonly from: number;
  readonly to: number;
}

/** Reads the shard's series one after the other, each in time order, next to the model's own. */
export async function compareShard({ source, shard, db, session, mend }: CompareInput): Promise<Findings> {
  const { layout } = source.dataset;
  const findings = noFindings();
  const pieces = piecesOf(source, shard);
  const ask = async ({ series, from, to }: Piece): Promise<{ reply: RawReply } | { error: unknown }> =>
    findRaw(db, session, findSeries(layout, series, from, to)).then(
      (reply) => ({ reply }),
      (error: unknown) => ({ error }),
    );
  let asked = pieces.length > 0 ? ask(pieces[0]) : undefined;
  for (const [i, { series, batch }] of pieces.entries()) {
    const answer = await asked;
    // The server looks for the next piece while this one is compared.
    asked = i + 1 < pieces.length ? ask(pieces[i + 1]) : undefined;
    if (!answer) break;
    if ('error' in answer) throw answer.error;
    const comparison = new Comparison(layout, series, batch, findings);
    for (let reply: RawReply | undefined = answer.reply; reply; reply = await reply.more()) {
      reply.each((bytes, start, end) => comparison.add(bytes, start, end));
    }
    comparison.end();
    if (mend && comparison.different.length > 0) await mend(comparison.expectedDocuments());
  }
  return findings;
}

/**
 * All series of the shard. A series whose documents are so large that they do not fit one batch is
 * several pieces.
 */
function piecesOf(source: ShardSource, shard: Shard): Piece[] {
  const buffer = new BatchBuffer(0);
  const batches = new Map<string, Batch[]>(source.series.map(({ metricName }) => [metricName, []]));
  for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) {
    batches.get(batch.series.metricName)?.push(batch);
  }
  return source.series.flatMap((series): Piece[] => {
    const ofSeries = batches.get(series.metricName) ?? [];
    if (ofSeries.length === 0) return [{ series, batch: undefined, from: shard.from, to: shard.to }];
    return ofSeries.map((batch, i) => ({
      series,
      batch,
      from: i === 0 ? shard.from : batch.minutes[0],
      to: i + 1 < ofSeries.length ? ofSeries[i + 1].minutes[0] : shard.to,
    }));
  });
}

// Query results as the server sent them: many documents in one piece of memory. A buffer for each
// document, which the driver's cursors can give, would cost more than comparing it.

/** One reply. */
export interface RawReply {
  /** `use` is given the bytes and where in them a document begins and ends. */
  each(use: (bytes: Buffer, start: number, end: number) => void): void;
  /** Asks for the next reply; resolves with undefined where there is none. */
  more(): Promise<RawReply | undefined>;
}

/**
 * Runs a `find` where the database's read preference leads to, which must be one server: its cursor
 * is there.
 */
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

/**
 * An array in BSON: its length; for each element its type, its position as text with a zero after
 * it, and the document; a zero at the end.
 */
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
