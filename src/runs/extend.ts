import type { Db } from 'mongodb';
import { MAX_DAYS } from '../config/schema.js';
import type { ConnectionSettings } from '../config/settings.js';
import { type Books, durableWrites } from '../connect/bookkeeping.js';
import { type RetryOptions, withRetry } from '../connect/retry.js';
import type { Dataset } from '../dataset/dataset.js';
import { ExitStatus, SeedError } from '../errors.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Fleet } from '../fleet/types.js';
import { BACKUP_SERIES, MODEL_VERSION, sampledSeries } from '../model/telemetry-model.js';
import { instantOf, loadedAssets, MINUTES_PER_DAY, minuteOf, planLoad, type Window } from '../plan/plan.js';
import { METRICS } from '../store/collections.js';
import type { Guard } from '../store/schema.js';
import { isAtLeast } from '../store/server.js';
import { type HeldWork, whileHeld } from './lease.js';
import { lostHold } from './owner.js';
import { datasetOf, fleetOf, parseRun, RUNS, type RunDocument, SHARDS } from './run-document.js';

/** What a refresh has to do next. */
export type RefreshStep =
  | { readonly kind: 'extend'; readonly run: RunDocument; readonly window: Window }
  /** An extension that was interrupted: to be resumed. */
  | { readonly kind: 'resume'; readonly run: RunDocument }
  | { readonly kind: 'up to date'; readonly run: RunDocument };

/**
 * Decides what to load so that the newest run reaches up to `until` (minutes since the epoch). Runs
 * that an earlier refresh has completed are to be made one before.
 * @throws SeedError where there is no complete run, where one that is no extension is unfinished,
 *   or where this version does not make the run's values
 */
export async function nextRefresh(books: Books, until: number): Promise<RefreshStep> {
  const runs = await storedRuns(books);
  const unfinished = runs.find((run) => run.state !== 'complete');
  const run = unfinished ?? runs[0];
  if (!run) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `database ${books.databaseName} holds no run to refresh`,
      'load first: seed-database load',
    );
  }
  refuseOtherValues(run);
  if (unfinished?.extends !== undefined) return { kind: 'resume', run: unfinished };
  if (unfinished) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `run ${unfinished._id} of database ${books.databaseName} is unfinished`,
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

/** All runs, newest first. @throws SeedError for one that cannot be used */
async function storedRuns(books: Books): Promise<RunDocument[]> {
  return (await books.collection(RUNS).find().sort({ startedAt: -1 }).toArray()).map(parseRun);
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

// What a refresh does to runs that are complete: extensions become one with the run that they
// extend, and the old end goes. Both change what a run promises, so they are done while it is held,
// as a load holds it.

export interface SettleInput {
  readonly books: Books;
  /** Names a server that runs. */
  readonly connection: ConnectionSettings;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
  /** Brings the collection of events in line with a run's new window. */
  readonly trimEvents: (db: Db, fleet: Fleet, dataset: Dataset, guard: Guard) => Promise<void>;
}

/**
 * Makes one run of each extension that is complete and the run that it extends; with `keepDays`,
 * also removes the newest run's records that are older than its newest so many days. Resolves with
 * the number of records removed. What was interrupted is finished by the next call; where there is
 * nothing to do, nothing is held.
 * @throws SeedError where another loader holds the database, or takes it over meanwhile
 */
export async function settleRuns(input: SettleInput, keepDays?: number): Promise<number> {
  const runs = await withRetry(() => storedRuns(input.books), input.retry);
  const complete = runs.filter(({ state }) => state === 'complete');
  const bases = new Set(complete.filter((run) => isExtension(run, complete)).map((run) => run.extends));
  for (const base of complete.filter(({ _id }) => bases.has(_id))) await hold(input, base, mergeInto);
  const newest = complete.find((run) => !isExtension(run, complete));
  if (keepDays === undefined || !newest) return 0;
  const isOld = bases.has(newest._id) || hasOldEnd(newest, keepDays);
  return isOld ? hold(input, newest, (held) => trimOldEnd(held, keepDays, input.trimEvents)) : 0;
}

function isExtension(run: RunDocument, complete: readonly RunDocument[]): boolean {
  return run.extends !== undefined && complete.some(({ _id }) => _id === run.extends);
}

function hold<T>(input: SettleInput, run: RunDocument, work: (held: HeldWork) => Promise<T>): Promise<T> {
  const take = async (store: HeldWork['store']) => {
    await store.holdComplete(run._id);
    return run._id;
  };
  return whileHeld(
    { ...input, layout: run.layout, take, release: (store, runId) => store.release(runId) },
    work,
  );
}

/** Each step bears repetition: the lease keeps everybody else away from the run. */
async function mergeInto({ target: { books }, store, lease, runId, retry }: HeldWork): Promise<void> {
  const runs = books.collection<RunDocument>(RUNS);
  const stored = await withRetry(() => storedRuns(books), retry);
  const extensions = stored.filter((run) => run.extends === runId && run.state === 'complete');
  for (const extension of extensions.sort((a, b) => Number(a.window.start) - Number(b.window.start))) {
    const base = await store.held(runId);
    const { window, sections } = datasetOf(base);
    const added = datasetOf(extension).window;
    // A merge that was interrupted here has done the first step.
    if (added.start <= window.end && added.end > window.end) {
      const { counts } = planLoad(fleetOf(base), { ...window, end: added.end }, sections, base.shardDays);
      const grown = {
        'window.end': extension.window.end,
        planned: counts,
        shards: base.shards + extension.shards,
      };
      const finishedAt = extension.finishedAt ?? extension.heartbeat;
      await store.change(runId, { $set: grown, $max: { finishedAt } }, lease.guard);
    }
    const moved = { $set: { run: runId } };
    await withRetry(
      () => lease.guard((limit) => books.collection(SHARDS).updateMany({ run: extension._id }, moved, limit)),
      retry,
    );
    const gone = { _id: extension._id, state: 'complete' } as const;
    const deleted = await withRetry(() => lease.guard((limit) => runs.deleteOne(gone, limit)), retry);
    if (deleted.deletedCount === 0 && (await runs.findOne({ _id: extension._id }))) throw lostHold();
  }
}

// Trimming: the old end of the newest run goes, so that a database that is refreshed for ever does
// not grow for ever.

/**
 * Records of so many days of a series are deleted at once: long before the lease is over, on a slow
 * server too.
 */
const DAYS_AT_ONCE = 30;

/** @throws SeedError where the server cannot delete by time from what holds the run's records */
export function refuseUntrimmable(run: RunDocument, serverVersion: string): void {
  if (run.layout !== 'timeseries' || isAtLeast(serverVersion, 7, 0)) return;
  throw new SeedError(
    ExitStatus.failure,
    `MongoDB ${serverVersion} cannot delete by time from a time-series collection (7.0 and later can)`,
    'omit --keep-days and load with --ttl-days, or use --layout flat',
  );
}

/**
 * True where a run has records that are older than its newest `keepDays` days, or where an earlier
 * trim was interrupted.
 */
function hasOldEnd(run: RunDocument, keepDays: number): boolean {
  return run.trimmedFrom !== undefined || newStart(run, keepDays) > minuteOf(run.window.start);
}

/**
 * Removes the held run's records that are older than its newest `keepDays` days, and returns their
 * number. The run's document is changed first and says so, so that a trim that was interrupted is
 * finished by the next one.
 * @throws SeedError where the run is not held any more: nothing is removed from then on
 */
async function trimOldEnd(
  held: HeldWork,
  keepDays: number,
  trimEvents: SettleInput['trimEvents'],
): Promise<number> {
  const { store, lease, runId } = held;
  const run = await store.held(runId);
  if (!hasOldEnd(run, keepDays)) return 0;
  const { window, sections } = datasetOf(run);
  const fleet = fleetOf(run);
  const start = newStart(run, keepDays);
  const from = run.trimmedFrom ?? run.window.start;
  const { counts } = planLoad(fleet, { start, end: window.end }, sections, run.shardDays);
  const promised = { 'window.start': instantOf(start), planned: counts, trimmedFrom: from };
  await store.change(runId, { $set: promised }, lease.guard);
  const removed = await removeRecords(held, fleet, run, { start: minuteOf(from), end: start });
  if (run.events) {
    const dataset = { ...datasetOf(run), window: { start, end: window.end } };
    await withRetry(() => trimEvents(held.target.db, fleet, dataset, lease.guard), held.retry);
  }
  await store.change(runId, { $unset: { trimmedFrom: '' } }, lease.guard);
  return removed;
}

function newStart(run: RunDocument, keepDays: number): number {
  const { start, end } = datasetOf(run).window;
  return Math.max(start, end - keepDays * MINUTES_PER_DAY);
}

/** Series by series, as the index has them. */
async function removeRecords(
  { target, lease, retry }: HeldWork,
  fleet: Fleet,
  { layout }: RunDocument,
  { start, end }: Window,
): Promise<number> {
  const metrics = target.db.collection(METRICS);
  const writeConcern = durableWrites(target.books.abilities.journal);
  const prefix = layout === 'timeseries' ? 'meta.' : '';
  let removed = 0;
  for (const asset of loadedAssets(fleet)) {
    const series = [...sampledSeries(asset), ...(asset.assetType === 'service' ? [] : [BACKUP_SERIES])];
    for (const { metricName } of series) {
      for (let from = start; from < end; from += DAYS_AT_ONCE * MINUTES_PER_DAY) {
        const to = Math.min(end, from + DAYS_AT_ONCE * MINUTES_PER_DAY);
        const filter = {
          [`${prefix}asset_id`]: asset.assetId,
          [`${prefix}metric_name`]: metricName,
          timestamp: { $gte: instantOf(from), $lt: instantOf(to) },
        };
        const { deletedCount } = await withRetry(
          () => lease.guard((limit) => metrics.deleteMany(filter, { writeConcern, ...limit })),
          retry,
        );
        removed += deletedCount;
      }
    }
  }
  return removed;
}
