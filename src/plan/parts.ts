/** A plan cut into the shares of several loaders. */
import type { Part } from '../config/settings.js';
import type { Plan, SectionCounts, Shard } from './plan.js';

/**
 * The share of one part: a run of neighbouring shards, so that an asset is seldom loaded by two parts. The shares of all
 * parts are disjoint, together they are the plan, and none is further from the mean than one shard's records.
 * Every loader computes them for itself: they follow from the plan and the number of parts alone.
 */
export function partOfPlan(plan: Plan, part: Part | undefined): Plan {
  if (part === undefined || part.of === 1) return plan;
  const shards: Shard[] = [];
  let before = 0;
  for (const shard of plan.shards) {
    // The part that holds the middle of the shard, were all records laid out in one line.
    const middle = before + shard.records / 2;
    before += shard.records;
    if (Math.floor((middle * part.of) / plan.records) === part.number - 1) shards.push(shard);
  }
  const counts: SectionCounts = { metrics: 0, polling: 0, backup: 0 };
  for (const shard of shards) {
    for (const section of plan.sections) counts[section] += shard.counts[section];
  }
  return { ...plan, shards, counts, records: counts.metrics + counts.polling + counts.backup };
}
