/** What `verify` compares, what it refuses, and a fingerprint that depends on the dataset alone. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Document, MongoClient, ObjectId } from 'mongodb';
import { runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { assertEqualToPlan, loadWell, type Place, placeFlags, verify } from '../support/dataset.js';
import { DISTURBED } from '../support/disturbed.js';
import { LAYOUTS_HERE, UNKEYED_LAYOUT } from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;
const place = (database: string): Place => ({ uri: server.uri, database });
const runsOf = (database: string) => client.db(database).collection('seed_runs');

const HALF_DAY = ['--start', '2025-02-08T12:00Z'];
const DATASET = [...HALF_DAY, '--metrics-only'];

before(async () => {
  server = await startTestServer();
  client = await new MongoClient(server.uri).connect();
  await loadWell(place('base'), ...DATASET);
});
after(async () => {
  await client?.close();
  await server?.stop();
});

test('the fingerprint does not depend on layout, workers, batches, shards or order', async () => {
  await loadWell(
    place('series'),
    ...DATASET,
    '--layout',
    UNKEYED_LAYOUT,
    '--workers',
    '3',
    '--shard-days',
    '1',
  );
  await loadWell(place('other'), ...DATASET, '--workers', '1', '--batch-size', '77', '--writer', 'bulkwrite');
  await loadWell(place('seed8'), ...DATASET, '--seed', '8');
  const [base, series, other, seed8] = await Promise.all([
    assertEqualToPlan(place('base')),
    verify(place('series'), '--workers', '3'),
    verify(place('other'), '--workers', '1'),
    verify(place('seed8')),
  ]);
  assert.match(base.fingerprint, /^[0-9a-f]{16}$/);
  assert.equal(series.fingerprint, base.fingerprint);
  assert.equal(other.fingerprint, base.fingerprint);
  assert.notEqual(seed8.fingerprint, base.fingerprint);
  for (const { status } of [series, other, seed8]) assert.equal(status, 'equal');
});

test('a dataset described by hand', async () => {
  const hand = (...flags: string[]) =>
    verify(place('base'), '--end', '2025-02-09', '--metrics-only', ...flags);
  assert.equal((await hand('--seed', '7', ...HALF_DAY)).status, 'equal');
  const shorter = await hand('--seed', '7', '--start', '2025-02-08T18:00Z');
  assert.equal(shorter.records.missing, 0);
  assert.equal(shorter.records.ofOtherRuns, 10_800);
  assert.equal((await hand('--seed', '8', ...HALF_DAY)).records.missing, 21_600);
});

test('what another run has put beside it is not foreign', async () => {
  for (const layout of LAYOUTS_HERE) {
    const beside = place(`beside_${layout}`);
    await loadWell(beside, '--backup-only', '--layout', layout);
    for (const end of ['2025-03-09', '2025-04-09']) {
      await loadWell(beside, '--backup-only', '--layout', layout, '--end', end, '--skip-cleanup');
    }
    const { records } = await assertEqualToPlan(beside);
    assert.equal(records.ofOtherRuns, 20);
    const [first] = await runsOf(beside.database).find().sort({ startedAt: 1 }).toArray();
    assert.equal((await verify(beside, '--run', String(first._id))).status, 'equal');
  }
});

test("a measurement of another run's series outside that run's window is foreign", async () => {
  const beside = place('outside_window');
  const series = ['--layout', UNKEYED_LAYOUT, '--skip-cleanup'];
  await loadWell(beside, '--metrics-only', '--start', '2025-02-08T23:00Z', ...series);
  const metrics = client.db(beside.database).collection('metrics');
  const metric = await metrics.findOne({}, { projection: { _id: 0 } });
  await loadWell(beside, '--polling-only', '--start', '2025-02-08T22:00Z', ...series);
  const { records } = await assertEqualToPlan(beside);
  assert.ok(records.ofOtherRuns > 0);
  // In the window of the polls, not in that of the metrics.
  await metrics.insertOne({ ...metric, timestamp: new Date('2025-02-08T22:30Z') });
  const found = await verify(beside);
  assert.equal(found.status, 'different');
  assert.equal(found.records.foreign, 1);
  assert.equal(found.records.ofOtherRuns, records.ofOtherRuns);
});

test('nor is what another run of a disturbed fleet has put there twice', async () => {
  const FIRST = ['--start', '2025-02-08T11:30Z', '--end', '2025-02-08T12:00Z'];
  const SECOND = ['--start', '2025-02-08T12:00Z', '--end', '2025-02-08T12:30Z', '--skip-cleanup'];
  await withFolder({ 'fleet.json': JSON.stringify(DISTURBED) }, async (folder) => {
    const flags = ['--fleet', join(folder, 'fleet.json'), '--metrics-only'];
    for (const layout of LAYOUTS_HERE) {
      const beside = place(`disturbed_${layout}`);
      await loadWell(beside, ...flags, '--layout', layout, ...FIRST);
      await loadWell(beside, ...flags, '--layout', layout, ...SECOND);
      await assertEqualToPlan(beside);
      const [first] = await runsOf(beside.database).find().sort({ startedAt: 1 }).toArray();
      const ofFirst = await verify(beside, '--run', String(first._id));
      assert.equal(ofFirst.status, 'equal', JSON.stringify(ofFirst.examples.slice(0, 5)));
      if (layout === 'timeseries') continue;
      // What lies in the gap of the other run is nobody's, whatever its `_id`.
      const metrics = client.db(beside.database).collection('metrics');
      const [{ _id, ...record }] = await metrics
        .find({ asset_id: 'echoing', metric_name: 'cpu_usage', timestamp: new Date('2025-02-08T12:05Z') })
        .toArray();
      const inGap = Buffer.from(_id.id);
      inGap.writeUInt32BE(inGap.readUInt32BE(8) - 180, 8);
      await metrics.insertOne({
        _id: new ObjectId(inGap),
        ...record,
        timestamp: new Date('2025-02-08T12:02Z'),
      });
      const { status, records } = await verify(beside, '--run', String(first._id));
      assert.equal(status, 'different');
      assert.equal(records.foreign, 1);
    }
  });
});

const REFUSED: readonly [string, readonly string[], number, RegExp][] = [
  ['no run', ['--database', 'nothing'], 5, /holds no run/],
  ['an unknown run', ['--database', 'base', '--run', 'x'], 5, /holds no run x/],
  ['a description without a seed', ['--database', 'base', '--days', '2'], 2, /--days .*needs --seed/],
  [
    'a description and a run',
    ['--database', 'base', '--seed', '2', '--run', 'x'],
    2,
    /--run and --seed excl/,
  ],
  ['the other layout', ['--database', 'base', '--seed', '7', '--layout', 'timeseries'], 5, /the flat layout/],
  ['a flag of the loader', ['--database', 'base', '--clean'], 2, /unknown option '--clean'/],
];

for (const [what, flags, status, message] of REFUSED) {
  test(`refused: ${what}`, async () => {
    const result = await runCli(['verify', '--uri', server.uri, ...flags]);
    assert.match(result.stderr, message);
    assert.equal(result.status, status);
  });
}

const UNUSABLE: readonly [string, Document, RegExp][] = [
  ['a run of another model version', { modelVersion: 99 }, /model version 99/],
  ['a run of another fleet', { fleetFingerprint: 'x' }, /another fleet/],
  ['a run of a newer format', { format: 2 }, /newer version/],
];

for (const [what, fields, message] of UNUSABLE) {
  test(`refused by name: ${what}`, async () => {
    const [run] = await runsOf('base').find().toArray();
    await runsOf('base').updateOne({ _id: run._id }, { $set: fields });
    const result = await runCli(['verify', ...placeFlags(place('base'))]);
    await runsOf('base').replaceOne({ _id: run._id }, run);
    assert.match(result.stderr, message);
    assert.equal(result.status, 1);
  });
}

test('while a load is in progress a repair is refused; afterwards it leaves no run behind', async () => {
  const [run] = await runsOf('base').find().toArray();
  await client.db('base').collection('metrics').deleteOne({});
  const held = { active: true, state: 'loading', heartbeat: new Date(), host: hostname(), pid: process.pid };
  await runsOf('base').updateOne({ _id: run._id }, { $set: held });
  const refused = await runCli(['verify', ...placeFlags(place('base')), '--repair']);
  assert.equal(refused.status, 5);
  assert.match(refused.stderr, new RegExp(`in progress on ${hostname()} \\(pid ${process.pid}, last seen`));
  await runsOf('base').replaceOne({ _id: run._id }, run);

  const repaired = await runCli(['verify', ...placeFlags(place('base')), '--repair']);
  assert.match(repaired.stdout, /insert 1 missing record/);
  assert.match(repaired.stdout, /✅ Equal/);
  assert.equal(repaired.status, 0);
  assert.equal(await runsOf('base').countDocuments(), 1);
});

test('production is guarded', async () => {
  await loadWell(place('production'), '--backup-only', '--environment', 'production');
  await client.db('production').collection('metrics').deleteOne({});
  const flags = ['verify', ...placeFlags(place('production')), '--repair'];
  const refused = await runCli(flags);
  assert.match(refused.stderr, /--repair would write 1 records of the production database production/);
  assert.equal(refused.status, 2);
  assert.equal((await runCli([...flags, '--yes'])).status, 0);
});

test('--quiet prints the outcome alone', async () => {
  const { stdout, stderr, status } = await runCli(['verify', ...placeFlags(place('base')), '--quiet']);
  assert.match(stdout, /^✅ Equal[^\n]*\n$/);
  assert.equal(stderr, '');
  assert.equal(status, 0);
});
