/** What tests of compressed buckets look at, and a fleet for them. */
import assert from 'node:assert/strict';
import type { Db, Document } from 'mongodb';
import type { LoadOptions } from '../../src/index.js';
import { END } from './loading.js';

const BUCKETS = 'system.buckets.metrics';

/**
 * Sums that weigh every value with its instant, by series: as dashboards group, but so that no
 * record can be another's.
 */
export async function weighed(db: Db): Promise<Document[]> {
  const weight = { $multiply: ['$value', { $mod: [{ $toLong: '$timestamp' }, 1_000_003] }] };
  return db
    .collection('metrics')
    .aggregate([
      {
        $group: {
          _id: '$meta',
          records: { $sum: 1 },
          sum: { $sum: '$value' },
          weighed: { $sum: weight },
          first: { $min: '$timestamp' },
          last: { $max: '$timestamp' },
        },
      },
      { $sort: { '_id.asset_id': 1, '_id.metric_name': 1 } },
    ])
    .toArray();
}

/** By an index of time alone, by a scan, and by the index of a series. */
export async function read(db: Db): Promise<Document[]> {
  const metrics = db.collection('metrics');
  const hour = { $gte: new Date(END.getTime() - 7_260_000), $lt: new Date(END.getTime() - 3_600_000) };
  const sorted = {
    projection: { _id: 0 },
    sort: { timestamp: 1, 'meta.asset_id': 1, 'meta.metric_name': 1 },
  } as const;
  return [
    ...(await metrics.find({ timestamp: hour }, sorted).toArray()),
    ...(await metrics
      .find({ value: { $gt: 99.9 } }, { ...sorted, hint: { $natural: 1 }, limit: 500 })
      .toArray()),
    ...(await metrics.find({ 'meta.metric_name': 'cpu_usage', timestamp: hour }, sorted).toArray()),
  ];
}

/** The server looks at every bucket, and at both of its indexes. */
export async function assertValidBuckets(db: Db): Promise<void> {
  await db.admin().command({ fsync: 1 });
  const { valid, errors, nNonCompliantDocuments = 0 } = await db.command({ validate: BUCKETS, full: true });
  assert.deepEqual(
    { valid, errors, nNonCompliantDocuments },
    { valid: true, errors: [], nNonCompliantDocuments: 0 },
  );
}

/**
 * Metrics of other sizes than percentages: whole numbers too large for hundredths, and fractions.
 */
export const OWN_METRICS_FLEET = {
  machines: [
    {
      id: 'web-1',
      type: 'vm',
      hostname: 'WEB-1',
      pattern: 'high_load_business_hours',
      metrics: [
        { name: 'queue_length', unit: 'jobs', range: [0, 1e12], pattern: 'steady' },
        { name: 'error_rate', unit: 'ratio', range: [0, 0.01], pattern: 'follows_cpu' },
      ],
      data: {},
      services: [],
    },
  ],
  jobs: [],
} as unknown as LoadOptions['fleet'];
