/**
 * A time-series load by compressed buckets holds what one by measurements holds, in buckets that
 * the server finds right.
 */
import assert from 'node:assert/strict';
import { MongoClient } from 'mongodb';
import { type LoadOptions, load, SeedError, verify } from '../../src/index.js';
import {
  assertValidBuckets as assertValid,
  OWN_METRICS_FLEET as FLEET,
  read,
  weighed,
} from '../support/buckets.js';
import { runCli } from '../support/cli.js';
import { placeFlags } from '../support/dataset.js';
import { bucketsTest } from '../support/features.js';
import { daysBefore, END, useServer } from '../support/loading.js';
import { startTestServer } from '../support/server.js';

const file = useServer({ args: ['--setParameter', 'enableTestCommands=1'] });

const BUCKETS = 'system.buckets.metrics';
const TIME_SERIES = { layout: 'timeseries', workers: 2 } as const;

const CASES: Readonly<Record<string, LoadOptions>> = {
  'a day': { days: 1 },
  'five days': { days: 5 },
  'shards of three days': { days: 4, shardDays: 3 },
  'a period that begins and ends within hours': {
    start: new Date(END.getTime() - 90_180_000),
    end: new Date(END.getTime() - 37 * 60_000),
  },
  'unit scale': { days: 2, availabilityScale: 'unit' },
  'three sites': { days: 1, scale: 3 },
  'a change of clocks': { days: 3, end: new Date('2025-03-31T00:00:00Z'), timezone: 'Europe/Rome' },
};

for (const [what, options] of Object.entries(CASES)) {
  bucketsTest(`the same as by measurements: ${what}`, async () => {
    const found = [];
    for (const writer of ['buckets', 'sequence'] as const) {
      const database = file.freshDatabase();
      const db = file.client.db(database);
      const summary = await file.load(database, { ...TIME_SERIES, ...options, writer });
      assert.deepEqual(summary.loader.writer, { kind: writer });
      assert.equal(summary.records.inserted, summary.records.planned);
      const { status, fingerprint, records } = await verify({ uri: file.server.uri, database, workers: 1 });
      assert.equal(status, 'equal');
      await assertValid(db);
      found.push({ fingerprint, records, weighed: await weighed(db), read: await read(db) });
    }
    assert.deepEqual(found[0], found[1]);
  });
}

bucketsTest(
  'buckets are the default of the time-series layout, are compressed, and take no more room',
  async () => {
    const sizes = [];
    for (const writer of ['auto', 'sequence'] as const) {
      const database = file.freshDatabase();
      const { loader } = await file.load(database, { ...TIME_SERIES, days: 14, writer });
      assert.equal(loader.writer.kind, writer === 'auto' ? 'buckets' : 'sequence');
      const buckets = file.client.db(database).collection(BUCKETS);
      // The server leaves the last bucket of each series open for more.
      if (writer === 'auto') assert.equal(await buckets.countDocuments({ 'control.version': { $ne: 2 } }), 0);
      const [stats] = await buckets.aggregate([{ $collStats: { storageStats: {} } }]).toArray();
      sizes.push(stats.storageStats.size);
    }
    assert.ok(sizes[0] <= 1.05 * sizes[1], sizes.join());
  },
);

bucketsTest('values that no decimal fraction holds are stored as they are', async () => {
  const database = file.freshDatabase();
  const options = { ...TIME_SERIES, days: 1, fleet: FLEET } as const;
  const { loader } = await file.load(database, options);
  assert.equal(loader.writer.kind, 'buckets');
  assert.equal((await verify({ uri: file.server.uri, database, workers: 1 })).status, 'equal');
});

bucketsTest(
  'why a load writes measurements is said, and buckets that cannot be had are refused and leave nothing',
  async () => {
    const database = file.freshDatabase();
    await file.load(database, { ...TIME_SERIES, days: 1 });
    const kept = await file.load(database, {
      ...TIME_SERIES,
      end: new Date(END.getTime() + 86_400_000),
      days: 1,
      existing: 'keep',
    });
    assert.deepEqual(kept.loader.writer, { kind: 'sequence', reason: 'there may be records already' });
    const other = file.freshDatabase();
    for (const [options, message] of [
      [{ layout: 'flat' }, /^--writer buckets cannot be had: only the time-series layout has buckets$/],
      [{ ...TIME_SERIES, end: new Date('2040-01-01T00:00:00Z') }, /: the period ends after January 2038$/],
    ] as const) {
      await assert.rejects(file.load(other, { days: 1, ...options, writer: 'buckets' }), (error) => {
        assert.ok(error instanceof SeedError);
        assert.equal(error.exitStatus, 2);
        assert.match(error.message, message);
        return true;
      });
      assert.equal(await file.client.db(other).collection('seed_runs').countDocuments(), 0);
    }
  },
);

bucketsTest(
  'a run begun with measurements, or by a version that knew nothing else, is finished with measurements',
  async () => {
    const database = file.freshDatabase();
    const stop = new AbortController();
    const options = {
      ...TIME_SERIES,
      uri: file.server.uri,
      database,
      seed: 42,
      end: END,
      days: 3,
      shardDays: 1,
      workers: 1,
    };
    const { status } = await load(
      { ...options, writer: 'sequence' },
      { signal: stop.signal, onEvent: ({ type }) => type === 'assetsWritten' && stop.abort() },
    );
    assert.equal(status, 'interrupted');
    const resumed = await load({ uri: file.server.uri, database, existing: 'resume' });
    assert.deepEqual(
      [resumed.status, resumed.loader.writer],
      ['complete', { kind: 'sequence', reason: 'the run was not begun with buckets' }],
    );
    assert.equal((await verify({ uri: file.server.uri, database, workers: 1 })).status, 'equal');
  },
);

bucketsTest(
  'a run of buckets goes on with buckets, whatever is asked for, and what is there is there',
  async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    const uri = file.server.uri;
    await file.load(database, { ...TIME_SERIES, days: 3, shardDays: 1 });
    const before = await db.collection(BUCKETS).countDocuments();
    // As if its loader had been killed: some shards have no checkpoint, and some of their buckets are
    // gone.
    await db.collection('seed_shards').deleteMany({ asset: { $in: ['vm-101', 'pve-node-01'] } });
    await db.collection(BUCKETS).deleteMany({ 'meta.asset_id': 'vm-101', 'meta.metric_name': 'cpu_usage' });
    await db
      .collection<{ _id: string }>('seed_runs')
      .updateMany({}, { $set: { state: 'interrupted' }, $unset: { finishedAt: 1 } });
    const { status, loader, records } = await load({ uri, database, existing: 'resume', writer: 'sequence' });
    assert.deepEqual([status, loader.writer.kind], ['complete', 'buckets']);
    assert.equal(records.inserted, records.planned);
    assert.equal(await db.collection(BUCKETS).countDocuments(), before);
    assert.equal((await verify({ uri, database, workers: 1 })).status, 'equal');
  },
);

bucketsTest('a bucket of the same _id with another value is not "already there"', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  await file.load(database, { ...TIME_SERIES, days: 1 });
  const metrics = db.collection('metrics');
  const series = { 'meta.asset_id': 'vm-101', 'meta.metric_name': 'cpu_usage' };
  const bucket = await db.collection(BUCKETS).findOne(series, { sort: { _id: 1 }, promoteValues: false });
  assert.ok(bucket);
  await db.collection(BUCKETS).deleteOne({ _id: bucket._id });
  // Uncompressed, with one measurement of another value under the very _id.
  const [timestamp, value] = [new Date(END.getTime() - 86_400_000), 1234.5];
  await db.collection(BUCKETS).insertOne({
    _id: bucket._id,
    control: { version: 1, min: { timestamp, value }, max: { timestamp, value } },
    meta: bucket.meta,
    data: { timestamp: { 0: timestamp }, value: { 0: value } },
  });
  assert.equal((await metrics.findOne({ ...series, timestamp }))?.value, value);
  await db.collection('seed_shards').deleteMany({ asset: 'vm-101' });
  await db
    .collection<{ _id: string }>('seed_runs')
    .updateMany({}, { $set: { state: 'interrupted' }, $unset: { finishedAt: 1 } });
  await assert.rejects(
    load({ uri: file.server.uri, database, existing: 'resume' }),
    /metrics holds another record of vm-101 cpu_usage at 2025-02-08T00:00:00\.000Z: its value is 1234\.5, not /,
  );
});

bucketsTest('refresh, and measurements of others, beside buckets', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  const place = { uri: file.server.uri, database };
  await file.load(database, { ...TIME_SERIES, days: 2, end: new Date(END.getTime() - 5_400_000) });
  for (const end of [END.getTime() - 5_340_000, END.getTime()]) {
    const flags = [
      'refresh',
      ...placeFlags(place),
      '--end',
      new Date(end).toISOString(),
      '--log-file',
      '/dev/null',
    ];
    const { status, stderr } = await runCli(flags);
    assert.equal(status, 0, stderr);
  }
  assert.equal((await verify({ ...place, workers: 1 })).status, 'equal');
  await assertValid(db);
  const timestamp = daysBefore(1);
  const foreign = { timestamp, meta: { asset_id: 'vm-101', metric_name: 'cpu_usage' }, value: 1 };
  await db.collection('metrics').insertOne(foreign);
  const { status, records } = await verify({ ...place, workers: 1 });
  assert.deepEqual([status, records.doubled + records.different > 0], ['different', true]);
  await assertValid(db);
});

bucketsTest(
  'a user with readWrite alone writes measurements and is told why; one with a right on the buckets writes buckets',
  async () => {
    const server = await startTestServer({ auth: true });
    const admin = new MongoClient(server.uri);
    try {
      const db = admin.db('rights');
      await db.command({ createUser: 'plain', pwd: 'p', roles: ['readWrite'] });
      const onBuckets = {
        resource: { db: 'rights', collection: BUCKETS },
        actions: ['insert', 'find', 'remove'],
      };
      await db.command({ createRole: 'buckets', privileges: [onBuckets], roles: ['readWrite'] });
      await db.command({ createUser: 'own', pwd: 'p', roles: ['buckets'] });
      await admin
        .db('admin')
        .command({ createUser: 'restorer', pwd: 'p', roles: ['restore', 'readWriteAnyDatabase'] });
      for (const [user, source, writer] of [
        ['plain', 'rights', { kind: 'sequence', reason: `user plain@rights may not write ${BUCKETS}` }],
        ['own', 'rights', { kind: 'buckets', reason: null }],
        ['restorer', 'admin', { kind: 'buckets', reason: null }],
      ] as const) {
        const uri = `mongodb://${user}:p@127.0.0.1:${server.port}/rights?authSource=${source}`;
        const flags = [
          '--days',
          '1',
          '--seed',
          '42',
          '--layout',
          'timeseries',
          '--clean',
          '--yes',
          '--json',
          '--log-file',
          '/dev/null',
        ];
        const { status, stdout, stderr } = await runCli(['load', ...flags], { env: { MONGODB_URI: uri } });
        assert.equal(status, 0, stderr);
        assert.deepEqual(JSON.parse(stdout).loader.writer, writer);
        const verified = await runCli(['verify', '--quiet'], { env: { MONGODB_URI: uri } });
        assert.equal(verified.status, 0, verified.stderr);
      }
      const uri = `mongodb://plain:p@127.0.0.1:${server.port}/other?authSource=rights`;
      const refused = await runCli(['load', '--days', '1', '--layout', 'timeseries', '--writer', 'buckets'], {
        env: { MONGODB_URI: uri.replace('/other', '/rights'), HOME: '/tmp' },
      });
      assert.notEqual(refused.status, 0);
    } finally {
      await admin.close();
      await server.stop();
    }
  },
);

bucketsTest(
  'a server that does not take the first bucket, or takes it in another way, is given measurements',
  async () => {
    const admin = file.client.db('admin');
    await admin.command({
      configureFailPoint: 'failCommand',
      mode: { times: 1 },
      data: { failCommands: ['insert'], namespace: `refusing.${BUCKETS}`, errorCode: 72 },
    });
    try {
      const { status, loader } = await file.load('refusing', { ...TIME_SERIES, days: 1 });
      assert.equal(status, 'complete');
      assert.equal(loader.writer.kind, 'sequence');
      assert.match(loader.writer.reason ?? '', /^the server refuses a bucket: /);
    } finally {
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    }
    assert.equal((await verify({ uri: file.server.uri, database: 'refusing', workers: 1 })).status, 'equal');
  },
);
