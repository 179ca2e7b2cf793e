/**
 * `verify` compares buckets by their bytes, and finds in them what it finds in records: whatever is
 * done to a collection of buckets, it says the same of it as of the same records in the flat layout,
 * or what the server itself says.
 */
import assert from 'node:assert/strict';
import { Binary, type Db, type Document, type FindCursor } from 'mongodb';
import { type LoadOptions, verify } from '../../src/index.js';
import { bucketsTest } from '../support/features.js';
import { daysBefore, END, useServer } from '../support/loading.js';

const file = useServer();

const BUCKETS = 'system.buckets.metrics';
/** Not the first one, which is read as records whatever its buckets say. */
const SERIES = { 'meta.asset_id': 'vm-102', 'meta.metric_name': 'memory_usage' } as const;
const NO_DEFECTS = { missing: 0, doubled: 0, different: 0, foreign: 0 } as const;

/** A period that begins and ends within hours, so that two shards have buckets filed under one. */
const OPTIONS: LoadOptions = {
  layout: 'timeseries',
  writer: 'buckets',
  start: new Date(daysBefore(4).getTime() - 23 * 60_000),
  end: new Date(END.getTime() - 37 * 60_000),
  shardDays: 2,
};

interface Spoilt {
  readonly what: string;
  readonly spoil: (db: Db) => Promise<void>;
  readonly found: Partial<Record<keyof typeof NO_DEFECTS, number>>;
}

function bucketsOf(db: Db): FindCursor<Document> {
  return db.collection(BUCKETS).find(SERIES, { promoteValues: false }).sort({ 'control.min.timestamp': 1 });
}

/** Replaces the series' bucket at this place by what `change` makes of it. */
async function rewrite(db: Db, at: number, change: (bucket: Document) => Document): Promise<void> {
  const bucket = (await bucketsOf(db).toArray())[at];
  assert.ok(bucket);
  await db.collection(BUCKETS).deleteOne({ _id: bucket._id });
  await db.collection(BUCKETS).insertOne(change(bucket));
}

/** One measurement of the series, `minutes` after its first one. */
async function measure(db: Db, minutes: number, change: (measurement: Document) => Document): Promise<void> {
  const metrics = db.collection(METRICS);
  const first = await metrics.findOne(SERIES, { sort: { timestamp: 1 }, projection: { _id: 0 } });
  const timestamp = new Date(first?.timestamp.getTime() + minutes * 60_000);
  const found = await metrics.findOne({ ...SERIES, timestamp }, { projection: { _id: 0 } });
  await metrics.insertOne(change({ ...first, ...found, timestamp }));
}

const METRICS = 'metrics';
const TWO_DAYS = 2 * 1440;

const SPOILT: readonly Spoilt[] = [
  { what: 'nothing', spoil: async () => undefined, found: {} },
  {
    what: 'a bucket that is gone',
    spoil: async (db) => {
      const [bucket] = await bucketsOf(db).toArray();
      await db.collection(BUCKETS).deleteOne({ _id: bucket?._id });
    },
    found: { missing: 1000 },
  },
  {
    what: 'a bucket that is there again under another _id',
    spoil: async (db) => {
      const [bucket] = await bucketsOf(db).toArray();
      assert.ok(bucket);
      const id = Buffer.from(bucket._id.id);
      id[11] ^= 0x80;
      await db.collection(BUCKETS).insertOne({ ...bucket, _id: new bucket._id.constructor(id) });
    },
    found: { doubled: 1000 },
  },
  {
    what: 'the last bucket of a shard filed under another _id',
    spoil: async (db) =>
      rewrite(db, 2, (bucket) => {
        const id = Buffer.from(bucket._id.id);
        id[11] ^= 0x80;
        return { ...bucket, _id: new bucket._id.constructor(id) };
      }),
    found: {},
  },
  {
    what: 'a bucket with the values of another series',
    spoil: async (db) => {
      const other = await db
        .collection(BUCKETS)
        .findOne(
          { 'meta.asset_id': 'vm-103', 'meta.metric_name': 'memory_usage' },
          { sort: { 'control.min.timestamp': 1 } },
        );
      await rewrite(db, 0, (bucket) => ({
        ...bucket,
        data: { ...bucket.data, value: new Binary(other?.data.value.buffer, 7) },
      }));
    },
    // Two percentages may agree here and there: the test counts how often.
    found: { different: Number.NaN },
  },
  {
    what: 'a second measurement of a minute, with its value',
    spoil: (db) => measure(db, 100, (measurement) => measurement),
    found: { doubled: 1 },
  },
  {
    what: 'a second measurement of the first minute of the second shard, with another value',
    spoil: (db) => measure(db, TWO_DAYS, (measurement) => ({ ...measurement, value: -1 })),
    found: { doubled: 1 },
  },
  {
    what: 'a measurement between two minutes',
    spoil: (db) => measure(db, 100.5, (measurement) => ({ ...measurement, value: 1 })),
    found: { foreign: 1 },
  },
  {
    what: 'a measurement before the period',
    spoil: (db) => measure(db, -30, (measurement) => ({ ...measurement, value: 1 })),
    found: { foreign: 1 },
  },
  {
    what: 'a measurement of a series that is not planned',
    spoil: (db) =>
      measure(db, 5, (measurement) => ({ ...measurement, meta: { asset_id: 'vm-101', metric_name: 'x' } })),
    found: { foreign: 1 },
  },
];

for (const { what, spoil, found } of SPOILT) {
  bucketsTest(`buckets, and ${what}`, async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    const summary = await file.load(database, OPTIONS);
    assert.deepEqual(summary.loader.writer, { kind: 'buckets' });
    const before = await valuesOf(db);
    await spoil(db);
    const report = await verify({ uri: file.server.uri, database, workers: 1 });
    const { expected, found: read, ofOtherRuns, ...defects } = report.records;
    const counted = Number.isNaN(found.different) ? { different: await changed(db, before) } : found;
    assert.deepEqual(defects, { ...NO_DEFECTS, ...counted });
    assert.equal(ofOtherRuns, 0);
    assert.equal(read, await db.collection(METRICS).countDocuments());
    assert.equal(expected, summary.records.planned);
    // One series is read as records to see that the server reads buckets, and the one that is spoilt.
    assert.ok(report.inBuckets > 0.95 * expected, `${report.inBuckets} of ${expected}`);
    assert.equal(report.status, Object.keys(found).length === 0 ? 'equal' : 'different');
  });
}

async function valuesOf(db: Db): Promise<number[]> {
  const documents = await db.collection(METRICS).find(SERIES).sort({ timestamp: 1 }).toArray();
  return documents.map(({ value }) => value);
}

async function changed(db: Db, before: readonly number[]): Promise<number> {
  const after = await valuesOf(db);
  return after.filter((value, i) => value !== before[i]).length;
}

bucketsTest('shards of another length than the load had are compared all the same', async () => {
  const database = file.freshDatabase();
  const dataset = { layout: 'timeseries', days: 5, seed: 3, end: END } as const;
  const summary = await file.load(database, { ...dataset, shardDays: 3 });
  // Described by hand: of the load's shards nothing is known.
  const report = await verify({ uri: file.server.uri, database, ...dataset, workers: 1 });
  assert.equal(report.status, 'equal');
  assert.equal(report.records.found, summary.records.planned);
  assert.ok(report.inBuckets > 0 && report.inBuckets < summary.records.planned, String(report.inBuckets));
});
