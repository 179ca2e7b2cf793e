/** Compressed columns hold exactly what went into them, whatever that is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ColumnEncoder, columnRoom } from '../../src/encode/column.js';
import { msOfTick, regularSampling, type Sampling } from '../../src/model/sampling.js';
import { decodeColumn } from './column-decoder.js';

const encoder = new ColumnEncoder(1000);
const memory = Buffer.alloc(columnRoom(1000) + 100, 0xee);
const view = new DataView(memory.buffer, memory.byteOffset);

function ofDoubles(values: readonly number[]): number[] {
  const end = encoder.doubles(Float64Array.from(values), 0, values.length, view, 7);
  const decoded = decodeColumn(memory, 7);
  assert.equal(decoded.end, end);
  assert.ok(end - 7 <= columnRoom(values.length));
  return [...decoded.values];
}

function ofDates(ticks: readonly number[], sampling: Sampling = regularSampling(60)): readonly number[] {
  const end = encoder.dates(sampling, Int32Array.from(ticks), 0, ticks.length, view, 7);
  const decoded = decodeColumn(memory, 7);
  assert.equal(decoded.end, end);
  return decoded.values;
}

const column = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 1, maxLength: 1000, size: 'max' });
const hundredths = fc.integer({ min: -3_000_000, max: 3_000_000 }).map((whole) => whole / 100);

test('any doubles, extremes and minus zero among them', () => {
  fc.assert(
    fc.property(column(fc.double({ noNaN: true })), (values) => assert.deepEqual(ofDoubles(values), values)),
  );
});

test('not a number stays what it is', () => {
  assert.deepEqual(ofDoubles([1, Number.NaN, 2]), [1, Number.NaN, 2]);
});

test('decimals of every scale, with runs of equal values', () => {
  const scaled = (factor: number) => fc.integer().map((whole) => whole / factor);
  const any = fc.oneof(hundredths, scaled(1), scaled(10), scaled(10_000), fc.constantFrom(0, 1, 0.5, 100));
  const run = fc
    .tuple(any, fc.integer({ min: 1, max: 400 }))
    .map(([value, times]) => Array(times).fill(value));
  const runs = fc.array(run, { minLength: 1, maxLength: 12 }).map((parts) => parts.flat().slice(0, 1000));
  fc.assert(fc.property(runs, (values) => assert.deepEqual(ofDoubles(values), values)));
});

test('differences of every width up to the widest', () => {
  const wide = fc.tuple(fc.integer({ min: 0, max: 52 }), fc.double({ min: -1, max: 1, noNaN: true }));
  const whole = wide.map(([bits, part]) => Math.round(part * 2 ** bits) + 0);
  fc.assert(fc.property(column(whole), (values) => assert.deepEqual(ofDoubles(values), values)));
});

test('values of a random walk in hundredths take little more than a byte each', () => {
  const values = [50];
  for (let i = 1; i < 1000; i++)
    values.push((Math.round(values[i - 1] * 100) + ((i * 7919) % 61) - 30) / 100);
  const end = encoder.doubles(Float64Array.from(values), 0, 1000, view, 0);
  assert.ok(end < 1100, `${end} bytes`);
  assert.deepEqual(decodeColumn(memory).values, values);
});

test('any rising minutes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 40_000_000 }),
      column(fc.integer({ min: 1, max: 3_000 })),
      (first, rising) => {
        const minutes = [first];
        for (const step of rising.slice(1)) minutes.push(minutes[minutes.length - 1] + step);
        assert.deepEqual(
          ofDates(minutes),
          minutes.map((minute) => minute * 60_000),
        );
      },
    ),
  );
});

test('samples of every interval, with gaps and jitter', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 5, 10, 15, 30, 60, 300, 900, 3600),
      fc.constantFrom(0, 0, 1, 900),
      fc.integer(),
      fc.nat(2_000_000),
      column(fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 1, max: 50 }))),
      (interval, jitterMs, jitterSeed, first, rising) => {
        const sampling = { ...regularSampling(interval), jitterMs, jitterSeed };
        const ticks = [first * sampling.step];
        for (const more of rising.slice(1)) ticks.push(ticks[ticks.length - 1] + more * sampling.step);
        assert.deepEqual(
          ofDates(ticks, sampling),
          ticks.map((tick) => msOfTick(sampling, tick)),
        );
      },
    ),
  );
});

test('a thousand minutes in a row take some forty bytes', () => {
  const minutes = Int32Array.from({ length: 1000 }, (_, i) => 28_000_000 + i);
  const end = encoder.dates(regularSampling(60), minutes, 0, 1000, view, 0);
  assert.ok(end < 60, `${end} bytes`);
});

test('a part of longer arrays is encoded as if it were all', () => {
  const values = Float64Array.from({ length: 300 }, (_, i) => i / 10);
  const end = encoder.doubles(values, 100, 200, view, 0);
  assert.deepEqual(decodeColumn(memory.subarray(0, end)).values, [...values.subarray(100, 200)]);
});
