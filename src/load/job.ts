/** A dataset to be loaded, from the options or from a stored run, and what others are told of it. */
import type { LoadSettings, Part, Settings } from '../config/settings.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Fleet } from '../fleet/types.js';
import { instantOf, MINUTES_PER_DAY, type Plan, partOfPlan, planLoad } from '../plan/index.js';
import type { LoadStarted } from '../report/types.js';
import { VERSION } from '../version.js';
import { fleetOf, storedFleet } from './fleet.js';
import type { Dataset, WorkerContext } from './run.js';
import { RUN_FORMAT } from './run-document.js';
import type { NewRun } from './run-store.js';
import { recordsOf } from './session.js';
import { datasetOf, type Start } from './start.js';
import { countAssets } from './summary.js';

export interface Job {
  readonly runId: string;
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
  /** Where `plan` is a part's: that of the whole run. */
  readonly whole?: Plan;
  readonly resumed: boolean;
}

/** What is asked for, where no stored run says otherwise. */
interface Asked {
  readonly part: Part | undefined;
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly shardDays: number;
}

/** The job that a start leads to. */
export function jobOf(start: Start, runId: string | undefined, asked: Asked): Job {
  const run = 'run' in start ? start.run : undefined;
  const fleet = run ? fleetOf(run) : asked.fleet;
  const dataset = run ? datasetOf(run) : asked.dataset;
  const whole = planLoad(fleet, dataset.window, dataset.sections, run?.shardDays ?? asked.shardDays);
  return {
    runId: runId ?? '',
    fleet,
    dataset,
    plan: partOfPlan(whole, asked.part),
    whole,
    resumed: start.kind === 'resume' || (start.kind === 'join' && start.again),
  };
}

/** The stored document of a job that starts afresh. */
export function newRun(
  { runId, fleet, dataset, plan }: Omit<Job, 'resumed'>,
  { existing, extending }: Pick<LoadSettings, 'existing' | 'extending'>,
  parts?: NewRun['parts'],
): NewRun {
  return {
    _id: runId,
    format: RUN_FORMAT,
    ...dataset,
    sections: [...dataset.sections],
    window: { start: instantOf(dataset.window.start), end: instantOf(dataset.window.end) },
    fleetFingerprint: fleetFingerprint(fleet),
    ...storedFleet(fleet),
    shardDays: plan.shardDays,
    planned: plan.counts,
    shards: plan.shards.length,
    version: VERSION,
    ...(parts ? { parts } : {}),
    ...(existing === 'clean' ? { cleaning: true as const } : {}),
    ...(extending === undefined ? {} : { extends: extending }),
  };
}

export function workerContext(
  job: Job,
  { load, connection }: Settings,
  uri: string,
  loader: string,
): WorkerContext {
  return {
    runId: job.runId,
    dataset: job.dataset,
    fleet: job.fleet.definition,
    connection: { ...connection, uri },
    writer: load.writer,
    writeConcern: load.writeConcern,
    compressors: load.compressors,
    batchSize: load.batchSize,
    loader,
    retryMs: load.retrySeconds * 1000,
  };
}

export function startedEvent(
  job: Job,
  { load }: Settings,
  workers: number,
  skipped: ReadonlySet<string>,
): LoadStarted {
  const { dataset, plan } = job;
  return {
    type: 'started',
    runId: job.runId,
    seed: dataset.seed,
    seedGiven: load.seed !== undefined,
    layout: dataset.layout,
    availabilityScale: dataset.availabilityScale,
    sections: dataset.sections,
    window: { start: instantOf(dataset.window.start), end: instantOf(dataset.window.end) },
    days: (dataset.window.end - dataset.window.start) / MINUTES_PER_DAY,
    assets: countAssets(job.fleet),
    workers,
    batchSize: load.batchSize,
    planned: plan.counts,
    shards: { total: plan.shards.length, skipped: skipped.size },
    recordsBefore: recordsOf(plan, skipped),
    resumed: job.resumed,
  };
}
