/** `verify` finds each kind of defect, names it, and `--repair` mends those that can be. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Db, type Document, Double, MongoClient, ObjectId } from 'mongodb';
import type { Layout } from '../../src/config/settings.js';
import {
  assertEqualToPlan,
  deleteSeries,
  loadWell,
  type Place,
  rewriteSeries,
  type Verified,
  verify,
} from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;

before(async () => {
  server = await startTestServer();
  client = await new MongoClient(server.uri).connect();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

const MINUTE_MS = 60_000;
/** Position of the record that is spoilt. */
const AT = 200;

const minuteLater = ({ timestamp }: Document) => new Date(Number(timestamp) + MINUTE_MS);
const nudged = ({ value }: Document) => new Double(Number((Number(value) + 0.01).toFixed(2)));

interface Planted {
  readonly name: string;
  /** Each in a series of its own. */
  readonly series: readonly [assetId: string, metricName: string];
  readonly change: (documents: Document[], layout: Layout) => Document[];
  readonly found: Readonly<Record<Layout, Readonly<Record<string, number>>>>;
  /** Records that a repair mends. */
  readonly mends: Readonly<Record<Layout, number>>;
}

const PLANTED: readonly Planted[] = [
  {
    name: 'one record deleted',
    series: ['vm-101', 'cpu_usage'],
    change: (documents) => documents.toSpliced(AT, 1),
    found: { flat: { missing: 1 }, timeseries: { missing: 1 } },
    mends: { flat: 1, timeseries: 1 },
  },
  {
    name: 'one record doubled',
    series: ['vm-102', 'cpu_usage'],
    change: (documents, layout) => {
      const second = layout === 'flat' ? { ...documents[AT], _id: new ObjectId() } : documents[AT];
      return documents.toSpliced(AT, 0, second);
    },
    found: { flat: { doubled: 1 }, timeseries: { doubled: 1 } },
    mends: { flat: 0, timeseries: 0 },
  },
  {
    name: 'one value changed in the last decimal',
    series: ['vm-103', 'cpu_usage'],
    change: (documents) => documents.with(AT, { ...documents[AT], value: nudged(documents[AT]) }),
    found: { flat: { different: 1 }, timeseries: { different: 1 } },
    mends: { flat: 1, timeseries: 0 },
  },
  {
    name: 'one minute shifted',
    series: ['vm-104', 'cpu_usage'],
    change: (documents) => documents.with(AT, { ...documents[AT], timestamp: minuteLater(documents[AT]) }),
    // Its `_id` says in the flat layout which record it is; the other layout sees a gap and a
    // second record.
    found: { flat: { different: 1 }, timeseries: { missing: 1, doubled: 1 } },
    mends: { flat: 1, timeseries: 1 },
  },
  {
    name: 'a value of another type',
    series: ['vm-105', 'cpu_usage'],
    change: (documents) => documents.with(AT, { ...documents[AT], value: 'n/a' }),
    found: { flat: { different: 1 }, timeseries: { different: 1 } },
    mends: { flat: 1, timeseries: 0 },
  },
  {
    name: 'a field too many',
    series: ['ct-201', 'cpu_usage'],
    change: (documents) => documents.with(AT, { ...documents[AT], note: 'x' }),
    found: { flat: { different: 1 }, timeseries: { different: 1 } },
    mends: { flat: 1, timeseries: 0 },
  },
  {
    name: 'a whole series gone',
    series: ['ct-202', 'cpu_usage'],
    change: () => [],
    found: { flat: { missing: 360 }, timeseries: { missing: 360 } },
    mends: { flat: 360, timeseries: 360 },
  },
];

const NONE = { missing: 0, doubled: 0, different: 0, foreign: 0 };

function defects({ missing, doubled, different, foreign }: Readonly<Record<string, number>>) {
  return { missing, doubled, different, foreign };
}

for (const layout of LAYOUTS_HERE) {
  describe(`${layout} layout`, () => {
    let place: Place;
    let db: Db;

    before(async () => {
      place = { uri: server.uri, database: `defects_${layout}` };
      db = client.db(place.database);
      const window = ['--start', '2025-02-08T00:00Z', '--end', '2025-02-08T06:00Z'];
      await loadWell(place, '--metrics-only', '--backup-only', '--layout', layout, ...window);
    });

    test('what was loaded is equal', async () => {
      const { records } = await assertEqualToPlan(place);
      assert.deepEqual(records, { expected: 10_810, found: 10_810, ofOtherRuns: 0, ...NONE });
    });

    describe('defects', () => {
      const originals = new Map<string, Document[]>();
      let spoilt: Verified;
      let repaired: Verified;

      before(async () => {
        for (const { name, series, change } of PLANTED) {
          const spoil = (documents: Document[]) => change(documents, layout);
          originals.set(name, await rewriteSeries(db, layout, series, spoil));
        }
        spoilt = await verify(place);
        repaired = await verify(place, '--repair');
      });
      after(async () => {
        for (const { name, series } of PLANTED) {
          await rewriteSeries(db, layout, series, () => originals.get(name) ?? []);
        }
        await assertEqualToPlan(place);
      });

      for (const { name, series, found, mends } of PLANTED) {
        const [assetId, metricName] = series;
        const isOurs = (one: Document) => one.assetId === assetId && one.metricName === metricName;

        test(`found: ${name}`, () => {
          assert.deepEqual(spoilt.series.find(isOurs), { assetId, metricName, ...NONE, ...found[layout] });
          const example = spoilt.examples.find(isOurs);
          assert.ok(example && found[layout][example.defect] > 0, JSON.stringify(example));
          const position = name === 'a whole series gone' ? 0 : AT;
          const original = originals.get(name)?.[position].timestamp as Date;
          assert.equal(example.timestamp, original.toISOString());
        });

        test(`repaired where it can be: ${name}`, () => {
          const total = Object.values(found[layout]).reduce((sum, count) => sum + count, 0);
          const left = Object.values(defects(repaired.series.find(isOurs) ?? NONE));
          assert.equal(
            left.reduce((sum, count) => sum + count),
            total - mends[layout],
          );
        });
      }

      test('the totals, and nothing else', () => {
        const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
        assert.equal(spoilt.exit, 1);
        assert.equal(spoilt.status, 'different');
        assert.equal(spoilt.series.length, PLANTED.length);
        assert.equal(repaired.repaired, sum(PLANTED.map(({ mends }) => mends[layout])));
        assert.equal(repaired.exit, 1);
        const planted = sum(PLANTED.flatMap(({ found }) => Object.values(found[layout])));
        assert.equal(sum(Object.values(defects(spoilt.records))), planted);
      });
    });

    test('one foreign asset, and a record outside the window', async () => {
      const metrics = db.collection('metrics');
      const prefix = layout === 'flat' ? '' : 'meta.';
      const [{ _id, ...fields }] = await metrics
        .find({ [`${prefix}asset_id`]: 'vm-101', [`${prefix}metric_name`]: 'cpu_usage' })
        .limit(1)
        .toArray();
      const stray = (assetId: string, timestamp: Date) =>
        layout === 'flat'
          ? { ...fields, asset_id: assetId, timestamp }
          : { ...fields, timestamp, meta: { ...fields.meta, asset_id: assetId } };
      const long = new Date('2024-02-29T12:00:00Z');
      const strays = [
        stray('vm-999', fields.timestamp),
        stray('vm-999', minuteLater(fields)),
        stray('vm-101', long),
      ];
      await metrics.insertMany(strays, { forceServerObjectId: true });
      const spoilt = await verify(place, '--repair');
      assert.equal(spoilt.exit, 1);
      assert.deepEqual(defects(spoilt.records), { ...NONE, foreign: 3 });
      assert.equal(spoilt.records.found, 10_813);
      assert.ok(spoilt.series.some(({ assetId, foreign }) => assetId === 'vm-999' && foreign === 2));
      await deleteSeries(db, layout, { [`${prefix}asset_id`]: 'vm-999' });
      await rewriteSeries(db, layout, ['vm-101', 'cpu_usage'], (documents) =>
        documents.filter(({ timestamp }) => timestamp > long),
      );
      await assertEqualToPlan(place);
    });

    test('assets: one missing, one different, one foreign', async () => {
      const assets = db.collection<Document>('assets');
      await assets.deleteOne({ asset_id: 'vm-101' });
      await assets.updateOne({ asset_id: 'ct-201' }, { $set: { 'data.cpu_cores': 3 } });
      await assets.insertOne({ asset_id: 'mine' });
      const spoilt = await verify(place, '--repair');
      assert.equal(spoilt.exit, 1);
      assert.equal(spoilt.repaired, 2);
      const { missing, different, foreign } = spoilt.assets;
      assert.deepEqual([missing, different, (foreign as string[]).length], [[], [], 1]);
      await assets.deleteOne({ asset_id: 'mine' });
      await assertEqualToPlan(place);
    });
  });
}

test('flat: a record under an _id of another type is found', async () => {
  const place = { uri: server.uri, database: 'defects_flat' };
  const metrics = client.db(place.database).collection<Document>('metrics');
  for (const _id of ['', 'zzz', 5, new Date(0), true] as unknown[]) {
    await metrics.insertOne({
      _id: _id as ObjectId,
      asset_id: 'other',
      metric_name: 'x',
      timestamp: new Date(0),
      value: 1,
    });
  }
  const { records } = await verify(place);
  assert.equal(records.foreign, 5);
  await metrics.deleteMany({ asset_id: 'other' });
});
