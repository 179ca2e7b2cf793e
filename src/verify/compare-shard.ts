/** Compares one shard, as the model makes it, with what a database holds of it. */
import { createHash } from 'node:crypto';
import { BSON, type Db, type Document, type FindCursor } from 'mongodb';
import { type Batch, BatchBuffer, recordId } from '../encode/index.js';
import type { ShardSource } from '../load/source.js';
import type { Shard } from '../plan/index.js';
import { METRICS } from '../store/names.js';
import { addToFingerprint, type Findings, noFindings, note } from './findings.js';

const MS_PER_MINUTE = 60_000;
/** Documents the server sends at a time: large enough that round trips do not count. */
const CURSOR_BATCH = 10_000;

/** Puts right what is missing or different; resolves with the number of records it mended. */
export interface Repair {
  /** Time-series layout: inserts records that are missing. */
  insert(batch: Batch): Promise<number>;
  /** Flat layout: makes the documents of these `_id`s what they should be. */
  put(documents: Document[]): Promise<number>;
}

/**
 * How the flat layout is read: `by id` is a scan of neighbouring documents, and finds all that this program has
 * written; `by content` goes through the index and finds whatever bears the asset's and the metric's name, at twice the cost.
 */
export type Search = 'by id' | 'by content';

export interface CompareOptions {
  readonly search: Search;
  readonly repair: Repair | undefined;
}

/** Reads the shard's series one after the other, each in time order, next to the model's own. */
export async function compareShard(
  source: ShardSource,
  shard: Shard,
  db: Db,
  options: CompareOptions,
): Promise<Findings> {
  const findings = noFindings();
  // A batch is a whole series of the shard here: the source was made with a batch size that holds it.
  const buffer = new BatchBuffer(0);
  for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) {
    findings.expected += batch.records;
    await compareSeries(batch, shard, db, findings, options);
  }
  return findings;
}

async function compareSeries(
  batch: Batch,
  shard: Shard,
  db: Db,
  findings: Findings,
  { search, repair }: CompareOptions,
): Promise<void> {
  const { series, minutes, values } = batch;
  const { assetId, metricName } = series;
  const expectedBytes = batch.encode();
  const step = batch.template.bytes.length;
  const seriesHash = createHash('sha256').update(`${assetId}\n${metricName}`).digest().readInt32LE();
  const missing: number[] = [];
  const different: number[] = [];
  let next = 0;

  const skipTo = (minute: number) => {
    while (next < minutes.length && minutes[next] < minute) {
      missing.push(next);
      note(findings, { defect: 'missing', assetId, metricName, minute: minutes[next], expected: values[next] });
      next++;
    }
  };

  const compare = (document: Buffer) => {
    findings.found++;
    const at = next * step;
    if (next < minutes.length && document.length === step && sameBytes(document, expectedBytes, at)) {
      addToFingerprint(findings.fingerprint, seriesHash, minutes[next], values[next]);
      next++;
      return;
    }
    const stored = readRecord(document);
    const minute = stored.ms / MS_PER_MINUTE;
    addToFingerprint(findings.fingerprint, seriesHash, minute, stored.value);
    skipTo(minute);
    if (next < minutes.length && minutes[next] === minute) {
      if (stored.value !== values[next] || !sameContent(document, expectedBytes.subarray(next * step, (next + 1) * step))) {
        different.push(next);
        note(findings, {
          defect: 'different',
          assetId,
          metricName,
          minute,
          expected: values[next],
          found: stored.value,
        });
      }
      next++;
    } else {
      const before = next > 0 && minutes[next - 1] === minute;
      note(findings, { defect: before ? 'doubled' : 'foreign', assetId, metricName, minute, found: stored.value });
    }
  };
  for await (const documents of rawBatches(storedSeries(db, batch, shard, search))) documents.forEach(compare);
  skipTo(Number.POSITIVE_INFINITY);

  if (!repair) return;
  if (batch.layout === 'flat') {
    const documents = [...missing, ...different].map((i) =>
      BSON.deserialize(expectedBytes.subarray(i * step, (i + 1) * step), { promoteValues: false }),
    );
    findings.repaired += await repair.put(documents);
  } else if (missing.length > 0) {
    const present = new Set(minutes);
    for (const i of missing) present.delete(minutes[i]);
    findings.repaired += await repair.insert(batch.without(present));
  }
}

/** The series as stored, in time order, as raw bytes. */
function storedSeries(db: Db, { layout, series, minutes }: Batch, shard: Shard, search: Search): FindCursor<Document> {
  const options = { batchSize: CURSOR_BATCH, raw: true, readPreference: 'primary' } as const;
  if (layout === 'flat' && search === 'by id') {
    const ids = { $gte: recordId(series, minutes[0]), $lte: recordId(series, minutes[minutes.length - 1]) };
    return db.collection(METRICS).find({ _id: ids }, { ...options, sort: { _id: 1 } });
  }
  const prefix = layout === 'flat' ? '' : 'meta.';
  return db.collection(METRICS).find(
    {
      [`${prefix}asset_id`]: series.assetId,
      [`${prefix}metric_name`]: series.metricName,
      timestamp: { $gte: new Date(shard.from * MS_PER_MINUTE), $lt: new Date(shard.to * MS_PER_MINUTE) },
    },
    { ...options, sort: { timestamp: 1 } },
  );
}

/** Documents as the server sent them, a network batch at a time: awaiting each one would cost more than comparing it. */
async function* rawBatches(cursor: FindCursor<Document>): AsyncGenerator<Buffer[]> {
  try {
    while (await cursor.hasNext()) yield cursor.readBufferedDocuments() as unknown as Buffer[];
  } finally {
    await cursor.close();
  }
}

function sameBytes(document: Buffer, expected: Buffer, at: number): boolean {
  return expected.compare(document, 0, document.length, at, at + document.length) === 0;
}

/** Equal but for the order of fields, which a time-series collection does not keep. */
function sameContent(document: Buffer, expected: Buffer): boolean {
  const canonical = (bytes: Buffer) => {
    const fields = BSON.deserialize(bytes, { promoteValues: false });
    const sorted = Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
    return BSON.serialize(sorted);
  };
  return Buffer.compare(canonical(document), canonical(expected)) === 0;
}

function readRecord(document: Buffer): { ms: number; value: number } {
  const { timestamp, value } = BSON.deserialize(document);
  return {
    ms: timestamp instanceof Date ? timestamp.getTime() : Number.NaN,
    value: typeof value === 'number' ? value : Number.NaN,
  };
}
