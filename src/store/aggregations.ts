/** Sums over many records, made by the server: what a picture of a database needs. The same for both layouts. */
import type { Document } from 'mongodb';
import { METRICS } from './names.js';
import type { TelemetryReader } from './reads.js';

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
