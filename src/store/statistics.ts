/** Sizes and counts of what was loaded. */
import type { Db } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ASSETS, METRIC_BUCKETS, METRICS, OWN_COLLECTIONS } from './names.js';

export interface DatabaseStatistics {
  readonly name: string;
  /** Documents by collection of this program. A time-series collection counts measurements. */
  readonly collections: Readonly<Record<string, number>>;
  readonly dataSizeBytes: number;
  readonly storageSizeBytes: number;
  readonly indexSizeBytes: number;
}

/**
 * Counts from collection metadata where that is exact enough (no scan), and the sizes of `dbStats`.
 * @param records in `metrics`, where they have been counted
 */
export async function databaseStatistics(db: Db, records?: number): Promise<DatabaseStatistics> {
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
          name === METRICS && records !== undefined
            ? records
            : type === 'timeseries'
              ? await countMeasurements(db, 'timeseries')
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

/**
 * Records in `metrics`, exactly. Counting a time-series collection unpacks every measurement, so the buckets are asked for
 * their own counts where the user may read them: a compressed bucket has a count, another one lists its timestamps.
 */
export async function countMeasurements(db: Db, layout: Layout): Promise<number> {
  const metrics = db.collection(METRICS);
  if (layout === 'flat')
    return metrics.countDocuments({}, { hint: '_id_' }).catch(() => metrics.countDocuments({}));
  // Servers from 8.3 on may keep buckets under the collection's own name, and then there are none of this one.
  if ((await db.listCollections({ name: METRIC_BUCKETS }, { nameOnly: true }).toArray()).length === 0) {
    return metrics.countDocuments({});
  }
  try {
    const measurements = {
      $ifNull: ['$control.count', { $size: { $objectToArray: '$data.timestamp' } }],
    };
    const [total] = await db
      .collection(METRIC_BUCKETS)
      .aggregate<{ count: number }>([{ $group: { _id: null, count: { $sum: measurements } } }])
      .toArray();
    return total?.count ?? 0;
  } catch {
    return metrics.countDocuments({});
  }
}

/** Assets by type. */
export async function countAssetsByType(db: Db): Promise<Record<string, number>> {
  return countBy(db, ASSETS, '$asset_type');
}

/** Records by metric name, in either layout. */
export async function countRecordsByMetric(db: Db, layout: Layout): Promise<Record<string, number>> {
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
