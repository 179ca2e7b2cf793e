/**
 * A dataset to be loaded, from the options or from a stored run, and what others are told of it.
 */
import type { LoadSettings, Settings, WriterKind } from '../config/settings.js';
import type { RetryLog, RetryOptions } from '../connect/retry.js';
import type { Target } from '../connect/target.js';
import type { Dataset, RequestedLoad, WorkerContext } from '../dataset/dataset.js';
import { countAssets } from '../fleet/build.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Fleet } from '../fleet/types.js';
import type { TargetFacts } from '../inspect/inspect.js';
import type { LoadObserver, LoadStarted } from '../output/types.js';
import { instantOf, MINUTES_PER_DAY, type Plan, partOfPlan, planLoad } from '../plan/plan.js';
import type { CheckpointStore } from '../runs/checkpoint-store.js';
import type { PartStore } from '../runs/part-store.js';
import { datasetOf, fleetOf, RUN_FORMAT, type RunDocument, storedFleet } from '../runs/run-document.js';
import type { NewRun, RunStore } from '../runs/run-store.js';
import { pacedRecords } from '../threads/counters.js';
import { VERSION } from '../version.js';
import type { Confirm } from './foreign.js';
import type { LoadPool } from './load.js';
import type { Expiry } from './prepare.js';
import { recordsOf } from './session.js';
import type { Start } from './start.js';

export interface Job {
  readonly runId: string;
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
  /** Where `plan` is a part's: that of the whole run. */
  readonly whole?: Plan;
  readonly resumed: boolean;
  /** Whether the collection of events is written as well. */
  readonly events: boolean;
}

/** The job that a start leads to: a stored run's, or the one that is asked for. */
export function jobOf(
  start: Start,
  runId: string | undefined,
  requested: RequestedLoad,
  { part, events }: Pick<LoadSettings, 'part' | 'events'>,
): Job {
  const run = 'run' in start ? start.run : undefined;
  const { fleet, dataset, plan } = run ? storedLoad(run) : requested;
  return {
    runId: runId ?? '',
    fleet,
    dataset,
    plan: partOfPlan(plan, part),
    whole: plan,
    resumed: start.kind === 'resume' || (start.kind === 'join' && start.again),
    events: run ? run.events === true : events,
  };
}

function storedLoad(run: RunDocument): RequestedLoad {
  const [fleet, dataset] = [fleetOf(run), datasetOf(run)];
  return { fleet, dataset, plan: planLoad(fleet, dataset.window, dataset.sections, run.shardDays) };
}

/** The stored document of a job that starts afresh. */
export function newRun(
  { runId, fleet, dataset, plan }: Omit<Job, 'resumed' | 'events'>,
  { existing, extending, events }: Pick<LoadSettings, 'existing' | 'extending' | 'events'>,
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
    ...(events ? { events: true as const } : {}),
    ...(existing === 'clean' ? { cleaning: true as const } : {}),
    ...(extending === undefined ? {} : { extends: extending }),
  };
}

export function workerContext(
  job: Job,
  { load, connection }: Settings,
  uri: string,
  loader: string,
  writer: WriterKind,
): WorkerContext {
  return {
    runId: job.runId,
    dataset: job.dataset,
    fleet: job.fleet.definition,
    connection: { ...connection, uri },
    writer,
    writeConcern: load.writeConcern,
    compressors: load.compressors,
    batchSize: pacedRecords(load.batchSize, load.rate),
    rate: load.rate,
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
    batchSize: pacedRecords(load.batchSize, load.rate),
    rate: load.rate,
    planned: plan.counts,
    shards: { total: plan.shards.length, skipped: skipped.size },
    recordsBefore: recordsOf(plan, skipped),
    resumed: job.resumed,
  };
}

// What the steps of a load share.

export interface LoadInput {
  readonly target: Target;
  readonly pool: LoadPool;
  /** This loader's name; see `drawLoader`. */
  readonly loader: string;
  readonly settings: Settings;
  readonly requested: RequestedLoad;
  readonly reporter: LoadObserver;
  readonly interrupt: AbortSignal;
  readonly confirm?: Confirm;
}

/** What all steps need. */
export interface Work extends LoadInput {
  readonly store: RunStore;
  readonly checkpoints: CheckpointStore;
  /** Where several loaders share the run. */
  readonly parts: PartStore | undefined;
  readonly retries: RetryLog;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

/** Once the target has been looked at. */
export interface HeldWork extends Work {
  readonly facts: TargetFacts;
  readonly expiry: Expiry;
}

/** A start after which there is something to load. */
export type Begun = Extract<Start, { kind: 'fresh' | 'resume' | 'join' }>;

/** Whether records of the run, or others, may be there before it loads any. */
export function mayHold(start: Begun): boolean {
  return start.kind === 'resume' || start.mayHoldRecords;
}
