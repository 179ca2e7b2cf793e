/**
 * Loads a dataset. Kept light: threads take as long to start as the driver takes to be read, so they are started before this
 * thread reads it.
 */
import type { Settings } from '../config/settings.js';
import { requestedDataset, requestedFleet, workersFor } from '../dataset/dataset.js';
import type { LoadSummary, Reporter } from '../output/types.js';
import { DEFAULT_SHARD_DAYS, partOfPlan, planLoad } from '../plan/plan.js';
import { SHARDS_SIDE_BY_SIDE } from '../threads/counters.js';
import type { Confirm } from './foreign.js';
import { LoadPool } from './load-pool.js';

/**
 * Loads a dataset, resumes a run, or says that there is nothing to do.
 *
 * `interrupt` asks for an orderly stop: batches in flight are finished, the run stays resumable, and the summary's
 * status is `interrupted`. `confirm` asks before something that is not this program's is removed.
 * @throws SeedError for every failure a user can meet.
 */
export async function runLoad(
  settings: Settings,
  reporter: Reporter,
  interrupt: AbortSignal,
  confirm?: Confirm,
): Promise<LoadSummary> {
  const { load } = settings;
  const asPart = (summary: LoadSummary) => (load.part ? { ...summary, part: load.part } : summary);
  const fleet = await requestedFleet(load.fleet);
  const requested = requestedDataset(load, new Date());
  const shardDays = load.shardDays ?? DEFAULT_SHARD_DAYS;
  const plan = partOfPlan(planLoad(fleet, requested.window, requested.sections, shardDays), load.part);
  // How much is left of a run to resume, only the target knows.
  const records = load.existing === 'resume' ? undefined : plan.records;
  const pool = new LoadPool(workersFor(settings, records), SHARDS_SIDE_BY_SIDE);
  const input = { settings, fleet, requested, reporter, interrupt, pool, confirm };
  try {
    if (load.writer === 'none') {
      const { measure } = await import('./measure.js');
      return asPart(await measure({ ...input, plan }));
    }
    const { loadTarget } = await import('./load-into.js');
    return asPart(await loadTarget(input));
  } finally {
    await pool.destroy();
  }
}
