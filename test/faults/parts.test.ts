/**
 * Several loaders share one run: disjoint parts, killed and restarted, and every record is there
 * once.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Document, MongoClient } from 'mongodb';
import { assertEqualToPlan, load, loadWell, type Place } from '../support/dataset.js';
import { bucketsTest, LAYOUTS_HERE, SERIES_WRITERS } from '../support/features.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { startTestServer, type TestServer, until } from '../support/server.js';

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

/** Until so many parts know that they are of buckets: one that is killed before is of measurements. */
async function untilRemembered({ database }: Place, parts: number): Promise<void> {
  const documents = client.db(database).collection('seed_parts');
  const remembered = () => documents.countDocuments({ writer: 'buckets' });
  await until(`${parts} parts remember their writer`, async () => (await remembered()) === parts);
}

const WAYS = LAYOUTS_HERE.flatMap((layout) =>
  (layout === 'flat' ? (['sequence'] as const) : SERIES_WRITERS).map((writer) => [layout, writer] as const),
);
for (const [layout, writer] of WAYS) {
  test(`four parts at once, two of them killed and restarted: ${layout} by ${writer}`, async () => {
    const place = newPlace();
    // A shard of buckets is one insert: there have to be more of them, to be killed in their midst.
    const days = writer === 'buckets' ? ['--days', '8'] : [];
    const flags = [...FLAGS, ...days, '--layout', layout, '--writer', writer];
    const start = (index: number) => RunningLoad.load(place, [...flags, ...part(index)]);
    const first = [1, 2, 3, 4].map(start);
    if (writer === 'buckets') await untilRemembered(place, 4);
    await untilShards(first[0], server.uri, place.database, 2);
    for (const index of [1, 2]) first[index].kill('SIGKILL');
    await Promise.all([first[1].ended, first[2].ended]);
    const again = [start(2), RunningLoad.resume(place, part(3))];
    for (const [index, { ended }] of [first[0], again[0], again[1], first[3]].entries()) {
      const { status, stdout, stderr } = await ended;
      assert.equal(status, 0, stderr);
      const summary = JSON.parse(stdout);
      assert.deepEqual(summary.part, { number: index + 1, of: 4 });
      if (summary.status !== 'already complete') assert.equal(summary.loader.writer.kind, writer);
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

bucketsTest('a part goes on as it was begun, whatever the others do', async () => {
  const place = newPlace();
  const flags = [...FLAGS, '--days', '6', '--layout', 'timeseries'];
  const measurements = RunningLoad.load(place, [...flags, ...part(1, 2), '--writer', 'sequence']);
  // Slow enough to be killed in the midst of its shards.
  const buckets = RunningLoad.load(place, [...flags, ...part(2, 2), '--rate', '5000']);
  await untilRemembered(place, 1);
  await untilShards(measurements, server.uri, place.database, 3);
  measurements.kill('SIGKILL');
  buckets.kill('SIGKILL');
  await Promise.all([measurements.ended, buckets.ended]);
  const first = await loadWell(place, ...flags, ...part(1, 2));
  const reason = 'the part was not begun with buckets';
  assert.deepEqual(first.loader.writer, { kind: 'sequence', reason });
  const second = await loadWell(place, ...flags, ...part(2, 2), '--writer', 'sequence');
  assert.deepEqual(second.loader.writer, { kind: 'buckets', reason: null });
  await assertEqualToPlan(place);
});

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
