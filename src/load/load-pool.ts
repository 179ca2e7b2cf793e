/** The pool of a load: threads that get ready while the target is prepared, and then load shards. */

import type { ShardResult, WorkerContext } from '../dataset/dataset.js';
import type { Shard } from '../plan/plan.js';
import type { Counters } from '../threads/counters.js';
import { type Shared, share, WorkerPool } from '../threads/pool.js';

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

export type LoadTask = PrepareTask | ShardTask;

/** A thread that could not make everything ready does so as well: its first shard meets the cause again. */
export interface Prepared {
  readonly state: 'prepared';
}

export class LoadPool extends WorkerPool<LoadTask, ShardResult | Prepared> {
  constructor(workers: number, sideBySide?: number) {
    super('load-shard', workers, sideBySide);
  }

  /** Has every thread connect, while the caller goes on. */
  prepare(context: WorkerContext, counters: Counters): void {
    const task: PrepareTask = { kind: 'prepare', context: share(context), counters: counters.shared };
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
