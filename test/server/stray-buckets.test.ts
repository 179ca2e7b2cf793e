/**
 * Buckets of a time-series `metrics` without the collection: what a server leaves that dies while it
 * makes or drops one.
 */
import assert from 'node:assert/strict';
import type { Db } from 'mongodb';
import { SeedError } from '../../src/index.js';
import { timeSeriesTest } from '../support/features.js';
import { END, useServer } from '../support/loading.js';

const file = useServer();
const BUCKETS = 'system.buckets.metrics';
const HALF_HOUR = { start: new Date(END.getTime() - 1_800_000), workers: 1 } as const;
const RECORDS = 30 * 94;
const OURS = { timeField: 'timestamp', metaField: 'meta', granularity: 'minutes' } as const;

/** Makes the buckets as the server lists those of such a collection, and nothing else. */
async function strayBuckets(db: Db, timeseries = OURS as object, more: object = {}): Promise<void> {
  await db.createCollection('metrics', { timeseries: timeseries as typeof OURS, ...more });
  const [{ options }] = (await db.listCollections({ name: BUCKETS }).toArray()) as { options?: object }[];
  await db.collection('metrics').drop();
  await db.command({ create: BUCKETS, ...options });
}

timeSeriesTest('empty buckets as a load makes them become the collection', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  await strayBuckets(db);
  const summary = await file.load(database, { ...HALF_HOUR, layout: 'timeseries' });
  assert.deepEqual([summary.status, summary.records.inserted], ['complete', RECORDS]);
  assert.equal(await db.collection('metrics').countDocuments(), RECORDS);
});

timeSeriesTest('so do those that expire, where the load asks for the same', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  await strayBuckets(db, OURS, { expireAfterSeconds: 10_000 * 86_400 });
  const ttlDays = 10_000;
  const summary = await file.load(database, { ...HALF_HOUR, layout: 'timeseries', ttlDays });
  assert.equal(summary.status, 'complete');
});

for (const [kind, options, prepare] of [
  ['for the flat layout', { layout: 'flat' }, (db: Db) => strayBuckets(db)],
  [
    'of another granularity',
    { layout: 'timeseries' },
    (db: Db) => strayBuckets(db, { ...OURS, granularity: 'hours' }),
  ],
  ['that expire', { layout: 'timeseries' }, (db: Db) => strayBuckets(db, OURS, { expireAfterSeconds: 60 })],
] as const) {
  timeSeriesTest(`buckets ${kind}: refused, nothing written`, async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    await prepare(db);
    const names = async () => (await db.listCollections().toArray()).map(({ name }) => name).sort();
    const before = await names();
    await assert.rejects(file.load(database, { ...HALF_HOUR, ...options }), (error) => {
      assert.ok(error instanceof SeedError, String(error));
      assert.equal(error.exitStatus, 5);
      assert.match(error.message, /holds buckets of a time-series collection metrics that is not there/);
      return true;
    });
    assert.deepEqual(await names(), before);
    const cleaned = await file.load(database, { ...HALF_HOUR, ...options, existing: 'clean', yes: true });
    assert.equal(cleaned.status, 'complete');
  });
}
