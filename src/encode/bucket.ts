/**
 * Compressed buckets: how a time-series collection stores measurements, made here as the server
 * would make them.
 */
import { BSON, Double, Int32, ObjectId } from 'mongodb';
import { msOfTick, type Sampling } from '../model/sampling.js';
import { ColumnEncoder, columnRoom, writeMs } from './column.js';
import { type BatchBuffer, type Series, type Template, valueOffsets } from './document.js';
import type { Batch } from './insert.js';

/** The most measurements that a server puts into one bucket. */
export const BUCKET_RECORDS = 1000;
/** With granularity `minutes` a bucket spans a day at most, and begins on the hour. */
const SPAN_MS = 86_400_000;
const ROUNDING_MS = 3_600_000;
const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;
const MINUTES_PER_SPAN = SPAN_MS / MS_PER_MINUTE;
const BINARY = 0x05;
const COLUMN_SUBTYPE = 7;

/** The beginning of a series' buckets, up to their data, and where its variable parts lie. */
export interface BucketTemplate {
  readonly bytes: Uint8Array;
  readonly id: number;
  readonly minTimestamp: number;
  readonly minValue: number;
  readonly maxTimestamp: number;
  readonly maxValue: number;
  readonly count: number;
}

/** By the template of the series' documents, which whoever makes batches keeps. */
const templates = new WeakMap<Template, BucketTemplate>();

function templateOf({ template, series }: Batch): BucketTemplate {
  let found = templates.get(template);
  if (!found) {
    found = bucketTemplate(series);
    templates.set(template, found);
  }
  return found;
}

/** The same in every series, since what tells them apart comes last. Made when a bucket is. */
let common: BucketTemplate | undefined;

function commonTemplate(): BucketTemplate {
  const limits = { timestamp: new Date(0), value: new Double(0) };
  const whole = BSON.serialize({
    _id: new ObjectId(new Uint8Array(12)),
    control: { version: new Int32(2), min: limits, max: limits, count: new Int32(0) },
  });
  const fieldsAt = (at: number) => {
    const offsets = valueOffsets(whole, at);
    return (field: string) => {
      const offset = offsets.get(field);
      if (offset === undefined) throw new Error(`no field ${field}`);
      return offset;
    };
  };
  const fields = fieldsAt(0);
  const control = fieldsAt(fields('control'));
  const min = fieldsAt(control('min'));
  const max = fieldsAt(control('max'));
  return {
    // Without the zero byte that ends a document.
    bytes: whole.subarray(0, -1),
    id: fields('_id'),
    minTimestamp: min('timestamp'),
    minValue: min('value'),
    maxTimestamp: max('timestamp'),
    maxValue: max('value'),
    count: control('count'),
  };
}

function bucketTemplate({ assetId, metricName }: Series): BucketTemplate {
  common ??= commonTemplate();
  const meta = BSON.serialize({ meta: { asset_id: assetId, metric_name: metricName } });
  // Without the four bytes of its length, and the zero byte.
  return { ...common, bytes: Buffer.concat([common.bytes, meta.subarray(4, -1)]) };
}

/**
 * Where the bucket that begins with record `from` ends: after {@link BUCKET_RECORDS} records, or
 * before the first that lies outside of its span, where the server would not look for it.
 */
function bucketEnd({ tickMs }: Sampling, ticks: Int32Array, from: number, records: number): number {
  const most = Math.min(from + BUCKET_RECORDS, records);
  const tooLate = (bucketStartMs(ticks[from] * tickMs) + SPAN_MS) / tickMs;
  if (ticks[most - 1] < tooLate) return most;
  let end = from + 1;
  while (ticks[end] < tooLate) end++;
  return end;
}

/** No bucket with a record of this minute, or of a later one, begins before. */
export function spanStart(minute: number): number {
  return bucketStartMs((minute - MINUTES_PER_SPAN) * MS_PER_MINUTE) / MS_PER_MINUTE;
}

/** Jitter does not count: it moves no record beyond its minute. */
function bucketStartMs(ms: number): number {
  return ms - (ms % ROUNDING_MS);
}

/** No bucket of so many records is longer. */
function bucketRoom(template: BucketTemplate, records: number): number {
  return template.bytes.length + 64 + 2 * columnRoom(records);
}

/** Writes buckets into memory of the caller's. */
export class BucketEncoder {
  readonly #columns = new ColumnEncoder(BUCKET_RECORDS);

  /**
   * Writes the records from `from` up to `to` (see {@link bucketEnd}) as one BSON document.
   * @param view of memory with {@link bucketRoom} from `start` on
   * @returns the offset behind the document
   */
  encode(
    series: Series,
    template: BucketTemplate,
    ticks: Int32Array,
    values: Float64Array,
    from: number,
    to: number,
    view: DataView,
    start: number,
  ): number {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    bytes.set(template.bytes, start);
    const { sampling } = series;
    const { tickMs } = sampling;
    const begin = bucketStartMs(ticks[from] * tickMs);
    view.setUint32(start + template.id, begin / MS_PER_SECOND);
    bytes.set(series.idPrefix, start + template.id + 4);
    // A series may have several buckets that begin in one hour: where a run ends and the next one
    // goes on, and where samples are seconds apart.
    const place = ticks[from] - begin / tickMs;
    if (tickMs < MS_PER_MINUTE) view.setUint16(start + template.id + 10, place);
    else bytes[start + template.id + 11] = place;
    writeMs(view, start + template.minTimestamp, begin);
    writeMs(view, start + template.maxTimestamp, msOfTick(sampling, ticks[to - 1]));
    view.setInt32(start + template.count, to - from, true);

    const data = field(bytes, start + template.bytes.length, 0x03, 'data');
    const timestamps = binary(bytes, data + 4, 'timestamp');
    let at = this.#columns.dates(sampling, ticks, from, to, view, timestamps);
    view.setInt32(timestamps - 5, at - timestamps, true);
    const column = binary(bytes, at, 'value');
    at = this.#columns.doubles(values, from, to, view, column);
    view.setFloat64(start + template.minValue, this.#columns.least, true);
    view.setFloat64(start + template.maxValue, this.#columns.most, true);
    view.setInt32(column - 5, at - column, true);
    bytes[at++] = 0;
    view.setInt32(data, at - data, true);
    bytes[at++] = 0;
    view.setInt32(start, at - start, true);
    return at;
  }
}

/** Writes a type and a name; returns the offset of the value. */
function field(bytes: Uint8Array, at: number, type: number, name: string): number {
  let next = at;
  bytes[next++] = type;
  for (let i = 0; i < name.length; i++) bytes[next++] = name.charCodeAt(i);
  bytes[next++] = 0;
  return next;
}

/**
 * The same of a column; its length is to be written five bytes before the offset that is returned.
 */
function binary(bytes: Uint8Array, at: number, name: string): number {
  const value = field(bytes, at, BINARY, name);
  bytes[value + 4] = COLUMN_SUBTYPE;
  return value + 5;
}

/**
 * Records in one insert of buckets. A multiple of {@link BUCKET_RECORDS}, so that the same records
 * lie in the same buckets however many inserts a shard has.
 */
export const BUCKETS_INSERT_RECORDS = 100 * BUCKET_RECORDS;

/** The buckets of an insert, one BSON document after the other. */
export interface EncodedBuckets {
  /**
   * The insert's own buffer: its headroom, then the documents. A view, good until the buffer is
   * used again.
   */
  readonly bytes: Buffer;
  readonly buckets: readonly EncodedBucket[];
}

export interface EncodedBucket {
  readonly batch: Batch;
  /** Its records in the batch: half open. */
  readonly from: number;
  readonly to: number;
  /** Where its document begins and ends in the bytes. */
  readonly start: number;
  readonly end: number;
}

/** Where one bucket's records lie in their batch. */
interface Piece extends Pick<EncodedBucket, 'batch' | 'from' | 'to'> {
  readonly template: BucketTemplate;
}

/** Encodes batches as buckets, in order, into the buffer. */
export function encodeBuckets(
  { batches, buffer }: { readonly batches: readonly Batch[]; readonly buffer: BatchBuffer },
  encoder: BucketEncoder,
): EncodedBuckets {
  const pieces = batches.flatMap(piecesOf);
  const room = pieces.reduce((sum, { template, from, to }) => sum + bucketRoom(template, to - from), 0);
  const memory = buffer.open(room);
  const view = new DataView(memory.buffer, memory.byteOffset, memory.length);
  const buckets: EncodedBucket[] = [];
  let start = buffer.headroom;
  for (const { batch, template, from, to } of pieces) {
    const { series, ticks, values } = batch;
    const end = encoder.encode(series, template, ticks, values, from, to, view, start);
    buckets.push({ batch, from, to, start, end });
    start = end;
  }
  return { bytes: memory.subarray(0, start), buckets };
}

/** Buckets that their span ends early, as of a backup a day, hold a record each at worst. */
function piecesOf(batch: Batch): Piece[] {
  const template = templateOf(batch);
  const pieces: Piece[] = [];
  for (let from = 0; from < batch.records; ) {
    const to = bucketEnd(batch.series.sampling, batch.ticks, from, batch.records);
    pieces.push({ batch, template, from, to });
    from = to;
  }
  return pieces;
}
