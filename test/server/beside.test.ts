/**
 * Datasets side by side in one database: kept where each has records of its own, refused by name
 * where they would be one another's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Double } from 'mongodb';
import { type FleetFile, type LoadEvent, type LoadOptions, load, SeedError } from '../../src/index.js';
import { rewriteSeries } from '../support/dataset.js';
import { LAYOUTS_HERE, timeSeriesTest } from '../support/features.js';
import { END, hashes, useServer } from '../support/loading.js';

const file = useServer();
const at = (minutes: number) => new Date(END.getTime() + minutes * 60_000);
const HALF_HOUR = { start: at(-30), workers: 1 } as const;
const RECORDS = 94 * 30;
const SERIES = ['vm-101', 'cpu_usage'] as const;

async function refused(loading: Promise<unknown>): Promise<SeedError> {
  const error = await loading.then(
    () => assert.fail('it was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SeedError, String(error));
  assert.equal(error.exitStatus, 5, error.message);
  assert.doesNotMatch(error.message + error.remedy, /\n/);
  return error;
}

/** Refused, and nothing changed. */
async function refusedUntouched(database: string, options: LoadOptions): Promise<SeedError> {
  const everything = () => hashes(file.client.db(database), 'assets', 'metrics', 'seed_runs', 'seed_shards');
  const before = await everything();
  const error = await refused(file.load(database, { ...HALF_HOUR, existing: 'keep', ...options }));
  assert.deepEqual(await everything(), before);
  return error;
}

timeSeriesTest(
  'time-series: another seed over the same minutes is refused, another period is not',
  async () => {
    const database = file.freshDatabase();
    const layout = 'timeseries';
    const { runId } = await file.load(database, { ...HALF_HOUR, layout });
    for (const window of [{}, { start: at(-90), end: at(-29) }, { start: at(-1), end: at(5) }]) {
      const error = await refusedUntouched(database, { seed: 43, layout, ...window });
      assert.match(
        error.message,
        /^metrics holds other records of the same minutes, such as \S+ cpu_usage: /,
      );
      assert.ok(error.message.includes(`run ${runId} has seed 42`), error.message);
      assert.match(error.remedy, /another period .* another --database, or --clean/);
    }
    for (const window of [
      { start: at(-60), end: at(-30) },
      { start: at(0), end: at(30) },
    ]) {
      const beside = await file.load(database, { seed: 43, layout, workers: 1, existing: 'keep', ...window });
      assert.deepEqual([beside.status, beside.records.inserted], ['complete', RECORDS]);
    }
    assert.equal(await file.client.db(database).collection('metrics').countDocuments(), 3 * RECORDS);
  },
);

timeSeriesTest(
  'time-series: whatever else makes other values is refused, what does not is kept',
  async () => {
    const database = file.freshDatabase();
    const layout = 'timeseries';
    await file.load(database, { ...HALF_HOUR, layout, sections: ['polling'] });
    for (const [options, stored] of [
      [{ availabilityScale: 'unit' }, /availability_status: .* availability scale percent/],
      [{ timezone: 'Europe/Rome' }, /time zone UTC/],
    ] as const) {
      const error = await refusedUntouched(database, { layout, ...options });
      assert.match(error.message, stored);
    }
    // Series of their own, and records that are the same.
    const others: LoadOptions[] = [
      { seed: 43, sections: ['metrics'] },
      { environment: 'production', sections: ['polling'] },
    ];
    for (const options of others) {
      const beside = await file.load(database, { ...HALF_HOUR, layout, existing: 'keep', ...options });
      assert.equal(beside.status, 'complete');
    }
    assert.equal(await file.client.db(database).collection('metrics').countDocuments(), RECORDS);
  },
);

test('flat: the same ids with other content are refused, other ids are kept', async () => {
  const database = file.freshDatabase();
  await file.load(database, HALF_HOUR);
  for (const [options, stored] of [
    [{ availabilityScale: 'unit' }, /availability_status: .* availability scale percent/],
    [{ environment: 'production' }, /environment development/],
    [{ timezone: 'Europe/Rome' }, /time zone UTC/],
  ] as const) {
    const error = await refusedUntouched(database, options);
    assert.match(error.message, stored);
  }
  const beside = await file.load(database, { ...HALF_HOUR, seed: 43, existing: 'keep' });
  assert.deepEqual([beside.status, beside.records.inserted], ['complete', RECORDS]);
  assert.equal(await file.client.db(database).collection('metrics').countDocuments(), 2 * RECORDS);
});

for (const layout of LAYOUTS_HERE) {
  for (const writer of ['sequence', 'bulkwrite'] as const) {
    test(`${layout}, ${writer}: a record that is there with another value is not "already there"`, async () => {
      const database = file.freshDatabase();
      await file.load(database, { ...HALF_HOUR, layout });
      await rewriteSeries(file.client.db(database), layout, SERIES, (documents) =>
        documents.map((document, i) => (i === 7 ? { ...document, value: new Double(-1) } : document)),
      );
      const again = { start: at(-30), end: at(30), workers: 1, layout, writer, existing: 'keep' } as const;
      const error = await refused(file.load(database, again));
      assert.match(
        error.message,
        /another record of vm-101 cpu_usage at 2025-02-08T23:37:00.000Z: its value is -1/,
      );
      const runs = await file.client
        .db(database)
        .collection('seed_runs')
        .find({ state: 'complete' })
        .toArray();
      assert.equal(runs.length, 1);
    });
  }
}

test('flat: a record that is there with other tags is not "already there", one with a field more is', async () => {
  const database = file.freshDatabase();
  await file.load(database, HALF_HOUR);
  const metrics = file.client.db(database).collection('metrics');
  const again = { start: at(-30), end: at(30), workers: 1, existing: 'keep' } as const;
  await metrics.updateMany({ asset_id: 'vm-102' }, { $set: { checked: true } });
  assert.equal((await file.load(database, again)).status, 'complete');
  await metrics.updateOne({ asset_id: 'vm-101' }, { $set: { 'tags.environment': 'production' } });
  const error = await refused(file.load(database, { ...again, end: at(31) }));
  assert.match(error.message, /another record of vm-101 \S+ at \S+: its tags is/);
});

test('flat: a record of ours that no stored run explains is kept where it is the same, refused where not', async () => {
  const database = file.freshDatabase();
  const metrics = file.client.db(database).collection('metrics');
  await file.load(database, HALF_HOUR);
  const [cpu, other] = [
    await metrics.findOne({ asset_id: 'vm-101', metric_name: 'cpu_usage' }),
    await metrics.findOne({ asset_id: 'vm-102', metric_name: 'io_wait' }),
  ];
  assert.ok(cpu && other);
  for (const change of [
    { value: -1 },
    { unit: 'apples' },
    { timestamp: new Date(0) },
    { tags: 1 },
    { asset_id: 'mine' },
  ]) {
    await file.client.db(database).dropDatabase();
    await metrics.insertMany([other, { ...cpu, ...change }], { ordered: false });
    const error = await refusedUntouched(database, {});
    assert.match(
      error.message,
      /another record of vm-101 cpu_usage at \S+, with another \w+, that no stored/,
    );
  }
  await file.client.db(database).dropDatabase();
  await metrics.insertMany([{ ...cpu, note: 'mine' }, other, { title: 'marathon' }]);
  const summary = await file.load(database, { ...HALF_HOUR, existing: 'keep' });
  assert.equal(summary.status, 'complete');
  assert.equal(await metrics.countDocuments(), RECORDS + 1);
  assert.equal((await metrics.findOne({ _id: cpu._id }))?.note, 'mine');
});

timeSeriesTest('time-series: records that no stored run explains are refused', async () => {
  const database = file.freshDatabase();
  const layout = 'timeseries';
  const db = file.client.db(database);
  await file.load(database, { ...HALF_HOUR, layout });
  await db.collection('seed_runs').deleteMany({});
  const error = await refusedUntouched(database, { layout, end: at(30) });
  assert.match(error.message, /a record of \S+ \S+ at 2025-02-08T23:\S+ that no stored run has put there$/);
  // Another period has nothing in its way.
  const later = await file.load(database, {
    start: at(0),
    end: at(30),
    workers: 1,
    layout,
    existing: 'keep',
  });
  assert.equal(later.status, 'complete');
  await db.collection('metrics').insertOne({
    timestamp: at(45),
    meta: { asset_id: 'vm-101', metric_name: 'cpu_usage' },
    value: 1,
  });
  assert.match((await refusedUntouched(database, { layout, start: at(0), end: at(60) })).message, /T00:45/);
});

const FLEET: FleetFile = {
  machines: [{ id: 'vm-101', type: 'vm', hostname: 'other.example', pattern: 'stable_low_load' }],
};

test('assets of another fleet are not overwritten', async () => {
  const database = file.freshDatabase();
  await file.load(database, HALF_HOUR);
  const beside = { fleet: FLEET, seed: 43, start: at(0), end: at(30) };
  const error = await refusedUntouched(database, beside);
  assert.match(error.message, /^assets holds another vm-101 than this fleet's, with another hostname/);
  const own = { machines: [{ ...FLEET.machines[0], id: 'vm-of-its-own' }] };
  const kept = await file.load(database, { ...HALF_HOUR, ...beside, fleet: own, existing: 'keep' });
  assert.equal(kept.status, 'complete');
});

test('--skip-cleanup beside an unfinished run says what lies there and what will be', async () => {
  const database = file.freshDatabase();
  const { uri } = file.server;
  const stop = new AbortController();
  stop.abort();
  const half = await load({ uri, database, seed: 42, end: END, ...HALF_HOUR }, { signal: stop.signal });
  assert.equal(half.status, 'interrupted');
  const notices: string[] = [];
  const onEvent = (event: LoadEvent) => {
    if (event.type === 'notice' && event.level === 'warning') notices.push(event.message);
  };
  const summary = await load(
    { uri, database, seed: 43, end: END, ...HALF_HOUR, existing: 'keep' },
    { onEvent },
  );
  const [notice] = notices.filter((message) => message.includes(half.runId));
  assert.match(
    notice,
    /unfinished and stays so \(seed 42, 2,820 records .*with seed 43; --resume would finish that run$/,
  );
  const window = { start: at(-30), end: END };
  assert.deepEqual(summary.beside, [{ runId: half.runId, seed: 42, state: 'interrupted', window }]);
});

test('after the assets alone a load of the same fleet simply works; another fleet is refused', async () => {
  const database = file.freshDatabase();
  await file.load(database, { ...HALF_HOUR, assetsOnly: true });
  const other = { machines: [{ ...FLEET.machines[0], id: 'another' }] };
  assert.match((await refused(file.load(database, { ...HALF_HOUR, fleet: other }))).message, /not empty/);
  const { status, records } = await file.load(database, { ...HALF_HOUR, seed: 7 });
  assert.deepEqual([status, records.inserted], ['complete', RECORDS]);
  assert.equal(await file.client.db(database).collection('assets').countDocuments(), 34);
  assert.match((await refused(file.load(database, HALF_HOUR))).message, /not empty/);
});
