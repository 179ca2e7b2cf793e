/** Refreshing: the newest run grows up to an instant, and the old end may go. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../config/settings.js';
import { explainFailure, withRetry } from '../connect/retry.js';
import type { Target } from '../connect/target.js';
import { ExitStatus, SeedError } from '../errors.js';
import { inspectTarget } from '../inspect/inspect.js';
import { trimEvents } from '../load/collections.js';
import { expiredRecords, lifeOf } from '../load/expiry.js';
import { runLoad } from '../load/load.js';
import type { LoadObserver, LoadSummary } from '../output/types.js';
import { instantOf, loadedAssets, minuteOf } from '../plan/plan.js';
import { nextRefresh, type RefreshStep, refuseUntrimmable, settleRuns } from '../runs/extend.js';
import { DatabaseHeld, drawLoader, refuseWhileHeld } from '../runs/owner.js';
import { datasetOf, fleetOf, parseRun } from '../runs/run-document.js';
import { storedRun } from '../runs/run-history.js';
import { RunStore } from '../runs/run-store.js';
import { METRICS } from '../store/collections.js';
import { withTarget } from './reading.js';

const MS_PER_MINUTE = 60_000;
const RETRY_PAUSE_MS = 1_000;

/** Runs one load; whoever calls it chooses who is told what happens. */
export type RunOfLoad = (reporter: LoadObserver, interrupt?: AbortSignal) => Promise<LoadSummary>;

/** How a refresh is to be done, and who is told of it. */
export interface RefreshOptions {
  /** Days that stay at the new end; undefined keeps all. */
  readonly keepDays: number | undefined;
  readonly signal: AbortSignal;
  readonly inform: (message: string) => void;
  readonly warn: (message: string) => void;
  /** Has a load run and tells of it. Rejects as the load does. */
  readonly tell: (step: RefreshStep, run: RunOfLoad) => Promise<LoadSummary>;
}

/**
 * What a refresh works with: a target for looking. What is written goes over connections of its
 * own.
 */
interface Refresh extends RefreshOptions {
  readonly target: Target;
  /** Those of the target, which may be a server of our own. */
  readonly settings: Settings;
}

/** What a refresh has come to. */
export interface Refreshed {
  readonly status: 'up to date' | 'complete' | 'interrupted';
  /** The last step: where a run was resumed, another one follows. */
  readonly step: RefreshStep;
  /** Of the load; undefined where nothing was missing. */
  readonly summary: LoadSummary | undefined;
  /** Records that `keepDays` has removed. */
  readonly removed: number;
}

/**
 * One refresh, up to the end that the settings name, or up to now.
 * @throws SeedError where there is nothing that could be extended, where another loader holds the
 *   database, and as a load
 */
export async function refreshRun(settings: Settings, options: RefreshOptions): Promise<Refreshed> {
  return withRefresh(settings, options, refreshOnce);
}

/**
 * Refreshes minute by minute until the signal ends it, which is its regular end. A server that is
 * away is tried again, and a database that another loader holds is left to it until the next
 * minute.
 * @param refreshed told after each refresh
 * @throws SeedError where it does not help to try again
 */
export async function followRun(
  settings: Settings,
  options: RefreshOptions,
  refreshed: (outcome: Refreshed) => void,
): Promise<void> {
  const { signal } = options;
  await withRefresh(settings, options, async (refresh) => {
    while (!signal.aborted) {
      const outcome = await refreshPatiently(refresh);
      if (outcome && outcome.status !== 'interrupted') refreshed(outcome);
      // A second into the next minute, when the minute before it is over.
      await pause(MS_PER_MINUTE + 1_000 - (Date.now() % MS_PER_MINUTE), signal);
    }
  });
}

async function withRefresh<T>(
  settings: Settings,
  options: RefreshOptions,
  work: (refresh: Refresh) => Promise<T>,
): Promise<T> {
  return withTarget(settings.connection, options, async (target) => {
    const reached = { uri: target.uri, origin: 'named', opening: undefined } as const;
    const connection = { ...settings.connection, ...reached };
    return work({ ...options, target, settings: { ...settings, connection } });
  });
}

async function refreshOnce(refresh: Refresh): Promise<Refreshed> {
  const { target, settings, keepDays, signal, warn } = refresh;
  const { books, server } = target;
  const retry = { limitMs: settings.load.retrySeconds * 1000, stopping: () => signal.aborted };
  const settling = { books, connection: settings.connection, retry, warn, trimEvents };
  // Whoever holds it may be about to change what would be read here.
  await refuseWhileHeld(new RunStore(books, drawLoader(), retry), warn);
  await settleRuns(settling);
  const until = minuteOf(settings.load.window.end ?? new Date());
  const step = await withRetry(() => nextRefresh(books, until), retry);
  const base = (step.kind === 'resume' ? step.run.extends : undefined) ?? step.run._id;
  await withRetry(() => refuseWithoutRecords(target, base), retry);
  if (keepDays !== undefined) refuseUntrimmable(step.run, server.version);
  const summary = step.kind === 'up to date' ? undefined : await loadStep(step, refresh);
  if (summary?.status === 'interrupted') return { status: 'interrupted', step, summary, removed: 0 };
  const removed = await settleRuns(settling, step.kind === 'resume' ? undefined : keepDays);
  // What was resumed may have had an earlier end.
  if (step.kind === 'resume') return refreshOnce(refresh);
  return { status: summary ? 'complete' : 'up to date', step, summary, removed };
}

/** Loads the missing minutes as the run that is extended would have loaded them. */
function loadStep(
  step: RefreshStep,
  { settings, target: { server }, signal, tell }: Refresh,
): Promise<LoadSummary> {
  const { seed, sections, layout, availabilityScale, environment, shardDays } = step.run;
  const { file, scale = 1, timezone, interval, jitterMs } = step.run.fleet ?? {};
  const loading: Settings = {
    ...settings,
    load: {
      ...settings.load,
      fleet: { source: file, scale, timezone, interval, jitterMs },
      ...{ seed, sections, layout, availabilityScale, environment, shardDays },
      events: step.run.events === true,
      ...(step.kind === 'extend'
        ? {
            existing: 'keep',
            extending: step.run._id,
            window: { days: 1, start: instantOf(step.window.start), end: instantOf(step.window.end) },
          }
        : { existing: 'resume' }),
      given: [],
    },
  };
  return tell(step, async (reporter, interrupt) => {
    // The load takes a server of our own for one that was named, and that goes on.
    const telling: LoadObserver = {
      on: (event) => reporter.on(event.type === 'connected' ? { ...event, server } : event),
    };
    const stop = interrupt ? AbortSignal.any([signal, interrupt]) : signal;
    const summary = await runLoad(loading, telling, stop);
    return { ...summary, server };
  });
}

/** Undefined where this turn is left out. */
async function refreshPatiently(refresh: Refresh): Promise<Refreshed | undefined> {
  const { settings, signal, warn } = refresh;
  const { retrySeconds } = settings.load;
  const began = performance.now();
  for (let told = false; ; told = true) {
    try {
      return await refreshOnce(refresh);
    } catch (thrown) {
      if (signal.aborted) return undefined;
      const error = explainFailure(thrown, (cause) => refresh.target.explain(cause));
      if (error instanceof DatabaseHeld) {
        warn(`${error.message}; trying again at the next minute`);
        return undefined;
      }
      const isAway = error instanceof SeedError && error.exitStatus === ExitStatus.cannotConnect;
      if (!isAway || performance.now() - began > retrySeconds * 1000) throw error;
      if (!told) warn(`${error.message}; trying again for up to ${retrySeconds} s`);
      await pause(RETRY_PAUSE_MS, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** How many assets are asked for: enough to meet one, whatever fleet it is. */
const SOME_ASSETS = 1_000;

/**
 * To be asked before a run is called up to date, or extended.
 * @throws SeedError where none of its records is left, and the server has not removed them by
 *   itself; DatabaseHeld where another loader has changed it in the meantime
 */
async function refuseWithoutRecords(
  { db, books }: Pick<Target, 'db' | 'books'>,
  runId: string,
): Promise<void> {
  const stored = await storedRun(books, runId);
  if (!stored) throw changedMeanwhile(runId);
  const run = parseRun(stored);
  const { metrics, polling, backup } = run.planned;
  const planned = metrics + polling + backup;
  if (planned === 0) return;
  const wanted = { fleet: fleetOf(run), dataset: datasetOf(run) };
  const assetIds = loadedAssets(wanted.fleet).map(({ assetId }) => assetId);
  const filter = {
    [run.layout === 'flat' ? 'asset_id' : 'meta.asset_id']: { $in: assetIds.slice(0, SOME_ASSETS) },
    timestamp: { $gte: run.window.start, $lt: run.window.end },
  };
  if (await db.collection(METRICS).findOne(filter, { projection: { timestamp: 1 } })) return;
  const life = lifeOf((await inspectTarget(db)).collections[METRICS]);
  if (expiredRecords(wanted, life, new Date()) >= planned) return;
  const now = await storedRun(books, runId);
  if (!isDeepStrictEqual(now, stored)) throw changedMeanwhile(runId);
  throw new SeedError(
    ExitStatus.failure,
    `the records of run ${runId} are not there any more: something else has removed them`,
    'seed-database verify --repair puts them back, a load with --clean starts again',
  );
}

function changedMeanwhile(runId: string): DatabaseHeld {
  return new DatabaseHeld(`another loader has changed run ${runId} since it was looked at`, 'refresh again');
}
