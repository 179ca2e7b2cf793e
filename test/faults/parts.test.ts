/**
 * Several loaders share one run: disjoint parts, killed and restarted, and every record is there
 * once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Document, MongoClient } from 'mongodb';
import { assertEqualToPlan, load, loadWell, type Place } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;
let number = 0;
const newPlace = (): Place => ({ uri: server.uri, database: `parts_${++number}` });
const FLAGS = ['--metrics-only', '--days', '2', '--shard-days', '1', '--workers', '1', '--batch-size', '200'];
const part = (index: number, of = 4) => ['--parts', String(of), '--part', String(index)];

before(async () => {
  server = await startTestServer({ replicaSet: true, slowInserts: true });
  client = await new MongoClient(server.uri).connect();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

for (const layout of LAYOUTS_HERE) {
  test(`four parts at once, two of them killed and restarted: ${layout}`, async () => {
    const place = newPlace();
    const flags = [...FLAGS, '--layout', layout];
    const start = (index: number) => RunningLoad.load(place, [...flags, ...part(index)]);
    const first = [1, 2, 3, 4].map(start);
    await untilShards(first[0], server.uri, place.database, 2);
    for (const index of [1, 2]) first[index].kill('SIGKILL');
    await Promise.all([first[1].ended, first[2].ended]);
    const again = [start(2), RunningLoad.resume(place, part(3))];
    for (const [index, { ended }] of [first[0], again[0], again[1], first[3]].entries()) {
      const { status, stdout, stderr } = await ended;
      assert.equal(status, 0, stderr);
      assert.deepEqual(JSON.parse(stdout).part, { number: index + 1, of: 4 });
    }
    const db = client.db(place.database);
    const runs = await db.collection('seed_runs').find().toArray();
    assert.equal(runs.length, 1);
    assert.equal(runs[0].state, 'complete');
    assert.equal(runs[0].active, undefined);
    const keys = (await db.collection('metrics').indexes()).map(({ key }) => Object.keys(key).join());
    const expected = layout === 'flat' ? 'asset_id,metric_name,timestamp' : 'meta.asset_id,timestamp';
    assert.ok(keys.includes(expected), keys.join(' '));
    await assertEqualToPlan(place);
    // Once all is there, a part that is started again has nothing to do.
    assert.equal((await loadWell(place, ...flags, ...part(1))).status, 'already complete');
  });
}

test('the same part twice, another number of parts and other options are refused by name', async () => {
  const place = newPlace();
  const flags = [...FLAGS, '--days', '40'];
  const first = RunningLoad.load(place, [...flags, ...part(1)]);
  await untilShards(first, server.uri, place.database, 1);
  const refused = async (args: readonly string[], status: number, pattern: RegExp) => {
    const result = await load(place, args);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, pattern);
  };
  const held = new RegExp(`part 1 of run \\w+ is in progress on .+ \\(pid ${first.child.pid}, last seen`);
  await refused([...flags, ...part(1)], 5, held);
  await refused([...flags, '--clean'], 5, held);
  await refused([...flags, ...part(2, 3)], 5, held);
  await refused([...flags, ...part(2), '--layout', 'timeseries'], 2, /--layout contradicts/);
  await refused([...flags, ...part(2), '--seed', '8'], 2, /--seed contradicts/);
  await refused([...flags, ...part(2), '--no-clustered'], 2, /--no-clustered contradicts/);
  first.kill('SIGKILL');
  await first.ended;
  await refused(['--resume'], 2, /is shared by 4 parts/);
  await refused([...flags, ...part(2, 3)], 2, /--parts contradicts/);
  const parts: Document[] = await client.db(place.database).collection('seed_parts').find().toArray();
  assert.deepEqual(
    parts.map((one) => one.part),
    [1],
  );
});

test('--shard against a server that is no router is refused before anything is written', async () => {
  const place = newPlace();
  const { status, stderr } = await load(place, [...FLAGS, '--shard']);
  assert.equal(status, 2, stderr);
  assert.match(stderr, /--shard needs a sharded cluster/);
  assert.deepEqual(await client.db(place.database).listCollections().toArray(), []);
});
