/** The piscina pool: one thread a worker, each with its own connection. */
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Shard } from '../plan/index.js';
import type { ShardResult, WorkerContext } from './run.js';

/** What a loading worker is asked to do. */
export interface ShardTask {
  readonly context: WorkerContext;
  readonly shard: Shard;
  /** True where records of the shard may be in the database already. */
  readonly mayHoldRecords: boolean;
}

/** Threads that all run the same entry of `workers/`. */
export class WorkerPool<Task = ShardTask, Result = ShardResult> {
  readonly #piscina: Piscina<Task, Result>;

  /** `entry` is the file's name in `workers/`, without its ending. */
  constructor(
    entry: 'load-shard' | 'verify-shard',
    readonly workers: number,
  ) {
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(`../../workers/${entry}.js`, import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
      // A waiting worker would sleep on Atomics.wait otherwise, and its open connections with it.
      atomics: 'disabled',
    });
  }

  run(task: Task): Promise<Result> {
    return this.#piscina.run(task);
  }

  /** Ends all threads at once. */
  destroy(): Promise<void> {
    return this.#piscina.destroy();
  }
}
