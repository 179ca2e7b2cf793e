import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SECTIONS } from '../../src/config/settings.js';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { backupSchedule } from '../../src/model/backups.js';
import { ShardQueue } from '../../src/plan/order.js';
import { loadedAssets, MINUTES_PER_DAY, planLoad, type Shard } from '../../src/plan/plan.js';

const MIDNIGHT = Date.UTC(2025, 1, 9) / 60_000;
const days = (count: number) => ({ start: MIDNIGHT - count * MINUTES_PER_DAY, end: MIDNIGHT });

test('the default fleet and 14 days give exactly 1,895,180 records', () => {
  const plan = planLoad(DEFAULT_FLEET, days(14), SECTIONS, 7);
  assert.deepEqual(plan.counts, { metrics: 604_800, polling: 1_290_240, backup: 140 });
  assert.equal(plan.records, 1_895_180);
});

test('one day gives 135,370 and ninety days 12,183,300', () => {
  assert.equal(planLoad(DEFAULT_FLEET, days(1), SECTIONS, 7).records, 135_370);
  assert.equal(planLoad(DEFAULT_FLEET, days(90), SECTIONS, 7).records, 12_183_300);
});

const windows = fc
  .record({
    start: fc.integer({ min: 28_000_000, max: 29_000_000 }),
    length: fc.integer({ min: 1, max: 30_000 }),
  })
  .map(({ start, length }) => ({ start, end: start + length }));

test('shards of an asset cover its window without gap or overlap, and their counts add up', () => {
  fc.assert(
    fc.property(windows, fc.integer({ min: 1, max: 40 }), (window, shardDays) => {
      const plan = planLoad(DEFAULT_FLEET, window, SECTIONS, shardDays);
      for (const asset of loadedAssets(DEFAULT_FLEET)) {
        const shards = plan.shards.filter((shard) => shard.assetId === asset.assetId);
        assert.equal(shards[0].from, window.start);
        assert.equal(shards.at(-1)?.to, window.end);
        for (let i = 1; i < shards.length; i++) assert.equal(shards[i].from, shards[i - 1].to);
        for (const shard of shards.slice(1)) assert.equal(shard.from % MINUTES_PER_DAY, 0);
      }
      const minutes = window.end - window.start;
      assert.equal(plan.counts.metrics, 10 * 3 * minutes);
      assert.equal(plan.counts.polling, 32 * 2 * minutes);
      assert.equal(
        plan.records,
        plan.shards.reduce((sum, shard) => sum + shard.records, 0),
      );
    }),
    { numRuns: 60 },
  );
});

test('a part of a day holds a backup only if it falls inside', () => {
  const [machine] = DEFAULT_FLEET.machines;
  const day = MIDNIGHT / MINUTES_PER_DAY - 1;
  const minute = day * MINUTES_PER_DAY + backupSchedule({ jobs: [] })(machine, day);
  const count = (start: number, end: number) =>
    planLoad({ ...DEFAULT_FLEET, machines: [machine], services: [], jobs: [] }, { start, end }, ['backup'], 7)
      .counts.backup;
  assert.equal(count(minute, minute + 1), 1);
  assert.equal(count(minute - 10, minute), 0);
  assert.equal(count(minute + 1, MIDNIGHT), 0);
});

test('the queue keeps shards of one asset apart while others wait, and each in time order', () => {
  const plan = planLoad(DEFAULT_FLEET, days(14), SECTIONS, 2);
  const queue = new ShardQueue(plan.shards);
  const running: Shard[] = [];
  const last = new Map<string, number>();
  const seen = new Set<string>();
  let handedOut = 0;
  let shared = 0;
  for (let shard = queue.next(); shard; shard = queue.next()) {
    handedOut++;
    assert.ok(shard.from > (last.get(shard.assetId) ?? 0));
    last.set(shard.assetId, shard.from);
    const isBusy = (assetId: string) => running.some((other) => other.assetId === assetId);
    const waiting = new Set(plan.shards.filter(({ id }) => !seen.has(id)).map(({ assetId }) => assetId));
    if ([...waiting].some((assetId) => !isBusy(assetId))) assert.ok(!isBusy(shard.assetId), shard.id);
    else shared++;
    seen.add(shard.id);
    running.push(shard);
    if (running.length === 16) {
      const [done] = running.splice(handedOut % 16, 1);
      queue.release(done);
    }
  }
  assert.equal(handedOut, plan.shards.length);
  // Only at the very end is every asset that waits busy already.
  assert.ok(shared < 16, String(shared));
});

test('the queue shares one asset among workers when nothing else is left, and takes shards back', () => {
  const plan = planLoad(
    { ...DEFAULT_FLEET, services: [], machines: [DEFAULT_FLEET.machines[0]] },
    days(14),
    SECTIONS,
    7,
  );
  const queue = new ShardQueue(plan.shards);
  const first = queue.next();
  const second = queue.next();
  assert.ok(first && second && first.id !== second.id);
  assert.equal(queue.next(), undefined);
  queue.release(first);
  queue.putBack(first);
  assert.equal(queue.size, 1);
  assert.equal(queue.next(), first);
});
