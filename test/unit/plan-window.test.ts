import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeedError } from '../../src/errors.js';
import { instantOf, resolveWindow } from '../../src/plan/plan.js';

const now = new Date('2025-02-09T10:30:15Z');
const text = (window: { start: number; end: number }) =>
  [window.start, window.end].map((minute) => instantOf(minute).toISOString());

test('without a seed the window ends at the current minute', () => {
  const window = resolveWindow({ days: 14 }, false, now);
  assert.deepEqual(text(window), ['2025-01-26T10:30:00.000Z', '2025-02-09T10:30:00.000Z']);
});

test('with a seed it ends at 00:00 UTC, so that the same day gives the same dataset', () => {
  const window = resolveWindow({ days: 14 }, true, now);
  assert.deepEqual(text(window), ['2025-01-26T00:00:00.000Z', '2025-02-09T00:00:00.000Z']);
});

test('an explicit end is taken as it is, whether a seed is given or not', () => {
  const end = new Date('2025-02-08T12:34:00Z');
  for (const seedGiven of [true, false]) {
    assert.deepEqual(text(resolveWindow({ days: 1, end }, seedGiven, now)), [
      '2025-02-07T12:34:00.000Z',
      '2025-02-08T12:34:00.000Z',
    ]);
  }
});

test('start and days, and start and end', () => {
  const start = new Date('2025-01-01T00:00:00Z');
  assert.deepEqual(text(resolveWindow({ days: 2, start }, false, now)), [
    '2025-01-01T00:00:00.000Z',
    '2025-01-03T00:00:00.000Z',
  ]);
  const end = new Date('2025-01-01T01:00:00Z');
  assert.equal(resolveWindow({ days: 14, start, end }, false, now).end, end.getTime() / 60_000);
});

test('a window that ends before it starts is refused', () => {
  const start = new Date('2025-01-02T00:00:00Z');
  const end = new Date('2025-01-01T00:00:00Z');
  assert.throws(
    () => resolveWindow({ days: 14, start, end }, false, now),
    (error) => error instanceof SeedError && error.exitStatus === 2,
  );
});
