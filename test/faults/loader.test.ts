/**
 * Whatever ends the loader itself, --resume completes: signals at any instant, a closed pipe, a
 * full disk for its log.
 */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { assertEqualToPlan, loadWell, type Place, resumeWell, verify } from '../support/dataset.js';
import { LAYOUTS_HERE, SERIES_WRITERS, UNKEYED_LAYOUT } from '../support/features.js';
import { RunningLoad, untilBegun, untilShards } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let number = 0;
const newPlace = (): Place => ({ uri: server.uri, database: `loader_${++number}` });

before(async () => {
  server = await startTestServer({ slowInserts: true });
});
after(() => server?.stop());

const FLAGS = ['--metrics-only', '--days', '2', '--shard-days', '1', '--batch-size', '500'];

/**
 * Milliseconds from the start of the program: before it is connected, while it prepares, at its
 * first checkpoints, later.
 */
const INSTANTS = [200, 400, 550, 750, 1000];

const WRITERS = { flat: ['sequence'], timeseries: SERIES_WRITERS } as const;
const WAYS = LAYOUTS_HERE.flatMap((layout) => WRITERS[layout].map((writer) => [layout, writer] as const));

for (const [layout, writer] of WAYS) {
  describe(`SIGKILL, ${layout} by ${writer}`, () => {
    test('at one instant after another of one load', async () => {
      const place = newPlace();
      const first = RunningLoad.load(place, [...FLAGS, '--layout', layout, '--writer', writer]);
      await untilBegun(first, place);
      await kill(first, Math.random() * 300);
      for (const instant of INSTANTS) await kill(RunningLoad.resume(place), instant + Math.random() * 100);
      await resumeWell(place);
      await assertEqualToPlan(place);
    });

    test('during --clean of another dataset', async () => {
      const place = newPlace();
      await loadWell(place, ...FLAGS, '--layout', layout, '--seed', '8');
      for (const instant of [350, 440, 530]) {
        const flags = [...FLAGS, '--layout', layout, '--writer', writer, '--clean'];
        await kill(RunningLoad.load(place, flags), instant + Math.random() * 90);
      }
      await resumeWell(place);
      // Whichever dataset the run in the database is of: that one is there, and nothing of the
      // other.
      await assertEqualToPlan(place);
    });
  });
}

async function kill(running: RunningLoad, afterMs: number): Promise<void> {
  await Promise.race([sleep(afterMs), running.ended]);
  running.kill('SIGKILL');
  const { stderr } = await running.ended;
  assert.doesNotMatch(stderr, /^ +at /m);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal}: exit 130, how to resume, and what was said to be safe is safe`, async () => {
    const place = newPlace();
    const layout = signal === 'SIGTERM' ? UNKEYED_LAYOUT : 'flat';
    const running = RunningLoad.load(place, [...FLAGS, '--layout', layout, '--writer', 'sequence']);
    await untilShards(running, server.uri, place.database, 2);
    running.kill(signal);
    const { status, stdout, stderr } = await running.ended;
    assert.equal(status, 130, stderr);
    assert.match(stderr, /seed-database --resume/);
    const { records } = JSON.parse(stdout);
    assert.ok(records.inserted > 0);
    const { records: found } = await verify(place);
    assert.ok(found.found >= records.inserted);
    const resumed = await resumeWell(place);
    assert.ok(resumed.shards.skipped >= 2);
    await assertEqualToPlan(place);
  });
}

test('closed standard output: the load goes on', async () => {
  const place = newPlace();
  const running = RunningLoad.load(place, FLAGS);
  running.child.stdout?.destroy();
  running.child.stderr?.destroy();
  const { status } = await running.ended;
  assert.equal(status, 0);
  await assertEqualToPlan(place);
});

test('a full disk for the log: said once, and the load goes on', async () => {
  const place = newPlace();
  const { status, stderr } = await RunningLoad.load(place, [...FLAGS, '--log-file', '/dev/full']).ended;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /the log \/dev\/full cannot be written/);
  await assertEqualToPlan(place);
});

test('a full disk for standard output: said, and everything is loaded', async () => {
  const place = newPlace();
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = await RunningLoad.load(place, FLAGS, { stdout: full }).ended;
    assert.equal(status, 1);
    assert.match(stderr, /cannot write to standard output/);
  } finally {
    closeSync(full);
  }
  await assertEqualToPlan(place);
});

test('a clean that was killed half-way is finished by whoever resumes', async () => {
  const place = newPlace();
  await loadWell(place, ...FLAGS, '--seed', '8');
  const client = new MongoClient(server.uri);
  try {
    const db = client.db(place.database);
    const [run] = await db.collection('seed_runs').find().toArray();
    // As it is between the start of --clean and the removal of the data: the new run holds, the old
    // data are there.
    await db.collection('seed_runs').insertOne({
      ...run,
      _id: 'ffffffffffffffffffffffff' as unknown as typeof run._id,
      seed: 7,
      state: 'interrupted',
      cleaning: true,
      startedAt: new Date(),
    });
  } finally {
    await client.close();
  }
  const resumed = await resumeWell(place);
  assert.equal(resumed.seed, 7);
  await assertEqualToPlan(place);
});
