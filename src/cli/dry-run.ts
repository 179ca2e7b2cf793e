/** `seed-database load --dry-run`: what a load would do. */
import type { Settings } from '../config/settings.js';
import { requestedDataset, requestedFleet } from '../dataset/dataset.js';
import { estimateSize } from '../dataset/generate.js';
import { chosenLife, refuseExpired } from '../load/expiry.js';
import { countAssets } from '../load/summary.js';
import { previewLines } from '../output/load-text.js';
import { Screen } from '../output/screen.js';
import { jsonText } from '../output/width.js';
import {
  DEFAULT_SHARD_DAYS,
  instantOf,
  MINUTES_PER_DAY,
  partOfPlan,
  planLoad,
  resolveWindow,
} from '../plan/plan.js';

/** Prints the plan, its exact counts and its size; connects to nothing. With `--quiet` the final line alone. */
export async function printPreview({ load, output }: Settings): Promise<void> {
  const fleet = await requestedFleet(load.fleet);
  const { start, end } = resolveWindow(load.window, load.seed !== undefined, new Date());
  const whole = planLoad(fleet, { start, end }, load.sections, load.shardDays ?? DEFAULT_SHARD_DAYS);
  const plan = partOfPlan(whole, load.part);
  const notices: string[] = [];
  const wanted = { fleet, dataset: requestedDataset(load, new Date()) };
  const expired = refuseExpired(wanted, chosenLife(load.ttlDays), (message) => notices.push(message));
  const preview = {
    notices,
    seed: load.seed,
    layout: load.layout,
    window: { start: instantOf(start), end: instantOf(end) },
    days: (end - start) / MINUTES_PER_DAY,
    assets: countAssets(fleet),
    records: plan.counts,
    shards: plan.shards.length,
    shardDays: plan.shardDays,
    batchSize: load.batchSize,
    size: estimateSize(fleet, plan, load),
  };
  if (output.json) {
    const records = { planned: plan.records, ...plan.counts };
    const shards = { total: preview.shards, days: preview.shardDays };
    const { seed = null, layout, window, assets, size } = preview;
    const result = {
      status: 'dry run',
      seed,
      layout,
      window,
      assets,
      records,
      shards,
      size,
      ...(expired > 0 ? { expired } : {}),
    };
    process.stdout.write(`${jsonText(result)}\n`);
    return;
  }
  const screen = new Screen(process.stdout, output.color, process.env.TERM);
  const [heading, ...lines] = previewLines(preview);
  const last = lines.pop() ?? '';
  if (!output.quiet) {
    screen.print([heading], 'heading');
    screen.print(lines);
  }
  screen.print([last], 'good');
}
