/**
 * Several batches in one insert: the bytes are those of the documents, whatever the buffer held
 * before, and none is lost or doubled.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { LAYOUTS, SECTIONS } from '../../src/config/settings.js';
import { ShardSource } from '../../src/dataset/source.js';
import { BatchBuffer, buildTemplate, type Series, seriesIdPrefix } from '../../src/encode/document.js';
import { Batch, Insert } from '../../src/encode/insert.js';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { regularSampling } from '../../src/model/sampling.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { planLoad } from '../../src/plan/plan.js';
import { datasetOver } from '../support/loading.js';

const HEADROOM = 15;

function series(assetId: string, metricName: string): Series {
  const idPrefix = seriesIdPrefix(42, assetId, metricName);
  return {
    assetId,
    assetType: 'vm',
    metricName,
    unit: 'x',
    section: 'metrics',
    environment: 'lab',
    idPrefix,
    sampling: regularSampling(60),
  };
}

const SERIES = [
  series('a', 'cpu'),
  series('b-with-a-long-name', 'memory'),
  series('c', 'io_wait'),
  series('d', 'x'),
];

/** Of one insert: which series, and how many records of each. */
const shape = fc
  .uniqueArray(fc.nat(SERIES.length - 1), { minLength: 1 })
  .chain((which) =>
    fc.tuple(...which.map((index) => fc.tuple(fc.constant(index), fc.integer({ min: 1, max: 40 })))),
  );

for (const layout of LAYOUTS) {
  test(`${layout}: inserts of any shapes, one after the other through one buffer`, () => {
    const templates = SERIES.map((one) => buildTemplate(layout, one));
    fc.assert(
      fc.property(fc.array(shape, { minLength: 1, maxLength: 8 }), (shapes) => {
        const buffer = new BatchBuffer(HEADROOM);
        let minute = 29_000_000;
        for (const parts of shapes) {
          const [first, ...more] = parts.map(([index, count]) => {
            const minutes = Int32Array.from({ length: count }, () => minute++);
            const values = Float64Array.from(minutes, (at) => at / 8);
            return new Batch(layout, SERIES[index], templates[index], minutes, values, buffer);
          });
          const insert = new Insert([first, ...more]);
          const expected = insert.documents().map((document) => BSON.serialize(document));
          assert.deepEqual(insert.encode().subarray(HEADROOM), Buffer.concat(expected));
          assert.equal(insert.records, expected.length);
        }
      }),
      { numRuns: 100 },
    );
  });
}

test('without() leaves batches away of which nothing is left, and says when that is all', () => {
  const buffer = new BatchBuffer(0);
  const batch = (which: number, ...minutes: number[]) =>
    new Batch(
      'timeseries',
      SERIES[which],
      buildTemplate('timeseries', SERIES[which]),
      Int32Array.from(minutes),
      Float64Array.from(minutes),
      buffer,
    );
  const insert = new Insert([batch(0, 1, 2, 3), batch(1, 4, 5)]);
  const left = (present: Record<string, number[]>) =>
    insert
      .without(
        new Map(
          Object.entries(present).map(([metric, minutes]) => [
            metric,
            new Set(minutes.map((at) => at * 60_000)),
          ]),
        ),
      )
      ?.batches.map(({ ticks }) => [...ticks]);
  assert.deepEqual(left({}), [
    [1, 2, 3],
    [4, 5],
  ]);
  assert.deepEqual(left({ cpu: [2] }), [
    [1, 3],
    [4, 5],
  ]);
  assert.deepEqual(left({ cpu: [1, 2, 3], io_wait: [4] }), [[4, 5]]);
  assert.equal(left({ cpu: [1, 2, 3], memory: [4, 5, 6] }), undefined);
});

test('a source’s inserts hold each of its batches once, none above the batch size, and of one series one at most', () => {
  const model = new TelemetryModel(DEFAULT_FLEET, 42);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3000 }),
      fc.nat(31),
      fc.integer({ min: 1, max: 900 }),
      fc.constantFrom(...LAYOUTS),
      fc.constantFrom('', 'cpu_usage', 'availability_status'),
      (length, assetIndex, batchSize, layout, busy) => {
        const window = { start: 29_000_000, end: 29_000_000 + length };
        const plan = planLoad(DEFAULT_FLEET, window, SECTIONS, 30);
        const shard = plan.shards.filter((one) => one.assetIndex === assetIndex)[0];
        const dataset = datasetOver(window, { layout });
        const source = new ShardSource(model, dataset, shard, batchSize);
        const buffer = new BatchBuffer(0);
        const seen = new Map<string, number[]>();
        for (;;) {
          const insert = source.nextInsert(buffer, (metricName) => metricName === busy);
          if (!insert) break;
          assert.ok(insert.records <= batchSize);
          const names = insert.batches.map(({ series: { metricName } }) => metricName);
          assert.equal(new Set(names).size, names.length);
          assert.ok(!names.slice(1).includes(busy));
          for (const {
            series: { metricName },
            ticks,
          } of insert.batches)
            seen.set(metricName, [...(seen.get(metricName) ?? []), ...ticks]);
        }
        assert.equal([...seen.values()].flat().length, shard.records);
        for (const minutes of seen.values())
          assert.deepEqual(
            minutes,
            [...new Set(minutes)].sort((a, b) => a - b),
          );
      },
    ),
    { numRuns: 80 },
  );
});

test('an hour of a machine is one insert', () => {
  const window = { start: 29_000_000, end: 29_000_060 };
  const [shard] = planLoad(DEFAULT_FLEET, window, SECTIONS, 7).shards;
  const source = new ShardSource(new TelemetryModel(DEFAULT_FLEET, 42), datasetOver(window), shard, 1000);
  const buffer = new BatchBuffer(0);
  assert.equal(source.nextInsert(buffer, () => false)?.records, shard.records);
  assert.equal(
    source.nextInsert(buffer, () => false),
    undefined,
  );
});
