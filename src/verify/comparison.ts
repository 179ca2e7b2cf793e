/** One series beside what is stored of it, record by record. */
import { createHash } from 'node:crypto';
import { BSON, type Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { recordId, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import { METRICS } from '../store/names.js';
import { addToFingerprint, type Example, type Findings, note, seriesKey } from './findings.js';

const NOTHING = { bytes: Buffer.alloc(0), step: 0, minutes: new Int32Array(0), values: new Float64Array(0) };

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
  readonly #minutes: Int32Array;
  readonly #values: Float64Array;
  /** The values' bits, two words each. */
  readonly #words: Int32Array;
  readonly #seriesHash: number;
  /** Position of the next planned record. */
  #next = 0;
  /**
   * At the next planned record's minute and unlike it. Whether it is there instead of that one or
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
          minutes: batch.minutes,
          values: batch.values,
        }
      : NOTHING;
    this.#bytes = planned.bytes;
    this.#step = planned.step;
    this.#minutes = planned.minutes;
    // A copy of its own begins at an offset that allows a view of words.
    this.#values = planned.values.slice();
    this.#words = new Int32Array(this.#values.buffer);
    this.#seriesHash = createHash('sha256')
      .update(seriesKey(series.assetId, series.metricName))
      .digest()
      .readInt32LE();
    findings.expected += this.#minutes.length;
  }

  /** Takes the document that lies in `bytes` from `start` to `end`. */
  add(bytes: Buffer, start: number, end: number): void {
    this.findings.found++;
    const at = this.#next * this.#step;
    if (
      end - start === this.#step &&
      this.#next < this.#minutes.length &&
      this.#bytes.compare(bytes, start, end, at, at + this.#step) === 0
    ) {
      const low = this.#words[2 * this.#next];
      const high = this.#words[2 * this.#next + 1];
      addToFingerprint(this.findings.fingerprint, this.#seriesHash, this.#minutes[this.#next], high, low);
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
    const minute = plannedMinute(this.layout, stored);
    const value = typeof stored.value === 'number' ? stored.value : Number.NaN;
    this.#addFound(minute, value);
    if (this.#unlike?.minute !== minute) this.#unlikeIsInstead();
    this.#skipTo(minute);
    if (this.#next < this.#minutes.length && this.#minutes[this.#next] === minute) {
      if (sameContent(document, this.#expected(this.#next))) this.#foundAsPlanned();
      else if (this.#unlike) this.#note('doubled', minute, undefined, value);
      else {
        const { assetId, metricName } = this.series;
        const expected = this.#values[this.#next];
        const example = { defect: 'different', assetId, metricName, minute, expected, found: value } as const;
        const at = timestampMinute(stored);
        this.#unlike = at === minute ? example : { ...example, foundMinute: at };
      }
      return;
    }
    const there = this.#next > 0 && this.#minutes[this.#next - 1] === minute;
    this.#note(there ? 'doubled' : 'foreign', minute, undefined, value);
  }

  #foundAsPlanned(): void {
    const beside = this.#unlike;
    this.#unlike = undefined;
    if (beside) this.#note('doubled', beside.minute, undefined, beside.found);
    this.#next++;
  }

  #unlikeIsInstead(): void {
    if (!this.#unlike) return;
    this.different.push(this.#next);
    note(this.findings, this.#unlike);
    this.#unlike = undefined;
    this.#next++;
  }

  #skipTo(minute: number): void {
    while (this.#next < this.#minutes.length && this.#minutes[this.#next] < minute) {
      this.#note('missing', this.#minutes[this.#next], this.#values[this.#next], undefined);
      this.#next++;
    }
  }

  #note(defect: 'missing' | 'doubled' | 'foreign', minute: number, expected?: number, found?: number): void {
    const { assetId, metricName } = this.series;
    note(this.findings, { defect, assetId, metricName, minute, expected, found });
  }

  #addFound(minute: number, value: number): void {
    const [low, high] = new Int32Array(Float64Array.of(value).buffer);
    addToFingerprint(this.findings.fingerprint, this.#seriesHash, minute, high, low);
  }

  #expected(i: number): Buffer {
    return this.#bytes.subarray(i * this.#step, (i + 1) * this.#step);
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

const MS_PER_MINUTE = 60_000;
/**
 * Documents the server sends at a time, as far as its 16 MB allow: large enough that round trips do
 * not count.
 */
const BATCH = 20_000;

/** Records of a series in [from, to), minutes since the epoch, in time order. */
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
  const filter = {
    'meta.asset_id': series.assetId,
    'meta.metric_name': series.metricName,
    timestamp: { $gte: new Date(from * MS_PER_MINUTE), $lt: new Date(to * MS_PER_MINUTE) },
  };
  return { find: METRICS, filter, sort: { timestamp: 1 }, batchSize: BATCH };
}

/**
 * Where a document is in time, by its `_id` in the flat layout: that is what was planned for it.
 */
export function plannedMinute(layout: Layout, document: Document): number {
  if (layout === 'flat') return Number.parseInt(String(document._id).slice(16), 16);
  return timestampMinute(document);
}

/** By its timestamp; not a number where it has none. */
export function timestampMinute({ timestamp }: Document): number {
  return timestamp instanceof Date ? timestamp.getTime() / MS_PER_MINUTE : Number.NaN;
}
