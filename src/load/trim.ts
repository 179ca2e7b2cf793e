/** Trimming: the old end of the newest run goes, so that a database that is refreshed for ever does not grow for ever. */
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { BACKUP_SERIES, minuteSeries } from '../model/index.js';
import { instantOf, loadedAssets, MINUTES_PER_DAY, minuteOf, planLoad, type Window } from '../plan/index.js';
import { durableWrites } from '../store/books.js';
import { METRICS } from '../store/names.js';
import { isAtLeast } from '../store/versions.js';
import { fleetOf } from './fleet.js';
import { withRetry } from './retry.js';
import type { RunDocument } from './run-document.js';
import { datasetOf } from './start.js';
import type { HeldWork } from './while-held.js';

/** Records of so many days of a series are deleted at once: long before the lease is over, on a slow server too. */
const DAYS_AT_ONCE = 30;

/** @throws SeedError where the server cannot delete by time from what holds the run's records */
export function refuseUntrimmable(run: RunDocument, serverVersion: string): void {
  if (run.layout !== 'timeseries' || isAtLeast(serverVersion, 7, 0)) return;
  throw new SeedError(
    ExitStatus.failure,
    `MongoDB ${serverVersion} cannot delete by time from a time-series collection (7.0 and later can)`,
    'leave --keep-days away and load with --ttl-days, or use --layout flat',
  );
}

/** True where a run has records that are older than its newest `keepDays` days, or where an earlier trim was interrupted. */
export function hasOldEnd(run: RunDocument, keepDays: number): boolean {
  return run.trimmedFrom !== undefined || newStart(run, keepDays) > minuteOf(run.window.start);
}

/**
 * Removes the held run's records that are older than its newest `keepDays` days, and returns their number. The run's document is changed
 * first and says so, so that a trim that was interrupted is finished by the next one.
 * @throws SeedError where the run is not held any more: nothing is removed from then on
 */
export async function trimOldEnd(held: HeldWork, keepDays: number): Promise<number> {
  const { store, hold, runId } = held;
  const run = await store.held(runId);
  if (!hasOldEnd(run, keepDays)) return 0;
  const { window, sections } = datasetOf(run);
  const fleet = fleetOf(run);
  const start = newStart(run, keepDays);
  const from = run.trimmedFrom ?? run.window.start;
  const { counts } = planLoad(fleet, { start, end: window.end }, sections, run.shardDays);
  const promised = { 'window.start': instantOf(start), planned: counts, trimmedFrom: from };
  await store.change(runId, { $set: promised }, hold.guard);
  const removed = await removeRecords(held, fleet, run, { start: minuteOf(from), end: start });
  await store.change(runId, { $unset: { trimmedFrom: '' } }, hold.guard);
  return removed;
}

function newStart(run: RunDocument, keepDays: number): number {
  const { start, end } = datasetOf(run).window;
  return Math.max(start, end - keepDays * MINUTES_PER_DAY);
}

/** Series by series, as the index has them. */
async function removeRecords(
  { target, hold, retry }: HeldWork,
  fleet: Fleet,
  { layout }: RunDocument,
  { start, end }: Window,
): Promise<number> {
  const metrics = target.db.collection(METRICS);
  const writeConcern = durableWrites(target.books.abilities.journal);
  const prefix = layout === 'timeseries' ? 'meta.' : '';
  let removed = 0;
  for (const asset of loadedAssets(fleet)) {
    const series = [...minuteSeries(asset), ...(asset.assetType === 'service' ? [] : [BACKUP_SERIES])];
    for (const { metricName } of series) {
      for (let from = start; from < end; from += DAYS_AT_ONCE * MINUTES_PER_DAY) {
        const to = Math.min(end, from + DAYS_AT_ONCE * MINUTES_PER_DAY);
        const filter = {
          [`${prefix}asset_id`]: asset.assetId,
          [`${prefix}metric_name`]: metricName,
          timestamp: { $gte: instantOf(from), $lt: instantOf(to) },
        };
        const { deletedCount } = await withRetry(
          () => hold.guard((limit) => metrics.deleteMany(filter, { writeConcern, ...limit })),
          retry,
        );
        removed += deletedCount;
      }
    }
  }
  return removed;
}
