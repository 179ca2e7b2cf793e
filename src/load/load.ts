/** Loads a dataset: opens what a load needs, and closes it again whatever happens. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { ConnectionSettings, LoadSettings, Settings } from '../config/settings.js';
import { DEFAULT_FLEET } from '../fleet/default.js';
import { MODEL_VERSION } from '../model/index.js';
import { DEFAULT_SHARD_DAYS, partOfPlan, planLoad, resolveWindow } from '../plan/index.js';
import type { LoadSummary, Reporter } from '../report/types.js';
import { openTarget } from '../store/target.js';
import { explainFailure } from './explain.js';
import { type Job, startedEvent, workerContext } from './job.js';
import { loadInto } from './load-into.js';
import { WorkerPool } from './pool.js';
import { RetryLog } from './retry-log.js';
import type { Dataset } from './run.js';
import { drawLoader } from './run-store.js';
import { runSession } from './session.js';
import { formatLoaderName } from './stragglers.js';
import { summarise } from './summary.js';

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
export async function runLoad(
  settings: Settings,
  reporter: Reporter,
  interrupt: AbortSignal,
): Promise<LoadSummary> {
  const requested = requestedDataset(settings.load, new Date());
  if (settings.load.writer === 'none') return measure(settings, requested, reporter, interrupt);

  const inform = (message: string) => reporter.on({ type: 'notice', level: 'info', message });
  const loader = drawLoader(settings.load.part);
  const target = await openTarget(withLoaderName(settings.connection, loader), inform);
  // Threads start while the target is prepared.
  const pool = new WorkerPool('load-shard', settings.load.workers ?? defaultWorkers(target.server.embedded));
  try {
    reporter.on({ type: 'connected', server: target.server, database: target.db.databaseName });
    return await loadInto({ target, pool, loader, settings, requested, reporter, interrupt });
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await pool.destroy();
    await target.close();
  }
}

/** The main thread's connections bear the loader's name as well: what they drop or create must not come late either. */
function withLoaderName(connection: ConnectionSettings, loader: string): ConnectionSettings {
  const appName = formatLoaderName({ database: connection.database, loader, thread: 0, generation: 0 });
  return { ...connection, options: { ...connection.options, appName } };
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
  const plan = partOfPlan(planLoad(fleet, dataset.window, dataset.sections, shardDays), settings.load.part);
  const job: Job = { runId: 'none', dataset, plan, resumed: false };
  const pool = new WorkerPool('load-shard', settings.load.workers ?? defaultWorkers(false));
  try {
    reporter.on(startedEvent(job, settings, pool.workers, new Set()));
    const result = await runSession({
      fleet,
      plan,
      skipped: new Set(),
      mayHoldRecords: false,
      context: workerContext(job, settings, settings.connection.uri, 'none'),
      retries: new RetryLog((message) => reporter.on({ type: 'notice', level: 'warning', message })),
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
