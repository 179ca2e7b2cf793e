/** `--writer none`: generates and encodes everything, and touches no server. */
import type { Settings } from '../config/settings.js';
import { RetryLog } from '../connect/retry.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Fleet } from '../fleet/types.js';
import type { LoadSummary, Reporter } from '../output/types.js';
import type { Plan } from '../plan/plan.js';
import { Counters } from '../threads/counters.js';
import { type Job, startedEvent, workerContext } from './job.js';
import type { LoadPool } from './load-pool.js';
import { runSession } from './session.js';
import { summarise } from './summary.js';

export interface MeasureInput {
  readonly settings: Settings;
  readonly requested: Dataset;
  readonly fleet: Fleet;
  readonly plan: Plan;
  readonly pool: LoadPool;
  readonly reporter: Reporter;
  readonly interrupt: AbortSignal;
}

export async function measure(input: MeasureInput): Promise<LoadSummary> {
  const { settings, requested, fleet, plan, pool, reporter, interrupt } = input;
  const started = performance.now();
  const job: Job = { runId: 'none', fleet, dataset: requested, plan, resumed: false };
  reporter.on(startedEvent(job, settings, pool.workers, new Set()));
  // What is measured is generating, not the start of threads.
  await pool.ready();
  const result = await runSession({
    fleet,
    plan,
    skipped: new Set(),
    mayHoldRecords: false,
    context: workerContext(job, settings, settings.connection.uri, 'none'),
    retries: new RetryLog((message) => reporter.on({ type: 'notice', level: 'warning', message })),
    pool,
    counters: Counters.forWorkers(pool.workers),
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
    beside: undefined,
    parts: undefined,
    expired: 0,
    elapsedMs: performance.now() - started,
    database: undefined,
    server: { version: '', embedded: false, uri: '' },
  });
}
