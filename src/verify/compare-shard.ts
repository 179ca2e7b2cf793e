/**
 * Compares one shard, as the model makes it, with what a database holds of it: as records, or, in a
 * time-series collection, bucket by bucket where those are what a load of buckets writes.
 */
import { BSON, type ClientSession, type Db, type Document, MongoServerError } from 'mongodb';
import type { ShardSource } from '../dataset/source.js';
import { BucketEncoder, encodeBuckets, spanStart } from '../encode/bucket.js';
import { BatchBuffer, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import { tickOfMinute } from '../model/sampling.js';
import { instantOf, type Shard } from '../plan/plan.js';
import { METRIC_BUCKETS } from '../store/collections.js';
import { addPlanned, Comparison, findRaw, findSeries, type RawReply } from './comparison.js';
import { type Findings, noFindings } from './findings.js';

export interface CompareInput {
  readonly source: ShardSource;
  readonly shard: Shard;
  readonly db: Db;
  readonly session: ClientSession;
  /** Flat layout: is given the planned documents that are there with other content. */
  readonly mend?: (documents: readonly Document[]) => Promise<void>;
  /** Whether buckets are worth asking for: what a thread has learnt of this database. */
  readonly buckets: BucketReading;
}

/**
 * Until a shard has shown it, nobody knows whether a collection holds buckets as they are planned.
 */
export interface BucketReading {
  state: 'untried' | 'as planned' | 'otherwise';
}

/**
 * What is planned of a series in [from, to), ticks of its sampling: a batch, or nothing where a backup series has none
 * there.
 */
interface Piece {
  readonly series: Series;
  readonly batch: Batch | undefined;
  readonly from: number;
  readonly to: number;
}

/**
 * Compares the shard's series one after the other.
 * @throws errors of the server and of the connection
 */
export async function compareShard(input: CompareInput): Promise<Findings> {
  const findings = noFindings();
  const pieces = piecesOf(input.source, input.shard);
  const { buckets, source } = input;
  const useBuckets = source.dataset.layout === 'timeseries' && buckets.state !== 'otherwise';
  const proven = useBuckets ? await provenByBuckets(input, pieces) : [];
  if (buckets.state === 'untried') {
    buckets.state = proven.length > 0 ? 'as planned' : 'otherwise';
    // The first one is read as records all the same: it shows that the server makes of such a bucket
    // what was planned.
    proven.shift();
  }
  for (const { batch } of proven) if (batch) addPlanned(findings, batch);
  await compareRecords(
    input,
    pieces.filter((piece) => !proven.includes(piece)),
    findings,
  );
  return findings;
}

/** A reply or a failure, for whoever has something else to do before looking at it. */
type RawAnswer = { readonly reply: RawReply } | { readonly error: unknown };

function answerOf(...asked: Parameters<typeof findRaw>): Promise<RawAnswer> {
  return findRaw(...asked).then(
    (reply) => ({ reply }),
    (error: unknown) => ({ error }),
  );
}

/** Reads each piece in time order, next to the model's own. */
async function compareRecords(
  { source, db, session, mend }: CompareInput,
  pieces: readonly Piece[],
  findings: Findings,
): Promise<void> {
  const { layout } = source.dataset;
  const ask = ({ series, from, to }: Piece) => answerOf(db, session, findSeries(layout, series, from, to));
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
}

/**
 * All series of the shard. A series whose documents are so large that they do not fit one batch is
 * several pieces.
 */
function piecesOf(source: ShardSource, shard: Shard): Piece[] {
  const buffer = new BatchBuffer(0);
  const batches = new Map<Series, Batch[]>(source.series.map((series) => [series, []]));
  for (const batch of source.batches(buffer)) {
    batches.get(batch.series)?.push(batch);
  }
  return source.series.flatMap((series): Piece[] => {
    const ofSeries = batches.get(series) ?? [];
    const [from, to] = [shard.from, shard.to].map((minute) => tickOfMinute(series.sampling, minute));
    if (ofSeries.length === 0) return [{ series, batch: undefined, from, to }];
    return ofSeries.map((batch, i) => ({
      series,
      batch,
      from: i === 0 ? from : batch.ticks[0],
      to: i + 1 < ofSeries.length ? ofSeries[i + 1].ticks[0] : to,
    }));
  });
}

// Buckets. Those that a load of buckets has written, and nobody has changed, are byte for byte what
// the encoder makes of the same records again. That shows that all their records are there without
// a look at one of them. Wherever it does not, the series is compared record by record instead,
// which finds what is wrong.

const encoder = new BucketEncoder();

/** Buckets in a reply: as many as 16 MB hold. */
const BUCKETS_IN_REPLY = 5_000;

const UNAUTHORIZED = 13;

/** Those whose records are shown to be there, each once and nothing else, by their buckets. */
async function provenByBuckets(
  { shard, db, session }: CompareInput,
  pieces: readonly Piece[],
): Promise<Piece[]> {
  const batches = pieces.flatMap(({ batch }) => (batch && isEachOnce(batch) ? [batch] : []));
  if (batches.length === 0) return [];
  const asked = answerOf(db, session, findBuckets(shard, pieces));
  const { bytes: planned, buckets } = encodeBuckets({ batches, buffer: batches[0].buffer }, encoder);
  const missing = new Map(buckets.map((bucket) => [idOf(planned, bucket.start), bucket]));
  const unclear = new Set<string>();
  const answer = await asked;
  if ('error' in answer) {
    if (answer.error instanceof MongoServerError && answer.error.code === UNAUTHORIZED) return [];
    throw answer.error;
  }
  for (let reply: RawReply | undefined = answer.reply; reply; reply = await reply.more()) {
    reply.each((bytes, start, end) => {
      const id = idOf(bytes, start);
      const bucket = missing.get(id);
      if (bucket && planned.compare(bytes, start, end, bucket.start, bucket.end) === 0) {
        missing.delete(id);
        return;
      }
      const stored = BSON.deserialize(bytes.subarray(start, end), { promoteBuffers: true });
      if (!isLater(stored, shard)) unclear.add(String(stored.meta?.metric_name));
    });
  }
  for (const { batch } of missing.values()) unclear.add(batch.series.metricName);
  return pieces.filter(
    ({ batch, series }) => batch && batches.includes(batch) && !unclear.has(series.metricName),
  );
}

/** Samples that are planned twice lie in two buckets. */
function isEachOnce({ ticks }: Batch): boolean {
  return ticks.every((tick, i) => i === 0 || tick > ticks[i - 1]);
}

/** All buckets that may hold records of these series in the shard. */
function findBuckets({ assetId, from, to }: Shard, pieces: readonly Piece[]): { find: string } & Document {
  const filter = {
    'meta.asset_id': assetId,
    'meta.metric_name': { $in: [...new Set(pieces.map(({ series }) => series.metricName))] },
    'control.min.timestamp': { $gte: instantOf(spanStart(from)), $lt: instantOf(to) },
    'control.max.timestamp': { $gte: instantOf(from) },
  };
  return { find: METRIC_BUCKETS, filter, batchSize: BUCKETS_IN_REPLY };
}

/** Of the document that begins there: its `_id`, which is its first field. */
function idOf(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start + 9, start + 21);
}

/** With which a column of dates begins: a type, an empty name, and the first date. */
const DATE = 0x09;
const FIRST_DATE_AT = 2;
/** Compressed, and in the order of time. */
const SORTED = 2;

/**
 * Whether a bucket begins after the shard: the next shard's first one does, though it is filed under
 * the full hour before.
 */
function isLater({ control, data }: Document, { to }: Shard): boolean {
  const timestamps: unknown = data?.timestamp;
  if (control?.version !== SORTED || !Buffer.isBuffer(timestamps) || timestamps[0] !== DATE) return false;
  return Number(timestamps.readBigInt64LE(FIRST_DATE_AT)) >= instantOf(to).getTime();
}
