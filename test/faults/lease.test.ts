/**
 * One loader at a time: the second is refused with the first one's name, a dead one's hold ends,
 * and nobody writes without it.
 */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, MongoClient } from 'mongodb';
import { HEARTBEAT_MS, LEASE_MS } from '../../src/runs/owner.js';
import { PROCESS_SPACE } from '../../src/system/file-lock.js';
import { Counters, clocks } from '../../src/threads/counters.js';
import { assertEqualToPlan, load, loadWell, type Place, resumeWell } from '../support/dataset.js';
import { UNKEYED_LAYOUT } from '../support/features.js';
import { RunningLoad, untilBegun, untilShards } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;
let number = 0;
const newPlace = (): Place => ({ uri: server.uri, database: `lease_${++number}` });
const runsOf = ({ database }: Place) => client.db(database).collection<Document>('seed_runs');

before(async () => {
  server = await startTestServer({ slowInserts: true });
  client = await new MongoClient(server.uri).connect();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

const FLAGS = ['--metrics-only', '--days', '2', '--shard-days', '1', '--batch-size', '500'];

/** A database with an unfinished run. */
async function unfinished(flags: readonly string[] = []): Promise<Place> {
  const place = newPlace();
  const running = RunningLoad.load(place, [...FLAGS, ...flags]);
  await untilShards(running, server.uri, place.database, 2);
  running.kill('SIGKILL');
  await running.ended;
  return place;
}

test('while one loads, a second one is refused with host, pid and age', async () => {
  const place = newPlace();
  const first = RunningLoad.load(place, [...FLAGS, '--days', '60']);
  await untilShards(first, server.uri, place.database, 2);
  for (const how of [[], ['--resume'], ['--clean'], ['--skip-cleanup']]) {
    const { status, stderr } = await load(place, how);
    assert.equal(status, 5, stderr);
    const name = `in progress on ${hostname()} \\(pid ${first.child.pid}, last seen \\d+ s ago\\)`;
    assert.match(stderr, new RegExp(name));
  }
  first.kill('SIGINT');
  assert.equal((await first.ended).status, 130);
});

test('of two that resume at once one loads, and each record is there once', async () => {
  const place = await unfinished(['--layout', UNKEYED_LAYOUT]);
  const both = [1, 2].map(() => RunningLoad.resume(place));
  const statuses = (await Promise.all(both.map(({ ended }) => ended))).map(({ status }) => status);
  assert.ok(statuses.includes(0), statuses.join());
  for (const status of statuses) assert.ok(status === 0 || status === 5, statuses.join());
  await assertEqualToPlan(place);
});

test('of two that start at once one loads', async () => {
  const place = newPlace();
  const both = [1, 2].map(() => RunningLoad.load(place, [...FLAGS, '--layout', UNKEYED_LAYOUT]));
  const results = await Promise.all(both.map(({ ended }) => ended));
  assert.deepEqual(results.map(({ status }) => status).sort(), [0, 5]);
  await assertEqualToPlan(place);
});

test('a loader of this machine that is gone is taken over at once, and that is said', async () => {
  const place = await unfinished();
  const [run] = await runsOf(place).find().toArray();
  assert.equal(run.active, true);
  assert.equal(run.processSpace, PROCESS_SPACE);
  const { status, stderr } = await RunningLoad.resume(place).ended;
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    new RegExp(`run ${run._id} of ${hostname()} \\(pid ${run.pid}\\) died, last seen \\d+ s ago`),
  );
  await assertEqualToPlan(place);
});

test('of another machine or container, and silent for a while: refused until its lease ends', async () => {
  const place = await unfinished();
  const elsewhere = { processSpace: 'elsewhere', host: 'elsewhere', pid: 1 };
  await runsOf(place).updateOne(
    {},
    { $set: { ...elsewhere, heartbeat: new Date(Date.now() - LEASE_MS / 3) } },
  );
  const refused = await load(place, ['--resume']);
  assert.equal(refused.status, 5, refused.stderr);
  assert.match(refused.stderr, /in progress on elsewhere \(pid 1, last seen [12]\d s ago\)/);
  assert.match(refused.stderr, /its lease ends after 30 s/);

  await runsOf(place).updateOne({}, { $set: { heartbeat: new Date(Date.now() - LEASE_MS - 1000) } });
  const { status, stderr } = await RunningLoad.resume(place).ended;
  assert.equal(status, 0, stderr);
  assert.match(
    stderr,
    /of elsewhere \(pid 1\) died, last seen \d\d s ago: its lease on the database has expired/,
  );
  await assertEqualToPlan(place);
});

test('a clock that was set back: signs of life decide, not ages', async () => {
  const place = await unfinished();
  const elsewhere = { processSpace: 'elsewhere', host: 'elsewhere', pid: 1 };
  const later = () => new Date(Date.now() + 3_600_000);
  await runsOf(place).updateOne({}, { $set: { ...elsewhere, heartbeat: later() } });
  const beat = setInterval(
    () => void runsOf(place).updateOne({}, { $set: { heartbeat: later() } }),
    HEARTBEAT_MS,
  );
  const refused = await load(place, ['--resume']);
  clearInterval(beat);
  assert.equal(refused.status, 5, refused.stderr);
  assert.match(refused.stderr, /last seen in the future/);
  await resumeWell(place);
  await assertEqualToPlan(place);
});

test('a sign of life of this very moment is no clock that was set back', async () => {
  const place = await unfinished();
  const elsewhere = { processSpace: 'elsewhere', host: 'elsewhere', pid: 1 };
  const heartbeat = new Date(Date.now() + HEARTBEAT_MS / 2);
  await runsOf(place).updateOne({}, { $set: { ...elsewhere, heartbeat } });
  const { status, stderr } = await load(place, ['--resume']);
  assert.equal(status, 5, stderr);
  assert.match(stderr, /last seen \d s ago/);
  assert.doesNotMatch(stderr, /set back/);
});

test('a loader that was taken over stops, and says why', async () => {
  const place = newPlace();
  const running = RunningLoad.load(place, [...FLAGS, '--days', '6']);
  await untilShards(running, server.uri, place.database, 2);
  await runsOf(place).updateOne({}, { $set: { holder: 'another' } });
  const { status, stderr } = await running.ended;
  assert.equal(status, 5, stderr);
  assert.match(stderr, /another loader took this run over/);
});

test('a loader that was stopped for longer than its lease does not write when it wakes', async () => {
  const place = newPlace();
  const flags = [...FLAGS, '--layout', UNKEYED_LAYOUT, '--days', '10'];
  const stopped = RunningLoad.load(place, flags);
  await untilShards(stopped, server.uri, place.database, 2);
  stopped.kill('SIGSTOP');
  await sleep(300);
  // As if the lease had ended: the other loader cannot see that this process lives.
  const silent = { processSpace: 'elsewhere', heartbeat: new Date(Date.now() - LEASE_MS - 1000) };
  await runsOf(place).updateOne({}, { $set: silent });
  const other = RunningLoad.resume(place);
  await untilBegun(other, place);
  await other.untilPrinted(/waiting for the last writes/);
  stopped.kill('SIGCONT');
  const [first, second] = await Promise.all([stopped.ended, other.ended]);
  assert.equal(first.status, 5, first.stderr);
  // The other one waits until nothing of the first can arrive any more, then loads the rest.
  assert.match(second.stderr, /waiting for the last writes of \d+ earlier connections/);
  assert.equal(second.status, 0, second.stderr);
  await assertEqualToPlan(place);
});

test('workers may write while the run is held, by the steady clock and by the wall clock', () => {
  const counters = Counters.forWorkers(1);
  assert.ok(counters.held, 'nobody has said anything about a lease');
  const [steady, wall] = clocks();
  counters.holdFor(1000, [steady, wall]);
  assert.ok(counters.held);
  counters.holdFor(1000, [steady - 1001n, wall]);
  assert.ok(!counters.held, 'the process was stopped');
  counters.holdFor(1000, [steady, wall - 1001n]);
  assert.ok(!counters.held, 'the machine was asleep');
});

test('a finished load lets go: the next one is not kept waiting', async () => {
  const place = newPlace();
  await loadWell(place, ...FLAGS);
  const [run] = await runsOf(place).find().toArray();
  assert.equal(run.active, undefined);
  await loadWell(place, ...FLAGS, '--clean');
  await assertEqualToPlan(place);
});
