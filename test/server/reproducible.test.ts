/**
 * The same seed and period give the same bytes, however they are loaded; and every value is a
 * function of its own minute alone.
 */
import assert from 'node:assert/strict';
import { createHash, type Hash } from 'node:crypto';
import { test } from 'node:test';
import { ShardSource } from '../../src/dataset/source.js';
import { BatchBuffer } from '../../src/encode/document.js';
import { DEFAULT_FLEET, type LoadOptions, minuteOf, planLoad, SECTIONS } from '../../src/index.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { datasetOver, daysBefore, END, hashes, useServer } from '../support/loading.js';

const file = useServer();

/** From noon to noon, so that shards of one day are more than those of several. */
const [START, STOP] = [daysBefore(1.5), daysBefore(0.5)];
const RECORDS = 135_370;

/**
 * Loads a period that ends at {@link STOP} and returns the hashes of what lies after {@link START}.
 */
async function hashOf(options: LoadOptions, older = 0) {
  const database = file.freshDatabase();
  const { records } = await file.load(database, { start: START, end: STOP, ...options });
  assert.equal(records.inserted, RECORDS + older);
  const db = file.client.db(database);
  const { deletedCount } = await db.collection('metrics').deleteMany({ timestamp: { $lt: START } });
  assert.equal(deletedCount, older);
  const { assets, metrics, ...others } = await hashes(db, 'assets', 'metrics');
  await db.dropDatabase();
  assert.deepEqual(others, {});
  assert.match(`${assets} ${metrics}`, /^[0-9a-f]{32} [0-9a-f]{32}$/);
  return { assets, metrics };
}

test('workers, batches, shards, writers and the length of the period leave no trace in the data; another seed does', async () => {
  const expected = await hashOf({ workers: 1, batchSize: 500, shardDays: 1 });
  assert.deepEqual(await hashOf({ workers: 4, batchSize: 10_000, shardDays: 7 }), expected);
  assert.deepEqual(await hashOf({ workers: 2, batchSize: 777, writer: 'bulkwrite' }), expected);
  // Half a day longer, and the backups of one more night.
  assert.deepEqual(await hashOf({ start: daysBefore(2), shardDays: 2 }, 94 * 720 + 10), expected);
  const another = await hashOf({ seed: 43 });
  assert.equal(another.assets, expected.assets);
  assert.notEqual(another.metrics, expected.metrics);
});

/** A digest of each series' minutes and values from an instant on, computed as workers do it. */
function digests(start: Date, common: Date, shardDays: number, batchSize: number): Map<string, string> {
  const window = { start: minuteOf(start), end: minuteOf(END) };
  const dataset = datasetOver(window);
  const model = new TelemetryModel(DEFAULT_FLEET, dataset.seed);
  const buffer = new BatchBuffer(0);
  const found = new Map<string, readonly Hash[]>();
  for (const shard of planLoad(DEFAULT_FLEET, window, SECTIONS, shardDays).shards) {
    const source = new ShardSource(model, dataset, shard, batchSize);
    for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) {
      const { ticks, values, series } = batch;
      const first = ticks.findIndex((minute) => minute >= minuteOf(common));
      if (first < 0) continue;
      const name = `${series.assetId} ${series.metricName}`;
      const [ofMinutes, ofValues] = found.get(name) ?? [createHash('sha256'), createHash('sha256')];
      ofMinutes.update(ticks.subarray(first));
      ofValues.update(values.subarray(first));
      found.set(name, [ofMinutes, ofValues]);
    }
  }
  return new Map([...found].map(([name, both]) => [name, both.map((hash) => hash.digest('hex')).join()]));
}

test('fourteen and seven days that end together agree on every value of the common week', () => {
  const week = daysBefore(7);
  const fortnight = digests(daysBefore(14), week, 5, 1000);
  assert.equal(fortnight.size, 104);
  assert.deepEqual(digests(week, week, 2, 12_345), fortnight);
  // It can tell: a week that begins a minute later has another digest for every series but the
  // backups.
  const later = digests(week, new Date(week.getTime() + 60_000), 7, 5000);
  const equal = [...later].filter(([name, digest]) => fortnight.get(name) === digest).map(([name]) => name);
  assert.equal(equal.length, 10);
});
