/** One load into an open target, from the rules of starting to the summary: the order of the steps, and nothing else. */
import type { Settings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import {
  DEFAULT_SHARD_DAYS,
  dealtByChunk,
  instantOf,
  type Plan,
  partOfPlan,
  planChunks,
  planLoad,
} from '../plan/index.js';
import type { LoadSummary, Reporter } from '../report/types.js';
import { isRouter, serverIdentity } from '../store/identity.js';
import type { TargetFacts } from '../store/inspect.js';
import { canHold } from '../store/obstacles.js';
import {
  dropDataset,
  ensureCollections,
  type SchemaOptions,
  UnsupportedCollection,
} from '../store/schema.js';
import { clusterShards, refuseUnlessRouter, shardingCommands, shardMetrics } from '../store/sharding.js';
import { databaseStatistics } from '../store/statistics.js';
import type { Target } from '../store/target.js';
import { writeAssets } from './assets.js';
import { CheckpointStore } from './checkpoint-store.js';
import { Counters } from './counters.js';
import { durably } from './durably.js';
import { awaitEarlierLoaders } from './earlier-loaders.js';
import { explainFailure } from './explain.js';
import { fleetOf } from './fleet.js';
import { Hold } from './hold.js';
import { type Job, newRun, startedEvent, workerContext } from './job.js';
import { joinRun } from './join.js';
import type { LoadPool } from './load-pool.js';
import { PartStore } from './part-store.js';
import { type PrepareInput, prepareTarget } from './prepare.js';
import { type RetryOptions, withRetry } from './retry.js';
import { RetryLog } from './retry-log.js';
import type { Dataset, WorkerContext } from './run.js';
import { RunStore } from './run-store.js';
import { runSession, type SessionResult } from './session.js';
import { datasetOf, type Start } from './start.js';
import { countAssets, NO_WORK, summarise } from './summary.js';

export interface LoadInput {
  readonly target: Target;
  readonly pool: LoadPool;
  /** This loader's name; see `drawLoader`. */
  readonly loader: string;
  readonly settings: Settings;
  /** The fleet asked for. */
  readonly fleet: Fleet;
  readonly requested: Dataset;
  readonly reporter: Reporter;
  readonly interrupt: AbortSignal;
}

/** What all steps need. */
interface Work extends LoadInput {
  readonly store: RunStore;
  readonly checkpoints: CheckpointStore;
  /** Where several loaders share the run. */
  readonly parts: PartStore | undefined;
  readonly retries: RetryLog;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

/** @throws SeedError, and errors of the driver that the target can explain */
export async function loadInto(input: LoadInput): Promise<LoadSummary> {
  const { target, settings, fleet, requested, reporter, interrupt } = input;
  const started = performance.now();
  const warn = (message: string) => reporter.on({ type: 'notice', level: 'warning', message });
  const retries = new RetryLog(warn);
  const retry: RetryOptions = {
    limitMs: settings.load.retrySeconds * 1000,
    onRetry: (error) => retries.note('the run', error),
    stopping: () => interrupt.aborted,
  };
  const store = new RunStore(target.books, input.loader, retry);
  const checkpoints = new CheckpointStore(target.books, retry);
  const { part, clustered, ttlDays } = settings.load;
  const parts = part && new PartStore(target.books, input.loader, retry, part);
  const work: Work = { ...input, store, checkpoints, parts, retries, retry, warn };

  const shardDays = settings.load.shardDays ?? DEFAULT_SHARD_DAYS;
  const requestedPlan = planLoad(fleet, requested.window, requested.sections, shardDays);
  const prepare: PrepareInput = {
    target,
    store,
    request: { dataset: requested, fleet },
    settings,
    newRun: (id) =>
      newRun(
        { runId: id, fleet, dataset: requested, plan: requestedPlan },
        settings.load,
        part && { count: part.of, clustered, ...(ttlDays === undefined ? {} : { ttlDays }) },
      ),
    notice: warn,
  };
  if (settings.load.shard) await withRetry(() => refuseUnlessRouter(target.db, target.server.uri), retry);
  const { start, runId, facts, beside } = parts
    ? await joinRun(prepare, parts)
    : await prepareTarget(prepare);
  const job = jobOf(start, runId, input, shardDays);
  const finish = async (status: LoadSummary['status'], result: SessionResult, skipped: number) =>
    summarise({
      ...job,
      ...result,
      status,
      skipped,
      beside,
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
  const { result, skipped } = await loadHeld({ ...work, facts }, job, start);
  return finish(result.interrupted ? 'interrupted' : 'complete', result, skipped);
}

function jobOf(
  start: Start,
  runId: string | undefined,
  { settings, fleet: requestedFleet, requested }: LoadInput,
  shardDays: number,
): Job {
  const run = 'run' in start ? start.run : undefined;
  const fleet = run ? fleetOf(run) : requestedFleet;
  const dataset = run ? datasetOf(run) : requested;
  const whole = planLoad(fleet, dataset.window, dataset.sections, run?.shardDays ?? shardDays);
  return {
    runId: runId ?? '',
    fleet,
    dataset,
    plan: partOfPlan(whole, settings.load.part),
    whole,
    resumed: start.kind === 'resume' || (start.kind === 'join' && start.again),
  };
}

/** Once the target has been looked at. */
interface HeldWork extends Work {
  readonly facts: TargetFacts;
}

/** Loads a run that this process holds, and lets go of it. */
async function loadHeld(
  work: HeldWork,
  job: Job,
  start: Extract<Start, { kind: 'fresh' | 'resume' | 'join' }>,
): Promise<{ result: SessionResult; skipped: number }> {
  const { retry, warn, interrupt } = work;
  const store = work.parts ?? work.store;
  const hold = new Hold(store, job.runId, retry);
  let state: 'complete' | 'interrupted' | 'failed' = 'failed';
  try {
    const failed = (error: unknown) => {
      throw resumable(work, job, error);
    };
    const threads = await prepareThreads(work, job).catch(failed);
    const skipped = await prepareCollections(work, job, start, hold).catch(failed);
    const result = await loadShards(work, job, start, hold, skipped, threads);
    if (!result.interrupted) await finishRun(work, job, hold);
    state = result.interrupted ? 'interrupted' : 'complete';
    hold.end();
    await store.end(job.runId, state).catch((error) => {
      if (!interrupt.aborted || error instanceof SeedError) throw error;
      warn('the server does not answer: it learns of the end of this run when its hold runs out');
    });
    return { result, skipped: skipped.size };
  } catch (error) {
    hold.end();
    // Nothing has been made, so nothing is left to go on with.
    const unbegun = start.kind === 'fresh' && !start.clean && error instanceof UnsupportedCollection;
    const ended = unbegun ? work.store.withdraw(job.runId) : store.end(job.runId, state);
    await ended.catch(() => undefined);
    throw error;
  }
}

/**
 * The last step of a run, taken by whoever completes it: of several loaders, the one whose part is the last. It bears repetition, since
 * after a crash in it whoever comes next takes it again, and since two parts may end at once.
 */
async function finishRun({ parts, target, ...work }: HeldWork, job: Job, hold: Hold): Promise<void> {
  if (!parts) return;
  if (!(await parts.complete(job.runId, hold.guard))) return;
  const schema = schemaOf(work, job);
  await durably(target.db, hold, () => ensureCollections(target.db, schema, work.warn, hold.guard));
  await parts.completeRun(job.runId, hold.guard);
}

/** The collections as they are wanted, and as the server can make them. */
function schemaOf(
  { settings, facts }: Pick<HeldWork, 'settings' | 'facts'>,
  { dataset }: Job,
): SchemaOptions {
  const { clustered, ttlDays } = settings.load;
  return { layout: dataset.layout, clustered: clustered && canHold(facts.server).clustered, ttlDays };
}

/** What threads share with this one while they load. */
interface Threads {
  readonly context: WorkerContext;
  readonly counters: Counters;
}

/** Has the threads connect while this one prepares the collections. */
async function prepareThreads({ target, pool, settings, loader, retry }: Work, job: Job): Promise<Threads> {
  const asked = workerContext(job, settings, target.uri, loader);
  // Behind a router no checkpoint can vouch for a shard's server: each batch has to be durable by itself.
  const routed = isRouter(await withRetry(() => serverIdentity(target.db), retry));
  const context = routed ? { ...asked, writeConcern: asked.writeConcern ?? 'majority' } : asked;
  const counters = Counters.forWorkers(pool.workers);
  pool.prepare(context, counters);
  return { context, counters };
}

/** Cleans where that is asked for, makes collections and assets, and resolves with the ids of the shards that are done already. */
async function prepareCollections(
  { target, settings, reporter, store, checkpoints, warn, loader, retry, facts }: HeldWork,
  job: Job,
  start: Extract<Start, { kind: 'fresh' | 'resume' | 'join' }>,
  hold: Hold,
): Promise<Set<string>> {
  const { db } = target;
  const { guard } = hold;
  const cleaning = start.kind === 'fresh' ? start.clean : start.run.cleaning === true;
  const { part, shard } = settings.load;
  const { layout } = job.dataset;
  await awaitEarlierLoaders({ target, loader, layout, cleaning, part, retry, warn });

  if (cleaning) {
    let collections: string[] = [];
    await durably(db, hold, async () => {
      collections = [...new Set([...collections, ...(await dropDataset(db, guard))])];
    });
    await store.cleaned(job.runId, guard);
    if (collections.length > 0) reporter.on({ type: 'cleaned', collections });
  }
  const schema = schemaOf({ settings, facts }, job);
  await durably(db, hold, async () => {
    await ensureCollections(db, schema, warn, guard);
    await checkpoints.createIndex(guard);
    await writeAssets(db, job.fleet, instantOf(job.dataset.window.end), guard);
  });
  if (shard) {
    const chunks = planChunks(job.whole ?? job.plan, await clusterShards(db));
    // Once records are there the cluster's balancer knows better where they belong.
    const commands = shardingCommands(db.databaseName, layout, chunks);
    await guard(() => shardMetrics(db, commands, !job.resumed, warn));
  }
  if (!job.resumed || cleaning) return new Set();
  const done = await checkpoints.completedShards(job.runId, (job.whole ?? job.plan).shards);
  return new Set(job.plan.shards.map(({ id }) => id).filter((id) => done.has(id)));
}

/** The plan in an order that keeps all shards of a cluster busy from the beginning. */
async function spread({ db }: Target, { plan, whole = plan }: Job): Promise<Plan> {
  return { ...plan, shards: dealtByChunk(plan.shards, planChunks(whole, await clusterShards(db))) };
}

async function loadShards(
  work: Work,
  job: Job,
  start: Extract<Start, { kind: 'fresh' | 'resume' | 'join' }>,
  hold: Hold,
  skipped: ReadonlySet<string>,
  threads: Threads,
): Promise<SessionResult> {
  const { target, pool, settings, reporter, interrupt, checkpoints, retries } = work;
  reporter.on(startedEvent(job, settings, pool.workers, skipped));
  reporter.on({ type: 'assetsWritten', assets: countAssets(job.fleet) });
  return runSession({
    fleet: job.fleet,
    plan: settings.load.shard ? await spread(target, job) : job.plan,
    skipped,
    mayHoldRecords: start.kind === 'resume' || start.mayHoldRecords,
    ...threads,
    retries,
    pool,
    checkpoints: { db: target.db, store: checkpoints, hold },
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
