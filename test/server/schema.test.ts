/** Collections and indexes as the server has them after a load. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { SeedError } from '../../src/index.js';
import { HAS_CLUSTERED, timeSeriesTest } from '../support/features.js';
import { daysBefore, useServer } from '../support/loading.js';

const file = useServer();
/** Assets and collections, and no records that would take time, or expire. */
const EMPTY = { days: 1, assetsOnly: true } as const;

async function keysOf(db: Db, collection: string): Promise<Document[]> {
  const indexes = await db.collection(collection).indexes();
  return indexes.map(({ key }) => key).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function optionsOf(db: Db, collection: string): Promise<Document> {
  const [info] = await db.listCollections({ name: collection }, { nameOnly: false }).toArray();
  return { type: info.type, ...info.options };
}

const ASSET_INDEXES = [
  { _id: 1 },
  { asset_type: 1 },
  { 'data.parent_asset_id': 1 },
  { hostname: 1 },
  { last_updated: 1 },
];

test('flat: metrics is clustered by _id where the server can, and has the index of asset, metric and time', async () => {
  const database = file.freshDatabase();
  await file.load(database, EMPTY);
  const db = file.client.db(database);
  const { type, clusteredIndex, ...more } = await optionsOf(db, 'metrics');
  assert.equal(type, 'collection');
  if (HAS_CLUSTERED) assert.deepEqual([clusteredIndex.key, clusteredIndex.unique], [{ _id: 1 }, true]);
  else assert.equal(clusteredIndex, undefined);
  assert.deepEqual(more, {});
  assert.deepEqual(await keysOf(db, 'metrics'), [{ _id: 1 }, { asset_id: 1, metric_name: 1, timestamp: 1 }]);
  assert.deepEqual(await keysOf(db, 'assets'), ASSET_INDEXES);
});

test('--no-clustered: an ordinary collection with the same indexes', async () => {
  const database = file.freshDatabase();
  await file.load(database, { ...EMPTY, clustered: false });
  const db = file.client.db(database);
  assert.deepEqual(await optionsOf(db, 'metrics'), { type: 'collection' });
  assert.deepEqual(await keysOf(db, 'metrics'), [{ _id: 1 }, { asset_id: 1, metric_name: 1, timestamp: 1 }]);
});

timeSeriesTest('timeseries: fields, granularity, indexes, and --ttl-days', async () => {
  for (const ttlDays of [undefined, 30]) {
    const database = file.freshDatabase();
    await file.load(database, { ...EMPTY, layout: 'timeseries', ttlDays });
    const db = file.client.db(database);
    const { type, timeseries, expireAfterSeconds } = await optionsOf(db, 'metrics');
    assert.equal(type, 'timeseries');
    const { timeField, metaField, granularity } = timeseries;
    assert.deepEqual([timeField, metaField, granularity], ['timestamp', 'meta', 'minutes']);
    assert.equal(expireAfterSeconds, ttlDays && ttlDays * 86_400);
    const keys = (await keysOf(db, 'metrics')).map((key) => JSON.stringify(key));
    for (const wanted of [
      { 'meta.asset_id': 1, timestamp: 1 },
      { 'meta.metric_name': 1, timestamp: 1 },
    ]) {
      assert.ok(keys.includes(JSON.stringify(wanted)), keys.join(' '));
    }
    assert.deepEqual(await keysOf(db, 'assets'), ASSET_INDEXES);
  }
});

timeSeriesTest('the other layout is refused while metrics has one, and nothing is written', async () => {
  const database = file.freshDatabase();
  await file.load(database, EMPTY);
  const runs = file.client.db(database).collection('seed_runs');
  const before = await runs.find().toArray();
  const other = { ...EMPTY, layout: 'timeseries', existing: 'keep' } as const;
  await assert.rejects(file.load(database, other), (error) => {
    assert.ok(error instanceof SeedError);
    assert.equal(error.exitStatus, 5);
    assert.match(error.message, /collection metrics of database \w+ has the flat layout, not timeseries/);
    assert.match(error.remedy, /--layout flat.*--clean/);
    return true;
  });
  assert.deepEqual(await runs.find().toArray(), before);
  await file.load(database, { ...other, existing: 'clean' });
  assert.equal((await optionsOf(file.client.db(database), 'metrics')).type, 'timeseries');
});

test('the run and the checkpoints say what was loaded', async () => {
  const database = file.freshDatabase();
  const { runId } = await file.load(database, { start: daysBefore(0.5), end: daysBefore(0.25) });
  const db = file.client.db(database);
  const [run, ...others] = await db.collection('seed_runs').find().toArray();
  assert.deepEqual(others, []);
  const { seed, window, layout, state, planned, shards, active, heartbeat } = run;
  assert.deepEqual(
    [String(run._id), seed, layout, state, shards, active],
    [runId, 42, 'flat', 'complete', 32, undefined],
  );
  assert.deepEqual(window, { start: daysBefore(0.5), end: daysBefore(0.25) });
  assert.ok(heartbeat instanceof Date);
  const checkpoints = await db.collection('seed_shards').find().toArray();
  assert.equal(checkpoints.length, 32);
  const records = checkpoints.reduce((sum, shard) => sum + shard.records, 0);
  assert.equal(records, planned.metrics + planned.polling + planned.backup);
  assert.equal(records, await db.collection('metrics').countDocuments());
  for (const { _id, run: of, asset, from, to, worker, ms } of checkpoints) {
    assert.ok(String(_id).startsWith(`${runId}:${asset}:`), String(_id));
    assert.deepEqual([of, from, to], [runId, daysBefore(0.5), daysBefore(0.25)]);
    assert.ok(worker >= 0 && ms >= 0);
  }
});
