/**
 * Refreshing: the newest complete run grows up to a later instant. The minutes that are missing are loaded as a run of their own, with
 * checkpoints and resume like any other; once it is complete the two become one. Every value is a function of seed, series and
 * minute, so the result is what one longer load would have made.
 */
import type { Collection, Db } from 'mongodb';
import { MAX_DAYS } from '../config/schema.js';
import { ExitStatus, SeedError } from '../errors.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { MODEL_VERSION } from '../model/index.js';
import { MINUTES_PER_DAY, planLoad, type Window } from '../plan/index.js';
import { RUNS, SHARDS } from '../store/names.js';
import { fleetOf } from './fleet.js';
import { parseRun, type RunDocument } from './run-document.js';
import { datasetOf } from './start.js';

const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;

/** What a refresh has to do next. */
export type RefreshStep =
  | { readonly kind: 'extend'; readonly run: RunDocument; readonly window: Window }
  /** An extension that was interrupted: to be resumed. */
  | { readonly kind: 'resume'; readonly run: RunDocument }
  | { readonly kind: 'up to date'; readonly run: RunDocument };

/**
 * Decides what to load so that the newest run reaches up to `until` (minutes since the epoch); first makes one of runs that an earlier
 * refresh has completed.
 * @throws SeedError where there is no complete run, where one that is no extension is unfinished, or where this version does not
 *   make the run's values
 */
export async function nextRefresh(db: Db, until: number): Promise<RefreshStep> {
  await mergeExtensions(db);
  const runs = await storedRuns(db);
  const unfinished = runs.find((run) => run.state !== 'complete');
  const run = unfinished ?? runs[0];
  if (!run) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `database ${db.databaseName} holds no run to refresh`,
      'load first: seed-database load',
    );
  }
  refuseOtherValues(run);
  if (unfinished?.extends !== undefined) return { kind: 'resume', run: unfinished };
  if (unfinished) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `run ${unfinished._id} of database ${db.databaseName} is unfinished`,
      'finish it first: seed-database --resume',
    );
  }
  const { start, end } = datasetOf(run).window;
  if (end >= until) return { kind: 'up to date', run };
  if (until - start > MAX_DAYS * MINUTES_PER_DAY) {
    throw new SeedError(
      ExitStatus.failure,
      `run ${run._id} would become longer than ${MAX_DAYS} days`,
      'trim its old end with --keep-days',
    );
  }
  return { kind: 'extend', run, window: { start: end, end: until } };
}

/** Makes one run of each extension that is complete and the run that it extends. Doing it twice, or side by side, changes nothing. */
export async function mergeExtensions(db: Db): Promise<void> {
  const runs = await storedRuns(db);
  const extensions = runs.filter((run) => run.extends !== undefined && run.state === 'complete');
  for (const extension of extensions) await merge(db, extension);
}

async function merge(db: Db, extension: RunDocument): Promise<void> {
  const runs = runsOf(db);
  for (;;) {
    const stored = await runs.findOne({ _id: extension.extends });
    if (!stored) break;
    const base = parseRun(stored);
    const { window, sections } = datasetOf(base);
    const added = datasetOf(extension).window;
    // Another refresh may have merged it, or have reached further.
    if (added.start > window.end || added.end <= window.end) break;
    const { counts } = planLoad(fleetOf(base), { ...window, end: added.end }, sections, base.shardDays);
    const grown = await runs.updateOne(
      { _id: base._id, 'window.start': base.window.start, 'window.end': base.window.end },
      {
        $set: { 'window.end': extension.window.end, planned: counts },
        $inc: { shards: extension.shards },
        $max: { finishedAt: extension.finishedAt ?? extension.heartbeat },
      },
      DURABLE,
    );
    if (grown.matchedCount === 1) break;
  }
  await db
    .collection(SHARDS)
    .updateMany({ run: extension._id }, { $set: { run: extension.extends } }, DURABLE);
  await runs.deleteOne({ _id: extension._id, state: 'complete' }, DURABLE);
}

/** All runs, newest first. @throws SeedError for one that cannot be used */
export async function storedRuns(db: Db): Promise<RunDocument[]> {
  return (await runsOf(db).find().sort({ startedAt: -1 }).toArray()).map(parseRun);
}

function runsOf(db: Db): Collection<RunDocument> {
  return db.collection<RunDocument>(RUNS);
}

function refuseOtherValues(run: RunDocument): void {
  const refuse = (what: string) => {
    throw new SeedError(
      ExitStatus.failure,
      `run ${run._id} cannot be refreshed: ${what}`,
      `use version ${run.version}, which loaded it`,
    );
  };
  if (run.modelVersion !== MODEL_VERSION) {
    refuse(`its values are of model version ${run.modelVersion}, this program's of ${MODEL_VERSION}`);
  }
  if (run.fleetFingerprint !== fleetFingerprint(fleetOf(run))) refuse('it was loaded with another fleet');
}
