/** Trimming: the old end of the newest run goes, so that a database that is refreshed for ever does not grow for ever. */
import type { Db, Document } from 'mongodb';
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { BACKUP_SERIES, minuteSeries } from '../model/index.js';
import { instantOf, loadedAssets, MINUTES_PER_DAY, planLoad } from '../plan/index.js';
import { isAtLeast } from '../store/connect.js';
import { METRICS, RUNS } from '../store/names.js';
import { fleetOf } from './fleet.js';
import { storedRuns } from './refresh.js';
import type { RunDocument } from './run-document.js';
import { datasetOf } from './start.js';

const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;

/** @throws SeedError where the server cannot delete by time from what holds the run's records */
export function refuseUntrimmable(run: RunDocument, serverVersion: string): void {
  if (run.layout !== 'timeseries' || isAtLeast(serverVersion, 7, 0)) return;
  throw new SeedError(
    ExitStatus.failure,
    `MongoDB ${serverVersion} cannot delete by time from a time-series collection (7.0 and later can)`,
    'leave --keep-days away and load with --ttl-days, or use --layout flat',
  );
}

/**
 * Removes the newest run's records that are older than its newest `keepDays` days, and returns their number. The run's document is
 * changed first and says so, so that a trim that was interrupted is finished by the next one.
 */
export async function trimOldEnd(db: Db, keepDays: number): Promise<number> {
  const [run] = (await storedRuns(db)).filter(({ state }) => state === 'complete');
  if (!run) return 0;
  const { window, sections } = datasetOf(run);
  const fleet = fleetOf(run);
  const start = Math.max(window.start, window.end - keepDays * MINUTES_PER_DAY);
  const from = run.trimmedFrom ?? run.window.start;
  if (start > window.start) {
    const { counts } = planLoad(fleet, { start, end: window.end }, sections, run.shardDays);
    await db
      .collection<RunDocument>(RUNS)
      .updateOne(
        { _id: run._id, 'window.start': run.window.start, 'window.end': run.window.end },
        { $set: { 'window.start': instantOf(start), planned: counts, trimmedFrom: from } },
        DURABLE,
      );
  } else if (!run.trimmedFrom) return 0;
  const removed = await removeRecords(db, fleet, run, { $gte: from, $lt: instantOf(start) });
  await db
    .collection<RunDocument>(RUNS)
    .updateOne({ _id: run._id, 'window.start': instantOf(start) }, { $unset: { trimmedFrom: '' } }, DURABLE);
  return removed;
}

/** Series by series, as the index has them. */
async function removeRecords(
  db: Db,
  fleet: Fleet,
  { layout }: RunDocument,
  timestamp: Document,
): Promise<number> {
  const metrics = db.collection(METRICS);
  const prefix = layout === 'timeseries' ? 'meta.' : '';
  let removed = 0;
  for (const asset of loadedAssets(fleet)) {
    const series = [...minuteSeries(asset), ...(asset.assetType === 'service' ? [] : [BACKUP_SERIES])];
    for (const { metricName } of series) {
      const filter = {
        [`${prefix}asset_id`]: asset.assetId,
        [`${prefix}metric_name`]: metricName,
        timestamp,
      };
      removed += (await metrics.deleteMany(filter, DURABLE)).deletedCount;
    }
  }
  return removed;
}
