/** Which records of a series are in the database already. */
import type { Db } from 'mongodb';
import { METRICS } from './names.js';

const MS_PER_MINUTE = 60_000;

/** The minutes of a time-series series in [from, to) that have a record. Reads from the primary, with what the server has acknowledged. */
export async function minutesPresent(
  db: Db,
  assetId: string,
  metricName: string,
  from: number,
  to: number,
): Promise<Set<number>> {
  const cursor = db.collection(METRICS).find(
    {
      'meta.asset_id': assetId,
      'meta.metric_name': metricName,
      timestamp: { $gte: new Date(from * MS_PER_MINUTE), $lt: new Date(to * MS_PER_MINUTE) },
    },
    {
      projection: { _id: 0, timestamp: 1 },
      batchSize: 10_000,
      readPreference: 'primary',
      readConcern: { level: 'local' },
    },
  );
  const minutes = new Set<number>();
  for await (const { timestamp } of cursor) minutes.add((timestamp as Date).getTime() / MS_PER_MINUTE);
  return minutes;
}
