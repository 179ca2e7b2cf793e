/** One load into an open target, from the rules of starting to the summary: the order of the steps, and nothing else. */
import type { Settings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { DEFAULT_FLEET } from '../fleet/default.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { DEFAULT_SHARD_DAYS, instantOf, planLoad } from '../plan/index.js';
import type { LoadSummary, Reporter } from '../report/types.js';
import { isRouter, serverIdentity } from '../store/identity.js';
import { dropDataset, ensureCollections } from '../store/schema.js';
import { databaseStatistics } from '../store/statistics.js';
import type { Target } from '../store/target.js';
import { writeAssets } from './assets.js';
import { durably } from './durably.js';
import { explainFailure } from './explain.js';
import { Hold } from './hold.js';
import { type Job, newRun, startedEvent, workerContext } from './job.js';
import type { WorkerPool } from './pool.js';
import { prepareTarget } from './prepare.js';
import { type RetryOptions, withRetry } from './retry.js';
import { RetryLog } from './retry-log.js';
import type { Dataset } from './run.js';
import { LEASE_MS, RunStore } from './run-store.js';
import { runSession, type SessionResult } from './session.js';
import { datasetOf, type Start } from './start.js';
import { waitForStragglers } from './stragglers.js';
import { countAssets, NO_WORK, summarise } from './summary.js';

export interface LoadInput {
  readonly target: Target;
  readonly pool: WorkerPool;
  /** This loader's name; see `drawLoader`. */
  readonly loader: string;
  readonly settings: Settings;
  readonly requested: Dataset;
  readonly reporter: Reporter;
  readonly interrupt: AbortSignal;
}

/** What all steps need. */
interface Work extends LoadInput {
  readonly store: RunStore;
  readonly retries: RetryLog;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

const fleet = DEFAULT_FLEET;

/** @throws SeedError, and errors of the driver that the target can explain */
export async function loadInto(input: LoadInput): Promise<LoadSummary> {
  const { target, settings, requested, reporter, interrupt } = input;
  const started = performance.now();
  const warn = (message: string) => reporter.on({ type: 'notice', level: 'warning', message });
  const retries = new RetryLog(warn);
  const retry: RetryOptions = {
    limitMs: settings.load.retrySeconds * 1000,
    onRetry: (error) => retries.note('the run', error),
    stopping: () => interrupt.aborted,
  };
  const store = new RunStore(target.db, input.loader, retry);
  const work: Work = { ...input, store, retries, retry, warn };

  const shardDays = settings.load.shardDays ?? DEFAULT_SHARD_DAYS;
  const requestedPlan = planLoad(fleet, requested.window, requested.sections, shardDays);
  const fingerprint = fleetFingerprint(fleet);
  const { start, runId } = await prepareTarget({
    target,
    store,
    request: { dataset: requested, fleetFingerprint: fingerprint },
    settings,
    newRun: (id) =>
      newRun({ runId: id, dataset: requested, plan: requestedPlan }, fingerprint, settings.load),
    notice: warn,
  });
  const job = jobOf(start, runId, requested, shardDays);
  const finish = async (status: LoadSummary['status'], result: SessionResult, skipped: number) =>
    summarise({
      ...job,
      ...result,
      status,
      fleet,
      skipped,
      elapsedMs: performance.now() - started,
      // After an interrupt nobody waits for a server that is away.
      database: await withRetry(() => databaseStatistics(target.db), retry).catch((error) => {
        if (status !== 'interrupted') throw error;
        return undefined;
      }),
      server: target.server,
    });
  if (start.kind === 'already complete' || start.kind === 'nothing to resume') {
    const done = new Set(start.run ? job.plan.shards.map((shard) => shard.id) : []);
    return finish(start.kind, { interrupted: false, done, sessionRecords: 0, figures: NO_WORK }, done.size);
  }
  const { result, skipped } = await loadHeld(work, job, start);
  return finish(result.interrupted ? 'interrupted' : 'complete', result, skipped);
}

function jobOf(start: Start, runId: string | undefined, requested: Dataset, shardDays: number): Job {
  const run = 'run' in start ? start.run : undefined;
  const dataset = run ? datasetOf(run) : requested;
  return {
    runId: runId ?? '',
    dataset,
    plan: planLoad(fleet, dataset.window, dataset.sections, run?.shardDays ?? shardDays),
    resumed: start.kind === 'resume',
  };
}

/** Loads a run that this process holds, and lets go of it. */
async function loadHeld(
  work: Work,
  job: Job,
  start: Extract<Start, { kind: 'fresh' | 'resume' }>,
): Promise<{ result: SessionResult; skipped: number }> {
  const { store, retry, warn, interrupt } = work;
  const hold = new Hold(store, job.runId, retry);
  let state: 'complete' | 'interrupted' | 'failed' = 'failed';
  try {
    const skipped = await prepareCollections(work, job, start, hold).catch((error) => {
      throw resumable(work, job, error);
    });
    const result = await loadShards(work, job, start, hold, skipped);
    state = result.interrupted ? 'interrupted' : 'complete';
    hold.end();
    await store.end(job.runId, state).catch((error) => {
      if (!interrupt.aborted) throw error;
      warn('the server does not answer: it learns of the end of this run when its hold runs out');
    });
    return { result, skipped: skipped.size };
  } catch (error) {
    hold.end();
    await store.end(job.runId, state).catch(() => undefined);
    throw error;
  }
}

/** Cleans where that is asked for, makes collections and assets, and resolves with the ids of the shards that are done already. */
async function prepareCollections(
  { target, settings, reporter, store, warn, loader, retry }: Work,
  job: Job,
  start: Extract<Start, { kind: 'fresh' | 'resume' }>,
  hold: Hold,
): Promise<Set<string>> {
  const { db } = target;
  const cleaning = start.kind === 'fresh' ? start.clean : start.run.cleaning === true;
  const { layout } = job.dataset;
  const gone = await withRetry(
    () =>
      waitForStragglers(db, {
        isStraggler: (seen) => seen.loader !== loader,
        limitMs: LEASE_MS,
        notice: warn,
      }),
    retry,
  );
  // A stopped process cannot harm what a run of the same identifiers writes; anything else it could.
  if (!gone && (cleaning || layout === 'timeseries')) throw earlierLoaderConnected();

  if (cleaning) {
    let collections: string[] = [];
    await durably(db, hold, async () => {
      collections = [...new Set([...collections, ...(await dropDataset(db))])];
    });
    await store.cleaned(job.runId);
    if (collections.length > 0) reporter.on({ type: 'cleaned', collections });
  }
  const { clustered, ttlDays } = settings.load;
  await durably(db, hold, async () => {
    await ensureCollections(db, target.server.version, { layout, clustered, ttlDays });
    await writeAssets(db, fleet, instantOf(job.dataset.window.end));
  });
  return job.resumed && !cleaning ? store.completedShards(job.runId, job.plan.shards) : new Set();
}

async function loadShards(
  work: Work,
  job: Job,
  start: Extract<Start, { kind: 'fresh' | 'resume' }>,
  hold: Hold,
  skipped: ReadonlySet<string>,
): Promise<SessionResult> {
  const { target, pool, settings, reporter, interrupt, store, retries, retry, loader } = work;
  reporter.on(startedEvent(job, settings, pool.workers, skipped));
  reporter.on({ type: 'assetsWritten', assets: countAssets(fleet) });
  const context = workerContext(job, settings, target.uri, loader);
  // Behind a router no checkpoint can vouch for a shard's server: each batch has to be durable by itself.
  const routed = isRouter(await withRetry(() => serverIdentity(target.db), retry));
  return runSession({
    fleet,
    plan: job.plan,
    skipped,
    mayHoldRecords: start.kind === 'resume' || start.mayHoldRecords,
    context: routed ? { ...context, writeConcern: context.writeConcern ?? 'majority' } : context,
    retries,
    pool,
    checkpoints: { db: target.db, store, hold },
    reporter,
    interrupt,
  });
}

/** Says how to go on. Once records are loaded the reporter knows that by itself. */
function resumable({ target }: Work, { runId }: Job, error: unknown): unknown {
  const explained = explainFailure(error, (cause) => target.explain(cause));
  if (!(explained instanceof SeedError) || explained.exitStatus === ExitStatus.targetNotReady)
    return explained;
  if (explained.remedy.includes('--resume')) return explained;
  const remedy = [explained.remedy, `--resume goes on with run ${runId}`].filter(Boolean).join('; then ');
  return new SeedError(explained.exitStatus, explained.message, remedy, { cause: explained });
}

function earlierLoaderConnected(): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    'an earlier loader of this database is still connected to the server, and its last writes may yet arrive',
    'end that process, then try again',
  );
}
