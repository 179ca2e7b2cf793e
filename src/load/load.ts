/**
 * Loads a dataset. Kept light: threads take as long to start as the driver takes to be read, so
 * they are started before this thread reads it.
 */
import type { Settings } from '../config/settings.js';
import {
  type AheadContext,
  firstShards,
  type RequestedLoad,
  requestedLoad,
  type ShardResult,
  type WorkerContext,
  workersFor,
} from '../dataset/dataset.js';
import type { LoadObserver, LoadSummary } from '../output/types.js';
import { type Plan, partOfPlan, type Shard } from '../plan/plan.js';
import { type Counters, pacedRecords, SHARDS_SIDE_BY_SIDE, type Shared, share } from '../threads/counters.js';
import { WorkerPool } from '../threads/pool.js';
import type { Confirm } from './foreign.js';

/**
 * Loads a dataset, resumes a run, or says that there is nothing to do.
 *
 * `interrupt` asks for an orderly stop: batches in flight are finished, the run stays resumable,
 * and the summary's status is `interrupted`. `confirm` asks before something that is not this
 * program's is removed.
 * @throws SeedError for every failure a user can meet.
 */
export async function runLoad(
  settings: Settings,
  reporter: LoadObserver,
  interrupt: AbortSignal,
  confirm?: Confirm,
): Promise<LoadSummary> {
  const { load } = settings;
  const asPart = (summary: LoadSummary) => (load.part ? { ...summary, part: load.part } : summary);
  const requested = await requestedLoad(load, new Date());
  const plan = partOfPlan(requested.plan, load.part);
  // How much is left of a run to resume, only the target knows.
  const records = load.existing === 'resume' ? undefined : plan.records;
  const pool = new LoadPool(workersFor(settings, records), SHARDS_SIDE_BY_SIDE);
  const input = { settings, requested, reporter, interrupt, pool, confirm };
  try {
    if (load.writer === 'none') {
      const { measure } = await import('./load-into.js');
      return asPart(await measure({ ...input, plan }));
    }
    if (records !== undefined) pool.generateAhead(aheadOf(settings, requested, plan));
    const { loadTarget } = await import('./load-into.js');
    return asPart(await loadTarget(input));
  } finally {
    await pool.destroy();
  }
}

/** What is going to be loaded unless the target has a run that says otherwise. */
function aheadOf({ load }: Settings, { fleet, dataset }: RequestedLoad, plan: Plan): AheadContext {
  const mayBeBuckets = load.writer === 'auto' || load.writer === 'buckets';
  const asBuckets = load.layout === 'timeseries' && mayBeBuckets && load.extending === undefined;
  return {
    dataset,
    fleet: fleet.definition,
    shards: firstShards(plan),
    batchSize: pacedRecords(load.batchSize, load.rate),
    rate: load.rate,
    asBuckets,
  };
}

// The pool of a load: threads that get ready while the target is prepared, and then load shards.

/** What every task of one load brings with it. */
interface TaskOfLoad {
  readonly context: Shared<WorkerContext>;
  /** See {@link Counters}. */
  readonly counters: SharedArrayBuffer;
}

/** Asks a thread to make ready what its shards need, before there is one. */
export interface PrepareTask extends TaskOfLoad {
  readonly kind: 'prepare';
}

/** Asks a thread to load a shard. */
export interface ShardTask extends TaskOfLoad {
  readonly kind: 'shard';
  readonly shard: Shard;
  /** True where records of the shard may be in the database already. */
  readonly mayHoldRecords: boolean;
}

/** Asks a thread to generate what the load is going to begin with, until it has something to do. */
export interface AheadTask {
  readonly kind: 'ahead';
  readonly context: Shared<AheadContext>;
}

export type LoadTask = AheadTask | PrepareTask | ShardTask;

/**
 * A thread that could not make everything ready does so as well: its first shard meets the cause
 * again.
 */
export interface Prepared {
  readonly state: 'prepared';
}

export class LoadPool extends WorkerPool<LoadTask, ShardResult | Prepared> {
  constructor(workers: number, sideBySide?: number) {
    super('load-shard', workers, sideBySide);
  }

  /** Has every thread generate the first shards, while the caller goes on. */
  generateAhead(context: AheadContext): void {
    this.#inEveryThread({ kind: 'ahead', context: share(context) });
  }

  /** Has every thread connect, while the caller goes on. */
  prepare(context: WorkerContext, counters: Counters): void {
    this.#inEveryThread({ kind: 'prepare', context: share(context), counters: counters.shared });
  }

  #inEveryThread(task: AheadTask | PrepareTask): void {
    // Not before all threads wait for a task, so that each of them gets one.
    this.ready()
      .then(() => Promise.all(Array.from({ length: this.workers }, () => this.run(task))))
      .catch(() => undefined);
  }

  /** @throws Error of the thread, where it died */
  load(
    shard: Shard,
    mayHoldRecords: boolean,
    context: WorkerContext,
    counters: Counters,
  ): Promise<ShardResult | Prepared> {
    const task = { context: share(context), counters: counters.shared, shard, mayHoldRecords };
    return this.run({ kind: 'shard', ...task });
  }
}
