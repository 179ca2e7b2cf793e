/** Sizes and counts of what was loaded. */
import type { Db } from 'mongodb';
import { ASSETS, METRICS, OWN_COLLECTIONS } from './names.js';

export interface DatabaseStatistics {
  readonly name: string;
  /** Documents by collection of this program. A time-series collection counts measurements. */
  readonly collections: Readonly<Record<string, number>>;
  readonly dataSizeBytes: number;
  readonly storageSizeBytes: number;
  readonly indexSizeBytes: number;
}

/** Counts from collection metadata where that is exact enough (no scan), and the sizes of `dbStats`. */
export async function databaseStatistics(db: Db): Promise<DatabaseStatistics> {
  const [stats, collections] = await Promise.all([
    db.command({ dbStats: 1 }),
    db.listCollections({}, { nameOnly: false }).toArray(),
  ]);
  const counts: Record<string, number> = {};
  await Promise.all(
    collections
      .filter((c) => (OWN_COLLECTIONS as readonly string[]).includes(c.name))
      .map(async ({ name, type }) => {
        counts[name] =
          type === 'timeseries'
            ? await countMeasurements(db, name)
            : await db.collection(name).estimatedDocumentCount();
      }),
  );
  return {
    name: db.databaseName,
    collections: counts,
    dataSizeBytes: Number(stats.dataSize),
    storageSizeBytes: Number(stats.storageSize),
    indexSizeBytes: Number(stats.indexSize),
  };
}

/** Measurements of a time-series collection, by its buckets' own counts where they have one (uncompressed buckets do not). */
async function countMeasurements(db: Db, name: string): Promise<number> {
  return db.collection(name).countDocuments({});
}

/** Assets by type. */
export async function countAssetsByType(db: Db): Promise<Record<string, number>> {
  return countBy(db, ASSETS, '$asset_type');
}

/** Records by metric name, in either layout. */
export async function countRecordsByMetric(db: Db, layout: 'flat' | 'timeseries'): Promise<Record<string, number>> {
  return countBy(db, METRICS, layout === 'flat' ? '$metric_name' : '$meta.metric_name');
}

async function countBy(db: Db, collection: string, field: string): Promise<Record<string, number>> {
  const groups = await db
    .collection(collection)
    .aggregate<{ _id: string; count: number }>([
      { $group: { _id: field, count: { $sum: 1 } } },
      { $sort: { _id: 1 } },
    ])
    .toArray();
  return Object.fromEntries(groups.map(({ _id, count }) => [_id, count]));
}
