/** Shares of a plan, and chunks of a cluster. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { dealtByChunk, planChunks } from '../../src/plan/order.js';
import { partOfPlan, planLoad } from '../../src/plan/plan.js';
import { shardingCommands } from '../../src/store/schema.js';

const plan = planLoad(
  DEFAULT_FLEET,
  { start: 1440 * 20_000, end: 1440 * 20_014 },
  ['metrics', 'polling', 'backup'],
  1,
);

test('parts are disjoint, together the plan, and even to within one shard', () => {
  const largest = Math.max(...plan.shards.map(({ records }) => records));
  for (const of of [1, 2, 3, 4, 7, 50, 1000]) {
    const parts = Array.from({ length: of }, (_, index) => partOfPlan(plan, { number: index + 1, of }));
    assert.deepEqual(
      parts.flatMap(({ shards }) => shards),
      plan.shards,
    );
    assert.equal(
      parts.reduce((sum, { records }) => sum + records, 0),
      plan.records,
    );
    for (const { records } of parts) assert.ok(Math.abs(records - plan.records / of) <= largest, `${of}`);
  }
});

test('chunks hold every asset once and give each shard of a cluster an equal share', () => {
  const homes = ['a', 'b', 'c'];
  const chunks = planChunks(plan, homes);
  const assets = chunks.flatMap((chunk) => chunk.assets);
  assert.deepEqual(assets, [...new Set(plan.shards.map(({ assetId }) => assetId))].sort());
  const largest = Math.max(...chunks.map(({ records }) => records));
  for (const home of homes) {
    const share = chunks.filter((one) => one.home === home).reduce((sum, one) => sum + one.records, 0);
    assert.ok(Math.abs(share - plan.records / 3) <= largest, `${home}: ${share}`);
  }
  const dealt = dealtByChunk(plan.shards, chunks);
  assert.equal(new Set(dealt).size, plan.shards.length);
});

test('the commands split at assets, and place every chunk', () => {
  const chunks = planChunks(plan, ['a', 'b']);
  for (const layout of ['flat', 'timeseries'] as const) {
    const commands = shardingCommands('db', layout, chunks);
    assert.deepEqual(Object.keys(commands.collection[1]), ['shardCollection', 'key']);
    assert.equal(commands.chunks.filter((one) => 'split' in one).length, chunks.length - 1);
    const moves = commands.chunks.filter((one) => 'moveChunk' in one);
    assert.deepEqual(
      moves.map(({ to }) => to),
      chunks.map(({ home }) => home),
    );
    for (const [index, { bounds }] of moves.entries()) {
      if (index > 0) assert.deepEqual(bounds[0], moves[index - 1].bounds[1]);
    }
  }
});
