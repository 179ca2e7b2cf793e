import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { LAYOUTS } from '../../src/config/settings.js';
import {
  BatchBuffer,
  buildTemplate,
  recordId,
  type Series,
  seriesIdPrefix,
} from '../../src/encode/document.js';
import { Batch } from '../../src/encode/insert.js';
import { regularSampling } from '../../src/model/sampling.js';

function series(
  assetId = 'vm-101',
  metricName = 'cpu_usage',
  environment = 'production',
  sampling = regularSampling(60),
): Series {
  return {
    assetId,
    assetType: 'vm',
    metricName,
    unit: 'percentage',
    section: 'metrics',
    environment,
    idPrefix: seriesIdPrefix(42, assetId, metricName),
    sampling,
  };
}

/** The documents of a message section: `headroom` bytes, then BSON documents end to end. */
function split(bytes: Buffer, headroom: number): Buffer[] {
  const documents: Buffer[] = [];
  for (let at = headroom; at < bytes.length; at += bytes.readInt32LE(at)) {
    documents.push(bytes.subarray(at, at + bytes.readInt32LE(at)));
  }
  return documents;
}

const sampling = fc
  .record({
    interval: fc.constantFrom(1, 10, 60, 3600),
    jitterMs: fc.constantFrom(0, 0, 1, 999),
    jitterSeed: fc.integer(),
  })
  .map(({ interval, ...jitter }) => ({ ...regularSampling(interval), ...jitter }));

const record = fc.record({
  tick: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  value: fc.oneof(fc.double({ noNaN: true }), fc.integer({ min: 0, max: 100 })),
});

for (const layout of LAYOUTS) {
  test(`${layout}: stamped bytes are the bytes that the bson library makes of the documents`, () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 60 }),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        sampling,
        (records, environment, sampled) => {
          const shared = series('vm-101', 'cpu_usage', environment.replaceAll('\0', ''), sampled);
          const buffer = new BatchBuffer(15);
          const batch = new Batch(
            layout,
            shared,
            buildTemplate(layout, shared),
            Int32Array.from(records, (r) => r.tick),
            Float64Array.from(records, (r) => r.value),
            buffer,
          );
          const stamped = split(batch.encode(), 15);
          const expected = batch.documents().map((document) => Buffer.from(BSON.serialize(document)));
          assert.deepEqual(stamped, expected);
        },
      ),
      { numRuns: 50 },
    );
  });
}

test('a buffer that served one series serves a longer batch of another', () => {
  const buffer = new BatchBuffer(15);
  const make = (shared: Series, count: number) =>
    new Batch(
      'flat',
      shared,
      buildTemplate('flat', shared),
      Int32Array.from({ length: count }, (_, i) => 29_000_000 + i),
      Float64Array.from({ length: count }, (_, i) => i / 4),
      buffer,
    );
  const batches = [make(series(), 7), make(series('ct-201', 'io_wait'), 3), make(series('pve-node-01'), 50)];
  for (const batch of batches) {
    const documents = split(batch.encode(), 15).map((bytes) => BSON.deserialize(bytes));
    assert.deepEqual(
      documents.map((document) => [document.asset_id, document.value]),
      Array.from({ length: batch.records }, (_, i) => [batch.series.assetId, i / 4]),
    );
  }
});

test('whole values stay doubles, so that a value never changes its type', () => {
  const shared = series();
  const batch = new Batch(
    'flat',
    shared,
    buildTemplate('flat', shared),
    Int32Array.of(29_000_000),
    Float64Array.of(50),
    new BatchBuffer(0),
  );
  const document = BSON.deserialize(batch.encode(), { promoteValues: false });
  assert.equal(document.value._bsontype, 'Double');
});

test('ids of a series rise with time, and series differ in their first eight bytes', () => {
  const ids = [0, 1, 255, 256, 65_536, 29_000_000].map((minute) => recordId(series(), minute).toHexString());
  assert.deepEqual([...ids].sort(), ids);
  assert.notEqual(
    recordId(series('vm-101'), 1).toHexString().slice(0, 16),
    recordId(series('vm-102'), 1).toHexString().slice(0, 16),
  );
});

test('without() leaves away what is present and nothing else', () => {
  const shared = series();
  const batch = new Batch(
    'timeseries',
    shared,
    buildTemplate('timeseries', shared),
    Int32Array.of(10, 11, 12, 13),
    Float64Array.of(1, 2, 3, 4),
    new BatchBuffer(0),
  );
  const rest = batch.without(new Set([11, 13, 99].map((minute) => minute * 60_000)));
  assert.deepEqual([...rest.ticks], [10, 12]);
  assert.deepEqual([...rest.values], [1, 3]);
});
