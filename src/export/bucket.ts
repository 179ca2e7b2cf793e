/**
 * A bucket: how a time-series collection stores measurements, and how mongodump dumps them. Version 1, uncompressed, as MongoDB
 * describes it; the server takes such buckets from mongorestore as they are.
 */
import { BSON, Double, ObjectId } from 'mongodb';
import type { Batch } from '../encode/index.js';

/** The most measurements that a server puts into one bucket. A thousand minutes are less than the day that a bucket may span. */
export const BUCKET_RECORDS = 1000;
const MS_PER_MINUTE = 60_000;
/** With granularity `minutes` a bucket begins on the hour. */
const ROUNDING_MINUTES = 60;

/**
 * A batch as buckets. Minutes in a row fit into one; backups are a day apart, and the server does not look for a record
 * later in a bucket than a day after its begin: each has a bucket of its own.
 * @param batch at most {@link BUCKET_RECORDS} records
 */
export function* bucketsOf(batch: Batch): Generator<Uint8Array> {
  const { minutes, values, records } = batch;
  const inARow = minutes[records - 1] - minutes[0] === records - 1;
  if (inARow) yield bucketBytes(batch);
  else
    for (let i = 0; i < records; i++) {
      yield bucketBytes({
        series: batch.series,
        minutes: minutes.subarray(i, i + 1),
        values: values.subarray(i, i + 1),
      });
    }
}

function bucketBytes({ series, minutes, values }: Pick<Batch, 'series' | 'minutes' | 'values'>): Uint8Array {
  const start = minutes[0] - (minutes[0] % ROUNDING_MINUTES);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const timestamps: Record<string, Date> = {};
  const measured: Record<string, Double> = {};
  for (let i = 0; i < minutes.length; i++) {
    timestamps[i] = new Date(minutes[i] * MS_PER_MINUTE);
    measured[i] = new Double(values[i]);
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
  }
  const last = minutes[minutes.length - 1];
  return BSON.serialize({
    _id: bucketId(start, series.idPrefix),
    control: {
      version: 1,
      min: { timestamp: new Date(start * MS_PER_MINUTE), value: new Double(least) },
      max: { timestamp: new Date(last * MS_PER_MINUTE), value: new Double(most) },
    },
    meta: { asset_id: series.assetId, metric_name: series.metricName },
    data: { timestamp: timestamps, value: measured },
  });
}

/** The server finds a bucket by the instant in its `_id`: four bytes, then those of the series. */
function bucketId(startMinute: number, idPrefix: Uint8Array): ObjectId {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(0, startMinute * 60);
  bytes.set(idPrefix, 4);
  return new ObjectId(bytes);
}
