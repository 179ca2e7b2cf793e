/** `refresh` and `follow`: what they leave is what one longer load would have left. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { type CliResult, runCli } from '../support/cli.js';
import { assertEqualToPlan, END, loadWell, type Place, placeFlags } from '../support/dataset.js';
import { LAYOUTS_HERE, timeSeriesTest, UNKEYED_LAYOUT } from '../support/features.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { startTestServer, type TestServer, until } from '../support/server.js';

let server: TestServer;
let client: MongoClient;
let databases = 0;

before(async () => {
  server = await startTestServer({ slowInserts: true });
  client = new MongoClient(server.uri);
});
after(async () => {
  await client?.close();
  await server?.stop();
});

function freshPlace(): Place {
  return { uri: server.uri, database: `refresh_${++databases}` };
}

/** Up to a day before {@link END}. */
const EARLIER = '2025-02-08';

function refreshFlags(place: Place, ...flags: string[]): string[] {
  return ['refresh', ...placeFlags(place), '--end', END, '--log-file', '/dev/null', ...flags];
}

function refresh(place: Place, ...flags: string[]): Promise<CliResult> {
  return runCli(refreshFlags(place, ...flags));
}

async function hashes({ database }: Place): Promise<unknown> {
  const reply = await client.db(database).command({ dbHash: 1, collections: ['assets', 'metrics'] });
  return reply.collections;
}

/** How many runs there are, and the window of the newest. */
async function runs({ database }: Place) {
  const stored = await client.db(database).collection('seed_runs').find().sort({ startedAt: -1 }).toArray();
  return { count: stored.length, window: stored[0].window as { start: Date; end: Date } };
}

for (const layout of LAYOUTS_HERE) {
  test(`a refreshed run equals one longer run: ${layout}`, async () => {
    const [grown, whole] = [freshPlace(), freshPlace()];
    const flags = ['--layout', layout, '--environment', 'lab', '--metrics-only', '--backup-only'];
    const window = (end: string) => ['--start', '2025-02-07T22:00Z', '--end', end];
    // Each half has some of the night's backups.
    const before = await loadWell(grown, ...flags, ...window('2025-02-08T03:00Z'));
    await loadWell(whole, ...flags, ...window('2025-02-08T08:00Z'));
    const { status, stdout, stderr } = await refresh(grown, '--end', '2025-02-08T08:00Z', '--json');
    assert.equal(status, 0, stderr);
    const expected = await assertEqualToPlan(whole);
    const { planned } = JSON.parse(stdout).records;
    assert.equal(expected.records.expected, 10 * 3 * 600 + 10);
    assert.equal(before.records.inserted + planned, expected.records.expected);
    for (const half of [before.records.inserted, planned]) assert.ok(half > 10 * 3 * 300, 'some backups');
    assert.equal((await assertEqualToPlan(grown)).fingerprint, expected.fingerprint);
    assert.equal((await runs(grown)).count, 1);
    if (layout === 'flat') assert.deepEqual(await hashes(grown), await hashes(whole));
  });
}

test('nothing is missing: said, exit 0, nothing written', async () => {
  const place = freshPlace();
  await loadWell(place, '--backup-only');
  const before = await hashes(place);
  const { status, stdout } = await refresh(place);
  assert.equal(status, 0);
  assert.match(stdout, /Up to date: run [0-9a-f]+ reaches up to 2025-02-09 00:00 UTC/);
  assert.equal(JSON.parse((await refresh(place, '--json')).stdout).status, 'up to date');
  assert.deepEqual(await hashes(place), before);
});

test('two refreshes at once: each record once', async () => {
  const place = freshPlace();
  await loadWell(place, '--end', EARLIER, '--layout', UNKEYED_LAYOUT, '--metrics-only');
  const both = await Promise.all([refresh(place), refresh(place)]);
  const statuses = both.map(({ status }) => status);
  // The slower one is refused, or finds nothing left to do.
  assert.ok(
    statuses.every((status) => status === 0 || status === 5),
    both.map(({ stderr }) => stderr).join('\n'),
  );
  assert.ok(statuses.includes(0));
  await assertEqualToPlan(place);
  assert.deepEqual(await runs(place), {
    count: 1,
    window: { start: new Date('2025-02-07'), end: new Date(END) },
  });
});

test('a refresh that was killed is finished by the next one', async () => {
  const place = freshPlace();
  await loadWell(
    place,
    '--end',
    '2025-02-05',
    '--layout',
    UNKEYED_LAYOUT,
    '--metrics-only',
    '--shard-days',
    '1',
  );
  const running = new RunningLoad(refreshFlags(place));
  await untilShards(running, server.uri, place.database, 12);
  running.kill('SIGKILL');
  await running.ended;
  assert.equal((await runs(place)).count, 2);
  const { status, stderr } = await refresh(place);
  assert.equal(status, 0, stderr);
  assert.equal((await assertEqualToPlan(place)).records.expected, 5 * 3 * 1440 * 10);
  assert.equal((await runs(place)).count, 1);
});

test('--keep-days removes the old end and nothing else', async () => {
  const place = freshPlace();
  await loadWell(place, '--days', '2', '--end', EARLIER, '--metrics-only');
  const foreign = {
    asset_id: 'vm-101',
    metric_name: 'cpu_usage',
    timestamp: new Date('2024-01-01'),
    value: 1,
  };
  await client.db(place.database).collection<typeof foreign>('metrics').insertOne(foreign);
  const { status, stdout, stderr } = await refresh(place, '--keep-days', '2');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /43,200 records older than 2 days removed/);
  assert.deepEqual((await runs(place)).window, { start: new Date('2025-02-07'), end: new Date(END) });
  assert.equal(
    await client
      .db(place.database)
      .collection('metrics')
      .deleteOne(foreign)
      .then((r) => r.deletedCount),
    1,
  );
  await assertEqualToPlan(place);
});

timeSeriesTest(
  '--keep-days where the server cannot delete by time: refused before anything is loaded',
  async () => {
    const place = freshPlace();
    await loadWell(place, '--end', EARLIER, '--layout', 'timeseries', '--assets-only');
    const { status, stderr } = await refresh(place, '--keep-days', '1');
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    if (Number(version.split('.')[0]) < 7) {
      assert.equal(status, 1);
      assert.match(stderr, /cannot delete by time from a time-series collection/);
      assert.equal((await runs(place)).window.end.getTime(), new Date(EARLIER).getTime());
    } else assert.equal(status, 0, stderr);
  },
);

test('what cannot be refreshed is told in one line', async () => {
  const place = freshPlace();
  const none = await refresh(place);
  assert.deepEqual([none.status, none.stdout], [5, '']);
  assert.match(none.stderr, /holds no run to refresh/);
  assert.equal((await refresh(place, '--keep-days', '0')).status, 2);
  await loadWell(place, '--backup-only');
  await client
    .db(place.database)
    .collection('seed_runs')
    .updateMany({}, { $set: { state: 'interrupted' } });
  const unfinished = await refresh(place);
  assert.equal(unfinished.status, 5);
  assert.match(unfinished.stderr, /is unfinished\n.*--resume/);
});

test('follow extends the run and goes on until it is stopped, which is no failure', async () => {
  const place = freshPlace();
  const end = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 3_600_000);
  await loadWell(place, '--end', end.toISOString(), '--metrics-only');
  const following = new RunningLoad(['follow', ...placeFlags(place), '--quiet', '--log-file', '/dev/null']);
  await until('the run is extended', async () => {
    const { count, window } = await runs(place);
    return count === 1 && window.end.getTime() >= end.getTime() + 3_600_000;
  });
  following.kill('SIGINT');
  assert.equal((await following.ended).status, 0);
  await assertEqualToPlan(place);
});
