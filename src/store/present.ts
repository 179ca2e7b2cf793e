/** Which records are in the database already, and what they hold. */
import type { Db, Document, ObjectId } from 'mongodb';
import { METRICS } from './names.js';

const MS_PER_MINUTE = 60_000;

/** From the primary, with what it has acknowledged: not what a majority of the set has by now. */
const FRESH = { batchSize: 10_000, readPreference: 'primary', readConcern: { level: 'local' } } as const;

/** What {@link valuesPresent} says of a minute that has several records which differ. */
export const SEVERAL = Number.NaN;

/** The values of a time-series series in [from, to), by minute. */
export async function valuesPresent(
  db: Db,
  assetId: string,
  metricName: string,
  from: number,
  to: number,
): Promise<Map<number, unknown>> {
  const cursor = db.collection(METRICS).find(
    {
      'meta.asset_id': assetId,
      'meta.metric_name': metricName,
      timestamp: { $gte: new Date(from * MS_PER_MINUTE), $lt: new Date(to * MS_PER_MINUTE) },
    },
    { ...FRESH, projection: { _id: 0, timestamp: 1, value: 1 } },
  );
  const values = new Map<number, unknown>();
  for await (const { timestamp, value } of cursor) {
    const minute = (timestamp as Date).getTime() / MS_PER_MINUTE;
    const isAnother = values.has(minute) && values.get(minute) !== value;
    values.set(minute, isAnother ? SEVERAL : value);
  }
  return values;
}

/** The documents of the flat layout from one `_id` up to another, by their `_id` in hexadecimal. */
export async function documentsPresent(
  db: Db,
  first: ObjectId,
  last: ObjectId,
): Promise<Map<string, Document>> {
  const cursor = db.collection(METRICS).find({ _id: { $gte: first, $lte: last } }, FRESH);
  const documents = new Map<string, Document>();
  for await (const document of cursor) documents.set(document._id.toHexString(), document);
  return documents;
}
