/**
 * A load with --write-concern majority survives what happens to the primary of a replica set, by
 * itself.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { assertEqualToPlan } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let set: TestServer;

before(async () => {
  set = await startTestServer({ replicaSet: 3, slowInserts: true });
});
after(() => set?.stop());

const FLAGS = ['--metrics-only', '--days', '2', '--shard-days', '1', '--write-concern', 'majority'];

async function primaryPort(): Promise<number> {
  const client = new MongoClient(set.uri);
  try {
    const { primary } = await client.db('admin').command({ hello: 1 });
    return Number(String(primary).split(':')[1]);
  } finally {
    await client.close();
  }
}

for (const layout of LAYOUTS_HERE) {
  test(`primary stepped down under load: ${layout}`, async () => {
    const place = { uri: set.uri, database: `step_${layout}` };
    const running = RunningLoad.load(place, [...FLAGS, '--layout', layout]);
    await untilShards(running, set.uri, place.database, 2);
    const client = new MongoClient(`mongodb://127.0.0.1:${await primaryPort()}/?directConnection=true`);
    try {
      await client.db('admin').command({ replSetStepDown: 5, secondaryCatchUpPeriodSecs: 2, force: true });
    } finally {
      await client.close();
    }
    const { status, stderr } = await running.ended;
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /^ +at /m);
    await assertEqualToPlan(place);
  });

  test(`primary killed under load: ${layout}`, async () => {
    const place = { uri: set.uri, database: `kill_${layout}` };
    const running = RunningLoad.load(place, [...FLAGS, '--layout', layout]);
    await untilShards(running, set.uri, place.database, 2);
    await set.kill('SIGKILL', set.ports.indexOf(await primaryPort()));
    const { status, stderr } = await running.ended;
    await set.restart();
    assert.equal(status, 0, stderr);
    await assertEqualToPlan(place);
  });
}

test('a write concern that the set can never reach is refused at once', async () => {
  const place = { uri: set.uri, database: 'too_many' };
  const started = performance.now();
  const { status, stderr } = await RunningLoad.load(place, [...FLAGS, '--write-concern', '5']).ended;
  assert.equal(status, 2, stderr);
  assert.match(stderr, /--write-concern 5 can never be met: 3 members hold data/);
  assert.ok(performance.now() - started < 20_000);
});
