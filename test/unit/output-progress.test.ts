/** The two live lines at every width, and the plain one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clock } from '../../src/output/format.js';
import { bar, barLine, currentLine, progressLine } from '../../src/output/tree-reporter.js';
import type { LoadProgress } from '../../src/output/types.js';
import { widthOf } from '../../src/output/width.js';
import { NOW, progressAt } from '../support/reporting.js';

const ETA = clock(new Date(NOW.getTime() + 2_369_000), NOW);
const HALF: LoadProgress = progressAt(2_369, { acknowledged: 947_590, remainingMs: 2_369_000 });

/** Progress with the longest and oddest figures that can come. */
const EXTREMES: readonly LoadProgress[] = [
  HALF,
  progressAt(0, { rate: 0, remainingMs: undefined, batchMs: 0, current: undefined }),
  progressAt(9e9, { planned: 9_999_999_999, rate: 123_456_789, remainingMs: 9e11, batchMs: 119_999 }),
  progressAt(1, { planned: 0, acknowledged: 0 }),
  progressAt(1, {
    current: { assetId: 'x'.repeat(300), name: '数'.repeat(200), metric: 'cpu_usage', until: NOW },
  }),
];

test('no line is wider than it may be, whatever the width and the figures', () => {
  for (const progress of EXTREMES) {
    for (let width = 1; width <= 200; width++) {
      for (const line of [barLine(progress, width), currentLine(progress, width, NOW)]) {
        assert.ok(widthOf(line) <= width, `${width}: ${line}`);
        assert.doesNotMatch(line, /\p{Cc}/u);
      }
    }
  }
});

test('80 columns hold bar, share, counts, rate, remaining time; asset, metric, batch time, ETA', () => {
  const room = 79 - 7;
  assert.equal(barLine(HALF, room), '[████████░░░░░░░░]  50%   947,590/1,895,180 · 400,000/s · 39m 29s left');
  assert.equal(
    currentLine(HALF, room, NOW),
    `svc-acronis-agent-phys… availability_status · batch 4.2ms · ETA ${ETA}`,
  );
  const current = { assetId: 'vm-101', name: 'DB-SERVER-PROD', metric: 'cpu_usage', until: NOW };
  assert.equal(
    currentLine({ ...HALF, current }, room, NOW),
    `vm-101 (DB-SERVER-PROD) cpu_usage · batch 4.2ms · ETA ${ETA}`,
  );
});

test('before the first batch nothing is known, and that is said', () => {
  const before = progressAt(0, { rate: 0, remainingMs: undefined, batchMs: 0, current: undefined });
  assert.equal(currentLine(before, 72, NOW), 'waiting for the first batch');
});

test('a wider terminal shows the asset with its name and the minute it is at', () => {
  assert.equal(
    currentLine(HALF, 140, NOW),
    `svc-acronis-agent-physical-01 (Acronis Agent) availability_status 2025-02-03 10:30 · batch 4.2ms · ETA ${ETA}`,
  );
});

test('the bar stays where it is while the figures change', () => {
  const lengths = [0, 1, 999, 1_000, 123_456].map((rate) => {
    const line = barLine({ ...HALF, rate, remainingMs: rate * 1000 }, 72);
    return line.indexOf(']');
  });
  assert.equal(new Set(lengths).size, 1);
});

test('the bar is full only at the end', () => {
  assert.equal(bar(0, 10, 12), '[░░░░░░░░░░]');
  assert.equal(bar(3, 10, 12), '[███░░░░░░░]');
  assert.equal(bar(9_999, 10_000, 12), '[█████████░]');
  assert.equal(bar(10, 10, 12), '[██████████]');
});

test('the plain line has share, counts, rate, remaining time and ETA, and leaves out what nobody knows', () => {
  assert.equal(
    progressLine(HALF, NOW),
    `50.0% (947,590/1,895,180), 400,000 records/s, 39m 29s left, ETA ${ETA}`,
  );
  assert.equal(
    progressLine(progressAt(0, { rate: 0, remainingMs: undefined }), NOW),
    '0.0% (0/1,895,180), 0 records/s',
  );
});
