/** One load from settings to summary: the order of the steps, and nothing else. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { ObjectId } from 'mongodb';
import type { LoadSettings, Settings } from '../config/settings.js';
import { DEFAULT_FLEET } from '../fleet/default.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { MODEL_VERSION } from '../model/index.js';
import {
  DEFAULT_SHARD_DAYS,
  instantOf,
  MINUTES_PER_DAY,
  type Plan,
  planLoad,
  resolveWindow,
} from '../plan/index.js';
import type { LoadSummary, Reporter } from '../report/types.js';
import { ensureCollections } from '../store/schema.js';
import { databaseStatistics } from '../store/statistics.js';
import { openTarget, type Target } from '../store/target.js';
import { VERSION } from '../version.js';
import { writeAssets } from './assets.js';
import { WorkerPool } from './pool.js';
import { prepareTarget } from './prepare.js';
import type { Dataset, WorkerContext } from './run.js';
import { RUN_FORMAT } from './run-document.js';
import { HEARTBEAT_MS, type NewRun, RunStore } from './run-store.js';
import { recordsOf, runSession, type SessionResult } from './session.js';
import { datasetOf } from './start.js';
import { countAssets, NO_WORK, summarise } from './summary.js';

/** A dataset to be loaded: from the options, or from a stored run. */
interface Job {
  readonly runId: string;
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly resumed: boolean;
}

/** The dataset that settings ask for. Without a seed one is drawn that is easy to type again. */
export function requestedDataset(load: LoadSettings, now: Date): Dataset {
  return {
    seed: load.seed ?? randomInt(1, 2 ** 31),
    window: resolveWindow(load.window, load.seed !== undefined, now),
    sections: load.sections,
    layout: load.layout,
    availabilityScale: load.availabilityScale,
    environment: load.environment,
    modelVersion: MODEL_VERSION,
  };
}

/** Workers unless the user says otherwise: one a core, but one core is left to a server of our own. */
export function defaultWorkers(embedded: boolean): number {
  return Math.max(1, availableParallelism() - (embedded ? 1 : 0));
}

/**
 * Loads a dataset, resumes a run, or says that there is nothing to do.
 *
 * `interrupt` asks for an orderly stop: batches in flight are finished, the run stays resumable, and the summary's
 * status is `interrupted`.
 * @throws SeedError for every failure a user can meet.
 */
export async function runLoad(settings: Settings, reporter: Reporter, interrupt: AbortSignal): Promise<LoadSummary> {
  const requested = requestedDataset(settings.load, new Date());
  if (settings.load.writer === 'none') return measure(settings, requested, reporter, interrupt);

  const notice = (message: string) => reporter.on({ type: 'notice', level: 'info', message });
  const target = await openTarget(settings.connection, notice);
  // Threads start while the target is prepared.
  const pool = new WorkerPool('load-shard', settings.load.workers ?? defaultWorkers(target.server.embedded));
  try {
    reporter.on({ type: 'connected', server: target.server, database: target.db.databaseName });
    return await loadInto(target, pool, settings, requested, reporter, interrupt);
  } catch (error) {
    throw target.explain(error);
  } finally {
    await pool.destroy();
    await target.close();
  }
}

async function loadInto(
  target: Target,
  pool: WorkerPool,
  settings: Settings,
  requested: Dataset,
  reporter: Reporter,
  interrupt: AbortSignal,
): Promise<LoadSummary> {
  const started = performance.now();
  const fleet = DEFAULT_FLEET;
  const fingerprint = fleetFingerprint(fleet);
  const store = new RunStore(target.db);
  const start = await prepareTarget(target, store, { dataset: requested, fleetFingerprint: fingerprint }, settings, reporter);

  const run = 'run' in start ? start.run : undefined;
  const dataset = run ? datasetOf(run) : requested;
  const shardDays = run?.shardDays ?? settings.load.shardDays ?? DEFAULT_SHARD_DAYS;
  const job: Job = {
    runId: run?._id ?? new ObjectId().toHexString(),
    dataset,
    plan: planLoad(fleet, dataset.window, dataset.sections, shardDays),
    resumed: start.kind === 'resume',
  };
  const finish = async (status: LoadSummary['status'], result: SessionResult, skipped: number) =>
    summarise({
      ...job,
      ...result,
      status,
      fleet,
      skipped,
      elapsedMs: performance.now() - started,
      database: await databaseStatistics(target.db),
      server: target.server,
    });

  if (start.kind === 'already complete' || start.kind === 'nothing to resume') {
    const done = new Set(run ? job.plan.shards.map((shard) => shard.id) : []);
    return finish(start.kind, { interrupted: false, done, sessionRecords: 0, figures: NO_WORK }, done.size);
  }

  if (job.resumed) await store.resume(job.runId);
  else await store.begin(newRun(job, fingerprint));
  const beat = setInterval(() => void store.heartbeat(job.runId).catch(() => undefined), HEARTBEAT_MS);
  let state: 'complete' | 'interrupted' | 'failed' = 'failed';
  try {
    const { clustered, ttlDays } = settings.load;
    await ensureCollections(target.db, target.server.version, { layout: dataset.layout, clustered, ttlDays });
    const skipped = job.resumed ? await store.completedShards(job.runId, job.plan.shards) : new Set<string>();
    announce(job, settings, pool.workers, skipped, reporter);
    await writeAssets(target.db, fleet, instantOf(dataset.window.end));
    reporter.on({ type: 'assetsWritten', assets: countAssets(fleet) });

    const result = await runSession({
      fleet,
      plan: job.plan,
      skipped,
      mayHoldRecords: start.kind === 'resume' || start.mayHoldRecords,
      context: workerContext(job, settings, target.uri),
      pool,
      checkpoints: { db: target.db, store },
      reporter,
      interrupt,
    });
    state = result.interrupted ? 'interrupted' : 'complete';
    await store.end(job.runId, state);
    return await finish(state, result, skipped.size);
  } catch (error) {
    await store.end(job.runId, state).catch(() => undefined);
    throw error;
  } finally {
    clearInterval(beat);
  }
}

/** `--writer none`: generates and encodes everything, and touches no server. */
async function measure(
  settings: Settings,
  dataset: Dataset,
  reporter: Reporter,
  interrupt: AbortSignal,
): Promise<LoadSummary> {
  const started = performance.now();
  const fleet = DEFAULT_FLEET;
  const shardDays = settings.load.shardDays ?? DEFAULT_SHARD_DAYS;
  const plan = planLoad(fleet, dataset.window, dataset.sections, shardDays);
  const job: Job = { runId: 'none', dataset, plan, resumed: false };
  const pool = new WorkerPool('load-shard', settings.load.workers ?? defaultWorkers(false));
  try {
    announce(job, settings, pool.workers, new Set(), reporter);
    const result = await runSession({
      fleet,
      plan,
      skipped: new Set(),
      mayHoldRecords: false,
      context: workerContext(job, settings, settings.connection.uri),
      pool,
      checkpoints: undefined,
      reporter,
      interrupt,
    });
    return summarise({
      ...job,
      ...result,
      status: result.interrupted ? 'interrupted' : 'complete',
      fleet,
      skipped: 0,
      elapsedMs: performance.now() - started,
      database: undefined,
      server: { version: '', embedded: false, uri: '' },
    });
  } finally {
    await pool.destroy();
  }
}

function newRun({ runId, dataset, plan }: Job, fingerprint: string): NewRun {
  return {
    _id: runId,
    format: RUN_FORMAT,
    ...dataset,
    sections: [...dataset.sections],
    window: { start: instantOf(dataset.window.start), end: instantOf(dataset.window.end) },
    fleetFingerprint: fingerprint,
    shardDays: plan.shardDays,
    planned: plan.counts,
    shards: plan.shards.length,
    version: VERSION,
  };
}

function workerContext(job: Job, { load, connection }: Settings, uri: string): Omit<WorkerContext, 'counters'> {
  return {
    runId: job.runId,
    dataset: job.dataset,
    fleet: DEFAULT_FLEET,
    connection: { ...connection, uri },
    writer: load.writer,
    writeConcern: load.writeConcern,
    compressors: load.compressors,
    batchSize: load.batchSize,
  };
}

function announce(
  job: Job,
  { load }: Settings,
  workers: number,
  skipped: ReadonlySet<string>,
  reporter: Reporter,
): void {
  const { dataset, plan } = job;
  reporter.on({
    type: 'started',
    runId: job.runId,
    seed: dataset.seed,
    seedGiven: load.seed !== undefined,
    layout: dataset.layout,
    availabilityScale: dataset.availabilityScale,
    sections: dataset.sections,
    window: { start: instantOf(dataset.window.start), end: instantOf(dataset.window.end) },
    days: (dataset.window.end - dataset.window.start) / MINUTES_PER_DAY,
    assets: countAssets(DEFAULT_FLEET),
    workers,
    batchSize: load.batchSize,
    planned: plan.counts,
    shards: { total: plan.shards.length, skipped: skipped.size },
    recordsBefore: recordsOf(plan, skipped),
    resumed: job.resumed,
  });
}
