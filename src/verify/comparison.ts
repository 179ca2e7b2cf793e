/** One series beside what is stored of it, record by record. */
import { createHash } from 'node:crypto';
import { BSON, type ClientSession, type Db, type Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { seriesKey } from '../dataset/series.js';
import { recordId, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import { msOfTick, type Sampling, tickOfMs } from '../model/sampling.js';
import { METRICS } from '../store/collections.js';
import { addToFingerprint, type Example, type Findings, note } from './findings.js';

const NOTHING = { bytes: Buffer.alloc(0), step: 0, ticks: new Int32Array(0), values: new Float64Array(0) };

/**
 * Is given stored documents in time order, and notes what is wrong with them. Those of one minute
 * come in whatever order the server has them, and servers of different versions have different
 * ones.
 */
export class Comparison {
  /** Positions of records that are there with other content. */
  readonly different: number[] = [];
  readonly #bytes: Buffer;
  readonly #step: number;
  readonly #ticks: Int32Array;
  readonly #values: Float64Array;
  /** The values' bits, two words each. */
  readonly #words: Int32Array;
  readonly #seriesHash: number;
  /** Position of the next planned record. */
  #next = 0;
  /**
   * At the next planned record's time and unlike it. Whether it is there instead of that one or
   * beside it, the next document shows.
   */
  #unlike: Example | undefined;

  constructor(
    readonly layout: Layout,
    readonly series: Series,
    batch: Batch | undefined,
    readonly findings: Findings,
  ) {
    const planned = batch
      ? {
          bytes: batch.encode(),
          step: batch.template.bytes.length,
          ticks: batch.ticks,
          values: batch.values,
        }
      : NOTHING;
    this.#bytes = planned.bytes;
    this.#step = planned.step;
    this.#ticks = planned.ticks;
    // A copy of its own begins at an offset that allows a view of words.
    this.#values = planned.values.slice();
    this.#words = new Int32Array(this.#values.buffer);
    this.#seriesHash = seriesHash(series);
    findings.expected += this.#ticks.length;
  }

  /** Takes the document that lies in `bytes` from `start` to `end`. */
  add(bytes: Buffer, start: number, end: number): void {
    this.findings.found++;
    const at = this.#next * this.#step;
    if (
      end - start === this.#step &&
      this.#next < this.#ticks.length &&
      this.#bytes.compare(bytes, start, end, at, at + this.#step) === 0
    ) {
      const low = this.#words[2 * this.#next];
      const high = this.#words[2 * this.#next + 1];
      addToFingerprint(this.findings.fingerprint, this.#seriesHash, this.#ticks[this.#next], high, low);
      this.#foundAsPlanned();
      return;
    }
    this.#addUnlike(bytes.subarray(start, end));
  }

  /** Says that nothing more is stored. */
  end(): void {
    this.#unlikeIsInstead();
    this.#skipTo(Number.POSITIVE_INFINITY);
  }

  /** What should be in place of the records that differ. */
  expectedDocuments(): Document[] {
    return this.different.map((i) => BSON.deserialize(this.#expected(i), { promoteValues: false }));
  }

  #addUnlike(document: Buffer): void {
    const stored = BSON.deserialize(document);
    const tick = plannedTick(this.layout, this.series.sampling, stored);
    const value = typeof stored.value === 'number' ? stored.value : Number.NaN;
    this.#addFound(tick, value);
    const ms = msOfTick(this.series.sampling, tick);
    if (this.#unlike?.ms !== ms) this.#unlikeIsInstead();
    this.#skipTo(tick);
    if (this.#next < this.#ticks.length && this.#ticks[this.#next] === tick) {
      if (sameContent(document, this.#expected(this.#next))) this.#foundAsPlanned();
      else if (this.#unlike) this.#note('doubled', ms, undefined, value);
      else {
        const { assetId, metricName } = this.series;
        const expected = this.#values[this.#next];
        const example = { defect: 'different', assetId, metricName, ms, expected, found: value } as const;
        const at = timestampMs(stored);
        this.#unlike = at === ms ? example : { ...example, foundMs: at };
      }
      return;
    }
    const there = this.#next > 0 && this.#ticks[this.#next - 1] === tick;
    this.#note(there ? 'doubled' : 'foreign', there ? ms : timestampMs(stored), undefined, value);
  }

  #foundAsPlanned(): void {
    const beside = this.#unlike;
    this.#unlike = undefined;
    if (beside) this.#note('doubled', beside.ms, undefined, beside.found);
    this.#next++;
  }

  #unlikeIsInstead(): void {
    if (!this.#unlike) return;
    this.different.push(this.#next);
    note(this.findings, this.#unlike);
    this.#unlike = undefined;
    this.#next++;
  }

  #skipTo(tick: number): void {
    const { sampling } = this.series;
    while (this.#next < this.#ticks.length && this.#ticks[this.#next] < tick) {
      const ms = msOfTick(sampling, this.#ticks[this.#next]);
      this.#note('missing', ms, this.#values[this.#next], undefined);
      this.#next++;
    }
  }

  #note(defect: 'missing' | 'doubled' | 'foreign', ms: number, expected?: number, found?: number): void {
    const { assetId, metricName } = this.series;
    note(this.findings, { defect, assetId, metricName, ms, expected, found });
  }

  #addFound(tick: number, value: number): void {
    const [low, high] = new Int32Array(Float64Array.of(value).buffer);
    addToFingerprint(this.findings.fingerprint, this.#seriesHash, tick, high, low);
  }

  #expected(i: number): Buffer {
    return this.#bytes.subarray(i * this.#step, (i + 1) * this.#step);
  }
}

function seriesHash({ assetId, metricName }: Series): number {
  return createHash('sha256').update(seriesKey(assetId, metricName)).digest().readInt32LE();
}

/** Adds records that buckets have shown to be there as they are planned. */
export function addPlanned(findings: Findings, { series, ticks, values, records }: Batch): void {
  findings.expected += records;
  findings.found += records;
  findings.inBuckets += records;
  const hash = seriesHash(series);
  const words = new Int32Array(values.slice().buffer);
  for (let i = 0; i < records; i++) {
    addToFingerprint(findings.fingerprint, hash, ticks[i], words[2 * i + 1], words[2 * i]);
  }
}

/** Equal but for the order of fields, which a time-series collection may not keep. */
function sameContent(document: Buffer, expected: Buffer): boolean {
  return Buffer.compare(canonical(document), canonical(expected)) === 0;
}

function canonical(bytes: Buffer): Uint8Array {
  const fields = BSON.deserialize(bytes, { promoteValues: false });
  return BSON.serialize(Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))));
}

// How one series of a shard is read from either layout.

/**
 * Documents the server sends at a time, as far as its 16 MB allow: large enough that round trips do
 * not count.
 */
const BATCH = 20_000;

/** Records of a series in [from, to), ticks of its sampling, in time order. */
export function findSeries(
  layout: Layout,
  series: Series,
  from: number,
  to: number,
): { find: string } & Document {
  if (layout === 'flat') {
    // A scan of neighbours, and it finds what bears the series' ids whatever else was done to the
    // document.
    const filter = { _id: { $gte: recordId(series, from), $lt: recordId(series, to) } };
    return { find: METRICS, filter, sort: { _id: 1 }, batchSize: BATCH };
  }
  const { tickMs } = series.sampling;
  const filter = {
    'meta.asset_id': series.assetId,
    'meta.metric_name': series.metricName,
    timestamp: { $gte: new Date(from * tickMs), $lt: new Date(to * tickMs) },
  };
  return { find: METRICS, filter, sort: { timestamp: 1 }, batchSize: BATCH };
}

/**
 * Where a document is in time, by its `_id` in the flat layout: that is what was planned for it.
 */
function plannedTick(layout: Layout, sampling: Sampling, document: Document): number {
  if (layout === 'flat') return Number.parseInt(String(document._id).slice(16), 16);
  return tickOfMs(sampling, timestampMs(document));
}

/** By its timestamp; not a number where it has none. */
export function timestampMs({ timestamp }: Document): number {
  return timestamp instanceof Date ? timestamp.getTime() : Number.NaN;
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
