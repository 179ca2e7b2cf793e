/** The piscina pool: one thread a worker, each with its own connection. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Shard } from '../plan/index.js';
import type { ShardResult, WorkerContext } from './run.js';

/** What a worker is asked to do. */
export interface ShardTask {
  readonly context: WorkerContext;
  readonly shard: Shard;
  /** True where records of the shard may be in the database already. */
  readonly mayHoldRecords: boolean;
}

export class WorkerPool {
  readonly #piscina: Piscina<ShardTask, ShardResult>;

  constructor(readonly workers: number) {
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL('../../workers/load-shard.js', import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
      maxQueue: workers,
      // A waiting worker sleeps on Atomics.wait otherwise, which would also put its open connections to sleep.
      atomics: 'disabled',
    });
  }

  run(task: ShardTask): Promise<ShardResult> {
    return this.#piscina.run(task);
  }

  /** Ends all threads at once. */
  destroy(): Promise<void> {
    return this.#piscina.destroy();
  }
}
