/** Latencies over time: nothing is lost when cells are joined or threads added. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Timeline } from '../../src/workload/timeline.js';

const answer = fc.record({
  since: fc.integer({ min: 0, max: 4_000_000 }),
  latency: fc.double({ min: 0.001, max: 60_000, noNaN: true }),
  failed: fc.boolean(),
});

test('every answer is in one cell and one bar, however long it took and whoever had it', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 200 }), fc.nat(200), (answers, cut) => {
      const threads = [answers.slice(0, cut), answers.slice(cut)].map((own) => {
        const timeline = new Timeline();
        for (const { since, latency, failed } of own) {
          if (failed) timeline.failed(since);
          else timeline.answered(since, latency);
        }
        return timeline;
      });
      const together = new Timeline();
      for (const { cells } of threads) together.add(cells);
      const answered = answers.filter(({ failed }) => !failed);
      const points = together.points(4_000_001);
      assert.ok(points.length <= 300);
      assert.equal(
        points.reduce((sum, { errors }) => sum + errors, 0),
        answers.length - answered.length,
      );
      const bars = together.bars();
      assert.equal(
        bars.reduce((sum, { requests }) => sum + requests, 0),
        answered.length,
      );
      if (answered.length === 0) return;
      const sorted = answered.map(({ latency }) => latency).sort((a, b) => a - b);
      assert.ok(bars[0].fromMs <= sorted[0] * 1.001);
      assert.ok(bars[bars.length - 1].toMs >= sorted[sorted.length - 1] * 0.999);
    }),
  );
});

test('shares of a cell are within a tenth', () => {
  const timeline = new Timeline();
  for (let i = 1; i <= 1000; i++) timeline.answered(500, i);
  const [{ p50Ms = 0, p95Ms = 0, p99Ms = 0, perSecond }] = timeline.points(1_000);
  assert.equal(perSecond, 1000);
  for (const [found, expected] of [
    [p50Ms, 500],
    [p95Ms, 950],
    [p99Ms, 990],
  ])
    assert.ok(Math.abs(found / expected - 1) < 0.1, `${found} for ${expected}`);
});
