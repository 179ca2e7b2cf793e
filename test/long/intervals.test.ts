/** Datasets at other intervals than a minute: loaded, resumed, grown, exported and asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { type FleetFile, type LoadOptions, SeedError } from '../../src/index.js';
import { assertValidBuckets } from '../support/buckets.js';
import { runCli } from '../support/cli.js';
import { assertEqualToPlan, loadWell, type Place, placeFlags, resumeWell } from '../support/dataset.js';
import { LAYOUTS_HERE, WAYS_HERE } from '../support/features.js';
import { useServer } from '../support/loading.js';
import { killAfterShards } from '../support/running.js';

const file = useServer({ args: ['--setParameter', 'enableTestCommands=1'] });
const place = (database: string): Place => ({ uri: file.server.uri, database });

/** What is stored at whole minutes: every one of so many. */
async function atMinutes(db: Db, layout: string, minutes: number): Promise<Document[]> {
  const prefix = layout === 'flat' ? '$' : '$meta.';
  return db
    .collection('metrics')
    .aggregate(
      [
        { $match: { $expr: { $eq: [{ $mod: [{ $toLong: '$timestamp' }, minutes * 60_000] }, 0] } } },
        {
          $project: {
            _id: 0,
            asset: `${prefix}asset_id`,
            metric: `${prefix}metric_name`,
            at: '$timestamp',
            value: 1,
          },
        },
        { $sort: { asset: 1, metric: 1, at: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();
}

const metricsAndPolls = ({ metric }: Document) => metric !== 'backup_status';

for (const [interval, days, seconds] of [
  ['10s', '0.125', 10],
  ['5m', '5', 300],
  ['1h', '30', 3600],
] as const) {
  for (const [layout, writer] of WAYS_HERE) {
    test(`${interval}, ${layout} by ${writer}: exact counts, equal, and at shared minutes what 1m is`, async () => {
      const database = file.freshDatabase();
      const start = new Date(Date.UTC(2025, 1, 9) - Number(days) * 86_400_000).toISOString();
      const flags = ['--layout', layout, '--writer', writer, '--start', start];
      await loadWell(place(database), ...flags, '--interval', interval);
      const db = file.client.db(database);
      const prefix = layout === 'flat' ? '' : 'meta.';
      const records = (filter: Document) => db.collection('metrics').countDocuments(filter);
      assert.equal(
        await records({ [`${prefix}metric_name`]: { $ne: 'backup_status' } }),
        (94 * Number(days) * 86_400) / seconds,
      );
      await assertEqualToPlan(place(database));
      if (layout === 'timeseries') await assertValidBuckets(db);
      if (writer !== 'auto') return;
      const usual = file.freshDatabase();
      await loadWell(place(usual), ...flags.slice(0, 4), '--start', '2025-02-08T21:00Z');
      const shared = Math.max(1, seconds / 60);
      const [finer, coarse] = await Promise.all([
        atMinutes(db, layout, shared),
        atMinutes(file.client.db(usual), layout, shared),
      ]);
      const since = new Date('2025-02-08T21:00Z');
      assert.deepEqual(
        finer.filter(({ at }) => at >= since).filter(metricsAndPolls),
        coarse.filter(metricsAndPolls),
      );
      assert.ok(coarse.length > 94);
    });
  }
}

for (const [layout, writer] of WAYS_HERE) {
  test(`10s with jitter, ${layout} by ${writer}: killed and resumed, every sample once`, async () => {
    const database = file.freshDatabase();
    const flags = ['--layout', layout, '--writer', writer, '--interval', '10s', '--jitter', '900'];
    // A dataset of a third of a day in shards of one asset each.
    const dataset = [...flags, '--start', '2025-02-08T16:00Z', '--batch-size', '1000'];
    await killAfterShards(file.client, place(database), dataset, 3);
    await resumeWell(place(database));
    const { records } = await assertEqualToPlan(place(database));
    assert.equal(records.found, 94 * 2880);
    if (layout === 'timeseries') await assertValidBuckets(file.client.db(database));
  });
}

/** Three intervals in one fleet: of the fleet, of a machine and its services, of a metric. */
const MIXED: FleetFile = {
  interval: '5m',
  jitter_ms: 200,
  machines: [
    {
      id: 'quick',
      type: 'vm',
      hostname: 'quick.example',
      pattern: 'volatile_load',
      interval: '10s',
      metrics: [
        { name: 'disk', unit: 'percentage', range: [0, 100], pattern: 'fills_weekly', interval: '1h' },
        { name: 'queue', unit: 'jobs', range: [0, 3], pattern: 'follows_cpu' },
      ],
      services: [
        { id: 'web', name: 'Web', type: 'web', port: 80 },
        { id: 'db', name: 'Database', type: 'database', port: 5432, interval: '15s' },
      ],
    },
    {
      id: 'usual',
      type: 'vm',
      hostname: 'usual.example',
      pattern: 'stable_low_load',
      interval: '1m',
      intervals: { memory_usage: '30s', availability_status: '15m' },
    },
    { id: 'slow', type: 'vm', hostname: 'slow.example', pattern: 'stable_low_load' },
  ],
};

test('a fleet of several intervals: refresh, export, answers and a workload know them', async () => {
  for (const layout of LAYOUTS_HERE) {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    const field = layout === 'flat' ? 'asset_id' : 'meta.asset_id';
    const metric = layout === 'flat' ? 'metric_name' : 'meta.metric_name';
    const options: LoadOptions = { layout, fleet: MIXED, start: new Date('2025-02-08T12:30Z') };
    await file.load(database, { ...options, end: new Date('2025-02-08T20:45Z') });
    await assertEqualToPlan(place(database));
    const refreshed = await runCli(['refresh', ...placeFlags(place(database)), '--end', '2025-02-09']);
    assert.equal(refreshed.status, 0, refreshed.stderr);
    await assertEqualToPlan(place(database));
    const count = (asset: string, name: string) =>
      db.collection('metrics').countDocuments({ [field]: asset, [metric]: name });
    const hours = 11.5;
    assert.equal(await count('quick', 'cpu_usage'), hours * 360);
    assert.equal(await count('quick', 'queue'), hours * 360);
    assert.equal(await count('quick', 'disk'), 11);
    assert.equal(await count('web', 'response_time_ms'), hours * 360);
    assert.equal(await count('db', 'response_time_ms'), hours * 240);
    assert.equal(await count('usual', 'io_wait'), hours * 60);
    assert.equal(await count('usual', 'memory_usage'), hours * 120);
    assert.equal(await count('usual', 'availability_status'), hours * 4);
    assert.equal(await count('usual', 'response_time_ms'), hours * 60);
    assert.equal(await count('slow', 'io_wait'), hours * 12);

    const answers = await runCli(['answers', ...placeFlags(place(database))]);
    assert.equal(answers.status, 0, answers.stderr);
    const { daily, assets } = JSON.parse(answers.stdout);
    for (const { assetId, metricName, count: records, mean } of daily) {
      const filter = { [field]: assetId, [metric]: metricName };
      const [asked] = await db
        .collection('metrics')
        .aggregate([{ $match: filter }, { $group: { _id: null, mean: { $avg: '$value' }, n: { $sum: 1 } } }])
        .toArray();
      assert.deepEqual([asked.n, asked.mean], [records, mean], `${assetId} ${metricName}`);
    }
    const polled = assets.filter(({ availability }: Document) => availability);
    assert.equal(polled.length, 5);

    const asked = ['--requests', '300', '--clients', '2', '--max-wrong', '0'];
    const workload = await runCli(['workload', ...placeFlags(place(database)), ...asked, '--json']);
    assert.equal(workload.status, 0, workload.stdout + workload.stderr);
  }
});

test('seconds of other seeds, intervals and jitters are other datasets', async () => {
  const database = file.freshDatabase();
  const hour = { start: new Date('2025-02-08T23:00Z'), interval: '15s' } as const;
  await file.load(database, hour);
  for (const [options, what] of [
    [{ interval: '10s' }, /another fleet/],
    [{ jitter: 100 }, /jitter 0 ms/],
  ] as const) {
    await assert.rejects(file.load(database, { ...hour, ...options, existing: 'keep' }), (error) => {
      assert.ok(error instanceof SeedError, String(error));
      assert.equal(error.exitStatus, 5);
      assert.match(error.message, what);
      return true;
    });
  }
});

test('what cannot be is refused by name before anything is asked of a server', async () => {
  const dry = ['load', '--dry-run', '--seed', '1'];
  for (const [flags, message] of [
    [['--interval', '7s'], /--interval 7s: must be 1s, 5s/],
    [['--jitter', '60000'], /--jitter 60000: must be a whole number from 0 to 59999/],
    [['--interval', '1s', '--jitter', '1000'], /--jitter 1000 is as long as the interval of .* cpu_usage/],
    [
      ['--interval', '1s', '--end', '2040-01-01'],
      /a sample every 1 s, and the period ends after January 2038/,
    ],
  ] as const) {
    const { status, stderr } = await runCli([...dry, ...flags]);
    assert.equal(status, 2, stderr);
    assert.match(stderr, message);
  }
});
