/** Sources that are made before their shards are asked for hold what they would hold anyway. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SourcesAhead } from '../../src/dataset/ahead.js';
import { firstShards } from '../../src/dataset/dataset.js';
import { SeriesMemory } from '../../src/dataset/series.js';
import { ShardSource } from '../../src/dataset/source.js';
import { BucketEncoder, encodeBuckets } from '../../src/encode/bucket.js';
import { BatchBuffer } from '../../src/encode/document.js';
import { buildFleet } from '../../src/fleet/build.js';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { readFleetFile } from '../../src/fleet/read.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { ShardQueue } from '../../src/plan/order.js';
import { planLoad, type Shard } from '../../src/plan/plan.js';
import { datasetOver } from '../support/loading.js';

const WINDOW = { start: 28_984_335, end: 28_984_335 + 3 * 1440 };
const BATCH = 1000;
const encoder = new BucketEncoder();
const DISTURBED = fileURLToPath(new URL('../../../examples/fleets/disturbed.yaml', import.meta.url));

function aheadOf(fleet = DEFAULT_FLEET, asBuckets = true) {
  const dataset = datasetOver(WINDOW, { layout: 'timeseries' });
  const { shards } = planLoad(fleet, WINDOW, dataset.sections, 2);
  const context = {
    dataset,
    fleet: fleet.definition,
    shards,
    batchSize: BATCH,
    rate: undefined,
    asBuckets,
  };
  return { ahead: new SourcesAhead(context, BATCH, 0), context, shards };
}

/** Every insert of a source: the records of its batches, and the bytes that are sent. */
function insertsOf(source: ShardSource) {
  const buffer = new BatchBuffer(0);
  const inserts = [];
  while (source.nextMetric !== undefined) {
    const insert = source.nextInsert(buffer, () => false);
    assert.ok(insert);
    const records = insert.batches.map(({ key, ticks, values }) => [key, [...ticks], [...values]]);
    const { bytes } = insert.takeBuckets() ?? encodeBuckets(insert, encoder);
    inserts.push({ records, bytes: bytes.toString('hex') });
    assert.equal(insert.takeBuckets(), undefined, 'kept for once');
  }
  assert.equal(
    source.nextInsert(buffer, () => false),
    undefined,
  );
  return inserts;
}

test('the same inserts, however far they were generated before', async () => {
  const file = readFleetFile(DISTURBED);
  for (const fleet of [DEFAULT_FLEET, buildFleet({ file, scale: 1, timezone: 'UTC' })]) {
    for (const asBuckets of [true, false]) {
      for (const turns of [1, 2, 7, 1_000]) {
        const { ahead, context, shards } = aheadOf(fleet, asBuckets);
        let left = turns;
        await ahead.generate(() => --left === 0);
        const model = new TelemetryModel(fleet, context.dataset.seed);
        for (const shard of shards.slice(0, 5)) {
          const options = { asBuckets, byArrival: true };
          const plain = new ShardSource(model, context.dataset, shard, BATCH, new SeriesMemory(), options);
          const made = ahead.take(shard, BATCH, asBuckets);
          if (made) assert.deepEqual(insertsOf(made), insertsOf(plain));
          assert.ok(made || turns < 1_000, shard.id);
        }
      }
    }
  }
});

test('a source is taken once, by the load that it was made for', async () => {
  const { ahead, context, shards } = aheadOf();
  await ahead.generate(() => false);
  const [first, second] = shards as [Shard, Shard];
  assert.equal(ahead.take(first, BATCH + 1, true), undefined);
  assert.equal(ahead.take(first, BATCH, false), undefined);
  assert.equal(ahead.take({ ...second, to: second.to - 1 }, BATCH, true), undefined);
  assert.ok(ahead.take(first, BATCH, true));
  assert.equal(ahead.take(first, BATCH, true), undefined);

  const { dataset, fleet } = context;
  assert.ok(ahead.areOf({ dataset: structuredClone(dataset), fleet: structuredClone(fleet) }));
  assert.ok(!ahead.areOf({ dataset: { ...dataset, seed: dataset.seed + 1 }, fleet }));
  assert.ok(!ahead.areOf({ dataset, fleet: { ...fleet, scale: 2 } }));
});

test('it ends when the shards are wanted', async () => {
  const { ahead, shards } = aheadOf();
  await ahead.generate(() => true);
  assert.equal(ahead.take(shards[1], BATCH, true), undefined);
});

test('what is made first is what is handed out first: the beginning of every asset', () => {
  const { sections } = datasetOver(WINDOW, {});
  const plan = planLoad(DEFAULT_FLEET, { start: 0, end: 14 * 1440 }, sections, 7);
  const queue = new ShardQueue(plan.shards);
  const first = firstShards(plan);
  assert.ok(first.length > 5, `${first.length} shards`);
  assert.deepEqual(
    first,
    first.map(() => queue.next()),
  );
  assert.equal(new Set(first.map(({ assetId }) => assetId)).size, first.length);
});

test('what other threads have loaded is let go of once the first shards are handed out', async () => {
  const { ahead, context, shards } = aheadOf();
  await ahead.generate(() => false);
  const later = { ...shards[0], id: 'a shard of a later day' };
  assert.equal(ahead.take(later, BATCH, true), undefined);
  for (const shard of context.shards) assert.equal(ahead.take(shard, BATCH, true), undefined);
});

test('no more is made than a thread can keep', () => {
  const { sections } = datasetOver(WINDOW, {});
  const small = planLoad(DEFAULT_FLEET, WINDOW, sections, 2);
  assert.deepEqual(new Set(firstShards(small)), new Set(small.shards));
  const long = planLoad(DEFAULT_FLEET, { start: 0, end: 90 * 1440 }, sections, 28);
  const records = firstShards(long).reduce((sum, shard) => sum + shard.records, 0);
  assert.ok(records > 300_000 && records <= 500_000, `${records} records`);
  const many = planLoad(DEFAULT_FLEET, { start: 0, end: 90 * 1440 }, ['backup'], 1);
  assert.equal(firstShards(many).length, 100);
});
