/**
 * A set of three of which one member lags or is down: what is decided by, is read from the primary,
 * and nothing waits for ever.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Db, MongoClient } from 'mongodb';
import { runCli } from '../support/cli.js';
import { assertEqualToPlan, END, load, loadWell, type Place, placeFlags } from '../support/dataset.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;

before(async () => {
  server = await startTestServer({ replicaSet: 3, slowInserts: true });
  client = new MongoClient(server.uri);
});
after(async () => {
  await client?.close();
  await server?.stop();
});

const FLAGS = ['--metrics-only', '--shard-days', '1'];

async function onMember<T>(member: number, use: (admin: Db) => Promise<T>): Promise<T> {
  const direct = new MongoClient(`mongodb://127.0.0.1:${server.ports[member]}/?directConnection=true`);
  try {
    return await use(direct.db('admin'));
  } finally {
    await direct.close();
  }
}

/**
 * The last member serves majorities unseen, so that the other secondary is the one that is chosen,
 * and that one lags.
 */
async function hideThird(hidden: boolean): Promise<void> {
  await onMember(0, async (admin) => {
    const { config } = await admin.command({ replSetGetConfig: 1 });
    config.version++;
    Object.assign(config.members[2], { hidden, priority: hidden ? 0 : 1 });
    await admin.command({ replSetReconfig: config });
  });
}

async function lagSecond(mode: 'alwaysOn' | 'off'): Promise<void> {
  await onMember(1, (admin) => admin.command({ configureFailPoint: 'rsSyncApplyStop', mode }));
}

test('a read preference of a member that lags: runs, leases and checkpoints are the primary’s', async () => {
  await hideThird(true);
  await lagSecond('alwaysOn');
  try {
    for (const preference of ['secondary', 'secondary&readConcernLevel=local', 'nearest']) {
      const database = `lagging_${preference.replace(/\W.*/, '')}_${preference.length}`;
      const place: Place = { uri: `${server.uri}&readPreference=${preference}`, database };
      const first = RunningLoad.load(place, [...FLAGS, '--days', '4']);
      await untilShards(first, server.uri, database, 2);
      const second = await load(place, ['--resume']);
      assert.equal(second.status, 5, second.stderr);
      assert.match(second.stderr, /is in progress on/);
      first.kill('SIGKILL');
      await first.ended;
      const resumed = await RunningLoad.resume(place).ended;
      assert.equal(resumed.status, 0, resumed.stderr);
      assert.ok(JSON.parse(resumed.stdout).shards.skipped >= 2, resumed.stdout);
      const again = await load(place, [...FLAGS, '--days', '4']);
      assert.equal(again.status, 0, again.stderr);
      assert.equal(JSON.parse(again.stdout).status, 'already complete');
      await assertEqualToPlan({ ...place, uri: server.uri });
    }
  } finally {
    await lagSecond('off');
    await hideThird(false);
  }
});

test('verify says which member it has read, and repairs by what the primary holds', async () => {
  const place: Place = { uri: server.uri, database: 'members' };
  const onSecondary: Place = { ...place, uri: `${server.uri}&readPreference=secondary` };
  await hideThird(true);
  try {
    await loadWell(place, ...FLAGS);
    // All members have what was before it.
    await client
      .db('mark')
      .collection('marks')
      .insertOne({}, { writeConcern: { w: 3 } });
    await lagSecond('alwaysOn');
    await client.db(place.database).collection('metrics').deleteMany({ metric_name: 'cpu_usage' });
    const args = (where: Place) => ['verify', ...placeFlags(where), '--workers', '1'];
    const stale = await runCli(args(onSecondary));
    assert.equal(stale.status, 0, stale.stdout + stale.stderr);
    assert.match(stale.stdout, new RegExp(`Read from the secondary 127\\.0\\.0\\.1:${server.ports[1]}`));
    const now = await runCli(args(place));
    assert.equal(now.status, 1, now.stderr);
    assert.match(now.stdout, new RegExp(`Read from the primary 127\\.0\\.0\\.1:${server.ports[0]}`));
    const repaired = await runCli([...args(onSecondary), '--repair', '--json']);
    assert.equal(repaired.status, 0, repaired.stderr);
    const { repaired: count, readFrom } = JSON.parse(repaired.stdout);
    assert.deepEqual([count, readFrom.role], [14_400, 'primary']);
  } finally {
    await lagSecond('off');
    await hideThird(false);
  }
  await assertEqualToPlan(place);
});

test('with one member down: --clean, then refresh; checkpoints have their index from the beginning', async () => {
  const place: Place = { uri: server.uri, database: 'down' };
  await loadWell(place, ...FLAGS, '--end', '2025-02-08');
  await loadWell(place, ...FLAGS, '--end', '2025-02-08', '--clean');
  const shards = client.db(place.database).collection('seed_shards');
  assert.deepEqual(
    (await shards.indexes()).map(({ key }) => key),
    [{ _id: 1 }, { run: 1 }],
  );
  // As an earlier version left it.
  await shards.dropIndexes();
  await client.db(place.database).collection('assets').dropIndexes();
  await server.kill('SIGKILL', 2);
  try {
    const args = ['refresh', ...placeFlags(place), '--end', END, '--log-file', '/dev/null'];
    const { status, stderr } = await runCli(args, { timeoutMs: 60_000 });
    assert.equal(status, 0, stderr);
    assert.equal((await shards.indexes()).length, 2);
    assert.equal((await client.db(place.database).collection('assets').indexes()).length, 5);
    await assertEqualToPlan(place);
  } finally {
    await server.restart();
  }
});
