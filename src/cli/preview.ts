/** `seed-database load --dry-run`: what a load would do. */
import type { Settings } from '../config/index.js';
import { DEFAULT_FLEET } from '../fleet/default.js';
import { DEFAULT_SHARD_DAYS, instantOf, planLoad, resolveWindow } from '../plan/index.js';

/** Prints the plan and its exact counts; connects to nothing. */
export function printPreview({ load, output }: Settings): void {
  const window = resolveWindow(load.window, load.seed !== undefined, new Date());
  const plan = planLoad(DEFAULT_FLEET, window, load.sections, load.shardDays ?? DEFAULT_SHARD_DAYS);
  const preview = {
    window: { start: instantOf(window.start).toISOString(), end: instantOf(window.end).toISOString() },
    layout: load.layout,
    records: { planned: plan.records, ...plan.counts },
    shards: plan.shards.length,
  };
  const lines = Object.entries({
    ...preview.window,
    layout: load.layout,
    ...preview.records,
    shards: preview.shards,
  });
  const text = lines.map(([name, value]) => `${name.padEnd(8)}  ${value}\n`).join('');
  process.stdout.write(output.json ? `${JSON.stringify(preview)}\n` : text);
}
