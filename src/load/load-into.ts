/**
 * One load into an open target, from the rules of starting to the summary: the order of the steps,
 * and nothing else.
 */
import type { Settings, WriterKind } from '../config/settings.js';
import { explainFailure, RetryLog, type RetryOptions, withRetry } from '../connect/retry.js';
import { openLoaderTarget, type Target } from '../connect/target.js';
import type { RequestedLoad, WorkerContext, Writer } from '../dataset/dataset.js';
import { ExitStatus, SeedError } from '../errors.js';
import { countAssets } from '../fleet/build.js';
import { OWN_COLLECTIONS } from '../inspect/inspect.js';
import type { LoadObserver, LoadSummary } from '../output/types.js';
import { dealtByChunk, planChunks } from '../plan/order.js';
import type { Plan } from '../plan/plan.js';
import { CheckpointStore } from '../runs/checkpoint-store.js';
import { Lease } from '../runs/lease.js';
import { drawLoader, EarlierLoaderConnected } from '../runs/owner.js';
import { PartStore } from '../runs/part-store.js';
import { RunStore } from '../runs/run-store.js';
import { EVENTS } from '../store/collections.js';
import { clusterShards, refuseUnlessRouter, UnsupportedCollection } from '../store/schema.js';
import { isRouter, serverIdentity } from '../store/server.js';
import { databaseStatistics } from '../store/statistics.js';
import { Counters } from '../threads/counters.js';
import { type ChosenWriter, chooseWriter, proveBuckets, WriterRefused } from './choose-writer.js';
import { prepareCollections } from './collections.js';
import { confirmComplete, countOf, type Ending, finishRun } from './completion.js';
import {
  type Begun,
  type HeldWork,
  type Job,
  jobOf,
  type LoadInput,
  mayHold,
  newRun,
  startedEvent,
  type Work,
  workerContext,
} from './job.js';
import { joinRun } from './join.js';
import type { LoadPool } from './load.js';
import { type Expiry, type PrepareInput, prepareTarget } from './prepare.js';
import { NO_WORK, runSession, type SessionResult, summarise } from './session.js';

const NO_EXPIRY: Expiry = { life: undefined, expired: 0 };

/** @throws SeedError, and errors of the driver that the target can explain */
async function loadInto(input: LoadInput): Promise<LoadSummary> {
  const { target, settings, requested, reporter, interrupt } = input;
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

  const prepare: PrepareInput = {
    target,
    store,
    request: requested,
    settings,
    newRun: (id) =>
      newRun(
        { runId: id, ...requested },
        settings.load,
        part && { count: part.of, clustered, ...(ttlDays === undefined ? {} : { ttlDays }) },
      ),
    notice: warn,
    confirm: input.confirm,
    refuse: (begun, facts) => {
      chooseWriter(settings.load, jobOf(begun, '', requested, settings.load), begun, facts);
    },
  };
  if (settings.load.shard) await withRetry(() => refuseUnlessRouter(target.db, target.server.uri), retry);
  const prepared = parts ? await joinRun(prepare, parts) : await prepareTarget(prepare);
  const { start, runId, beside, expiry = NO_EXPIRY } = prepared;
  const job = jobOf(start, runId, requested, settings.load);
  const finish = async (
    status: LoadSummary['status'],
    result: SessionResult,
    { skipped, parts, stored }: Ending,
  ) =>
    summarise({
      ...job,
      ...result,
      status,
      skipped,
      parts,
      beside,
      expired: expiry.expired,
      elapsedMs: performance.now() - started,
      // After an interrupt nobody waits for a server that is away.
      database: await withRetry(
        () =>
          databaseStatistics(target.db, job.events ? [...OWN_COLLECTIONS, EVENTS] : OWN_COLLECTIONS, stored),
        retry,
      ).catch((error) => {
        if (status !== 'interrupted') throw error;
        return undefined;
      }),
      server: target.server,
    });
  if (start.kind === 'already complete' || start.kind === 'nothing to resume') {
    const done = new Set(start.run ? job.plan.shards.map((shard) => shard.id) : []);
    const nothing = { interrupted: false, done, sessionRecords: 0, inserted: 0, figures: NO_WORK };
    const stored = start.run && (await confirmComplete(work, job, start.run, prepared.facts));
    return finish(start.kind, nothing, { skipped: done.size, stored });
  }
  const { result, ...ending } = await loadHeld({ ...work, facts: prepared.facts, expiry }, job, start);
  const done = ending.others ? 'part complete' : 'complete';
  return finish(result.interrupted ? 'interrupted' : done, result, ending);
}

/** Loads a run that this process holds, and lets go of it. */
async function loadHeld(work: HeldWork, job: Job, start: Begun): Promise<Ending & { result: SessionResult }> {
  const { retry, warn, interrupt } = work;
  const store = work.parts ?? work.store;
  const lease = new Lease(store, job.runId, retry);
  let state: 'complete' | 'interrupted' | 'failed' = 'failed';
  try {
    const failed = (error: unknown) => {
      throw resumable(work, job, error);
    };
    const chosen = chooseWriter(work.settings.load, job, start, work.facts);
    const threads = await prepareThreads(work, job, chosen.kind).catch(failed);
    const skipped = await prepareCollections(work, job, start, lease).catch(failed);
    const stored = countOf(work, job, start);
    await withRetry(() => stored.start(), retry).catch(failed);
    const writer = await provenWriter(work, job, chosen, lease).catch(failed);
    const context =
      writer.kind === chosen.kind ? threads.context : { ...threads.context, writer: writer.kind };
    const loaded = await loadShards(work, job, start, lease, skipped, { ...threads, context });
    const result = {
      ...loaded,
      figures: { ...loaded.figures, writer: { ...writer, ...loaded.figures.writer } },
    };
    const ending = result.interrupted ? {} : await finishRun(work, job, lease, stored, result);
    state = result.interrupted ? 'interrupted' : 'complete';
    lease.end();
    await store.end(job.runId, state).catch((error) => {
      if (!interrupt.aborted || error instanceof SeedError) throw error;
      warn('the server does not answer: it learns of the end of this run when its lease expires');
    });
    return { result, skipped: skipped.size, ...ending };
  } catch (error) {
    lease.end();
    // Nothing has been made, so nothing is left to go on with.
    const unbegun =
      start.kind === 'fresh' &&
      (error instanceof EarlierLoaderConnected ||
        error instanceof WriterRefused ||
        (!start.clean && error instanceof UnsupportedCollection));
    const ended = unbegun ? work.store.withdraw(job.runId) : store.end(job.runId, state);
    await ended.catch(() => undefined);
    throw error;
  }
}

/**
 * The writer that was chosen, or the next one where the server does not take what it writes;
 * remembered for whoever resumes.
 */
async function provenWriter(work: HeldWork, job: Job, chosen: ChosenWriter, lease: Lease): Promise<Writer> {
  const { target, store, parts, settings, reporter, retry } = work;
  const debug = (message: string) => reporter.on({ type: 'notice', level: 'debug', message });
  let { kind, reason }: Writer = chosen;
  if (!chosen.isProven) {
    reason = await withRetry(() => proveBuckets(target.db, job, lease.guard), retry);
    if (reason === undefined)
      await (parts ?? store).change(job.runId, { $set: { writer: 'buckets' } }, lease.guard);
    else if (settings.load.writer === 'buckets') throw new WriterRefused(reason);
    else kind = 'sequence';
  }
  if (reason !== undefined) debug(`records are written as measurements, not as buckets: ${reason}`);
  return reason === undefined ? { kind } : { kind, reason };
}

/** What threads share with this one while they load. */
interface Threads {
  readonly context: WorkerContext;
  readonly counters: Counters;
}

/** Has the threads connect while this one prepares the collections. */
async function prepareThreads(
  { target, pool, settings, loader, retry }: Work,
  job: Job,
  writer: WriterKind,
): Promise<Threads> {
  const asked = workerContext(job, settings, target.uri, loader, writer);
  // Behind a router no checkpoint can vouch for a shard's server: each batch has to be durable by
  // itself.
  const routed = isRouter(await withRetry(() => serverIdentity(target.db), retry));
  const context = routed ? { ...asked, writeConcern: asked.writeConcern ?? 'majority' } : asked;
  const counters = Counters.forWorkers(pool.workers);
  pool.prepare(context, counters);
  return { context, counters };
}

/** The plan in an order that keeps all shards of a cluster busy from the beginning. */
async function spread({ db }: Target, { plan, whole = plan }: Job): Promise<Plan> {
  return { ...plan, shards: dealtByChunk(plan.shards, planChunks(whole, await clusterShards(db))) };
}

async function loadShards(
  work: Work,
  job: Job,
  start: Begun,
  lease: Lease,
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
    mayHoldRecords: mayHold(start),
    ...threads,
    retries,
    pool,
    checkpoints: { db: target.db, store: checkpoints, lease },
    reporter,
    interrupt,
  });
}

/** Says how to go on. Once records are loaded the reporter knows that by itself. */
function resumable({ target }: Work, { runId }: Job, error: unknown): unknown {
  if (error instanceof WriterRefused) return error;
  const explained = explainFailure(error, (cause) => target.explain(cause));
  if (!(explained instanceof SeedError) || explained.exitStatus === ExitStatus.targetNotReady)
    return explained;
  if (explained.remedy.includes('--resume')) return explained;
  const remedy = [explained.remedy, `--resume goes on with run ${runId}`].filter(Boolean).join('; then ');
  return new SeedError(explained.exitStatus, explained.message, remedy, { cause: explained });
}

// Opens the target of a load, and closes it again whatever happens.

export type LoadTargetInput = Omit<LoadInput, 'target' | 'loader'>;

/** @throws SeedError for every failure a user can meet. */
export async function loadTarget(input: LoadTargetInput): Promise<LoadSummary> {
  const { settings, reporter, interrupt } = input;
  const notice = (level: 'info' | 'warning') => (message: string) =>
    reporter.on({ type: 'notice', level, message });
  const loader = drawLoader(settings.load.part);
  const notices = { inform: notice('info'), warn: notice('warning') };
  const retry = { limitMs: settings.load.retrySeconds * 1000, stopping: () => interrupt.aborted };
  const target = await openLoaderTarget(settings.connection, loader, notices, retry, interrupt);
  try {
    reporter.on({ type: 'connected', server: target.server, database: target.db.databaseName });
    return await loadInto({ ...input, target, loader });
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

// `--writer none`: generates and encodes everything, and touches no server.

export interface MeasureInput {
  readonly settings: Settings;
  readonly requested: RequestedLoad;
  /** All of it, or a part. */
  readonly plan: Plan;
  readonly pool: LoadPool;
  readonly reporter: LoadObserver;
  readonly interrupt: AbortSignal;
}

export async function measure(input: MeasureInput): Promise<LoadSummary> {
  const { settings, requested, plan, pool, reporter, interrupt } = input;
  const { fleet, dataset } = requested;
  const started = performance.now();
  const job: Job = { runId: 'none', fleet, dataset, plan, resumed: false, events: false };
  reporter.on(startedEvent(job, settings, pool.workers, new Set()));
  // What is measured is generating, not the start of threads.
  await pool.ready();
  const result = await runSession({
    fleet,
    plan,
    skipped: new Set(),
    mayHoldRecords: false,
    context: workerContext(job, settings, settings.connection.uri, 'none', 'none'),
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
