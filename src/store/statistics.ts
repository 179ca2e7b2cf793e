/** Sizes and counts of what was loaded. */
import type { Db, Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ASSETS, METRIC_BUCKETS, METRICS } from './collections.js';
import type { TelemetryReader } from './reads.js';

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
 * @param names the collections to count
 * @param records in `metrics`, where they have been counted
 */
export async function databaseStatistics(
  db: Db,
  names: readonly string[],
  records?: number,
): Promise<DatabaseStatistics> {
  const [stats, collections] = await Promise.all([
    db.command({ dbStats: 1 }),
    db.listCollections({}, { nameOnly: false }).toArray(),
  ]);
  const counts: Record<string, number> = {};
  await Promise.all(
    collections
      .filter((c) => names.includes(c.name))
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
 * Records in `metrics`, exactly. Counting a time-series collection unpacks every measurement, so
 * the buckets are asked for their own counts where the user may read them: a compressed bucket has
 * a count, another one lists its timestamps.
 */
export async function countMeasurements(db: Db, layout: Layout): Promise<number> {
  const metrics = db.collection(METRICS);
  if (layout === 'flat')
    return metrics.countDocuments({}, { hint: '_id_' }).catch(() => metrics.countDocuments({}));
  // Servers from 8.3 on may keep buckets under the collection's own name, and then there are none
  // of this one.
  if (!(await hasBuckets(db))) return metrics.countDocuments({});
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

// What only `doctor` asks a server. Reads only.

/** Bytes left on the file system of the data; undefined where the server does not say. */
export async function freeBytes(db: Db): Promise<number | undefined> {
  // A database that is not there yet has no file system; `admin` is always there, but not everybody
  // may ask it.
  return (await freeBytesOf(db)) ?? (await freeBytesOf(db.client.db('admin')));
}

async function freeBytesOf(db: Db): Promise<number | undefined> {
  const { fsTotalSize = 0, fsUsedSize = 0 } = await db.command({ dbStats: 1 }).catch(() => ({}) as Document);
  return fsTotalSize > 0 ? fsTotalSize - fsUsedSize : undefined;
}

// Sums over many records, made by the server: what a picture of a database needs. The same for both
// layouts.

/** Instants, half open. */
export interface Period {
  readonly from: Date;
  readonly to: Date;
}

/** Values of one metric of one asset in one bucket of time. */
export interface BucketRow {
  readonly metricName: string;
  /** Its first minute since 1970-01-01 UTC. */
  readonly minute: number;
  /** As the records name it; null in a layout that does not. */
  readonly unit: string | null;
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  readonly min: number;
  readonly max: number;
}

const MS_PER_MINUTE = 60_000;

/** Instants of the oldest and the newest record of a series; undefined where it has none. */
export async function recordSpan(
  reader: TelemetryReader,
  assetId: string,
  metricName: string,
): Promise<readonly [oldest: Date, newest: Date] | undefined> {
  const series = {
    [recordField(reader, 'asset_id')]: assetId,
    [recordField(reader, 'metric_name')]: metricName,
  };
  const outermost = (direction: 1 | -1) =>
    reader.db
      .collection(METRICS)
      .find(series)
      .project({ _id: 0, timestamp: 1 })
      .sort({ timestamp: direction })
      .limit(1)
      .toArray();
  const [[oldest], [newest]] = await Promise.all([outermost(1), outermost(-1)]);
  return oldest && newest ? [oldest.timestamp, newest.timestamp] : undefined;
}

/** Which records of an asset are summed up. */
export type Summed =
  | { readonly without: readonly string[] }
  | { readonly only: string; readonly below: number };

/** Records of an asset, by metric and by buckets of so many minutes. */
export async function bucketRows(
  reader: TelemetryReader,
  assetId: string,
  period: Period,
  stepMinutes: number,
  summed: Summed,
): Promise<BucketRow[]> {
  const metric = recordField(reader, 'metric_name');
  const stepMs = stepMinutes * MS_PER_MINUTE;
  const time = { $toLong: '$timestamp' };
  const found = await reader.db
    .collection(METRICS)
    .aggregate(
      [
        {
          $match: {
            ...matching(reader, assetId, period),
            ...('without' in summed
              ? { [metric]: { $nin: summed.without }, value: { $type: 'number' } }
              : { [metric]: summed.only, value: { $lt: summed.below } }),
          },
        },
        {
          $group: {
            _id: { metric: `$${metric}`, ms: { $subtract: [time, { $mod: [time, stepMs] }] } },
            unit: { $first: '$unit' },
            count: { $sum: 1 },
            sum: { $sum: '$value' },
            squares: { $sum: { $multiply: ['$value', '$value'] } },
            min: { $min: '$value' },
            max: { $max: '$value' },
          },
        },
      ],
      { allowDiskUse: true },
    )
    .toArray();
  return found.map(({ _id, unit, ...sums }) => {
    const { count, sum, squares, min, max } = sums;
    const minute = Number(_id.ms) / MS_PER_MINUTE;
    return { metricName: _id.metric, minute, unit: unit ?? null, count, sum, squares, min, max };
  });
}

/** How many records a series has. In the flat layout the index answers it. */
export function countRecords(
  reader: TelemetryReader,
  assetId: string,
  metricName: string,
  period: Period,
): Promise<number> {
  return reader.db.collection(METRICS).countDocuments(matching(reader, assetId, period, metricName));
}

/** Mean and highest value of a series; undefined where it has no records. */
export async function meanAndHighest(
  reader: TelemetryReader,
  assetId: string,
  metricName: string,
  period: Period,
): Promise<{ readonly mean: number; readonly highest: number } | undefined> {
  const [found] = await reader.db
    .collection(METRICS)
    .aggregate<{ mean: number; highest: number }>([
      { $match: matching(reader, assetId, period, metricName) },
      { $group: { _id: null, mean: { $avg: '$value' }, highest: { $max: '$value' } } },
    ])
    .toArray();
  return found;
}

/** The records of a series that are below a value, oldest first. */
export async function recordsBelow(
  reader: TelemetryReader,
  assetId: string,
  metricName: string,
  period: Period,
  value: number,
): Promise<{ readonly timestamp: Date; readonly value: number }[]> {
  const found = await reader.db
    .collection(METRICS)
    .find({ ...matching(reader, assetId, period, metricName), value: { $lt: value } })
    .project({ _id: 0, timestamp: 1, value: 1 })
    .sort({ timestamp: 1 })
    .toArray();
  return found.map((document) => ({ timestamp: document.timestamp, value: document.value }));
}

function matching(
  reader: TelemetryReader,
  assetId: string,
  { from, to }: Period,
  metricName?: string,
): Document {
  return {
    [recordField(reader, 'asset_id')]: assetId,
    ...(metricName === undefined ? {} : { [recordField(reader, 'metric_name')]: metricName }),
    timestamp: { $gte: from, $lt: to },
  };
}

function recordField({ layout }: TelemetryReader, name: string): string {
  return layout === 'flat' ? name : `meta.${name}`;
}

/** Whether buckets are there, with or without the collection that they are of. */
export async function hasBuckets(db: Db): Promise<boolean> {
  return (await db.listCollections({ name: METRIC_BUCKETS }, { nameOnly: true }).toArray()).length > 0;
}
