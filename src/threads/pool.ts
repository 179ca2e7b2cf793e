/** The piscina pool: one thread a worker, each with its own connection. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { refuseTooFewFiles } from '../system/files.js';
import { environmentOfThread } from '../system/home.js';

const LONGEST_START_MS = 10_000;
/** Of its event loop, and of connections. */
const FILES_OF_A_THREAD = 16;

/** Threads that all run the same entry of `workers/`. */
export class WorkerPool<Task, Result> {
  readonly #piscina: Piscina<Task, Result>;
  /**
   * What rejects the tasks that are under way. A promise that all of them raced against would
   * remember each of them.
   */
  readonly #underWay = new Set<(error: Error) => void>();
  #broken: Error | undefined;
  readonly #started: Promise<unknown>;

  /**
   * `entry` is the file's name in `workers/`, without its ending.
   * @throws SeedError where the system lets this process open too few files for so many
   */
  constructor(
    entry: 'load-shard' | 'verify-shard' | 'export-shard' | 'workload',
    readonly workers: number,
    /** Tasks that a thread works at side by side. */
    readonly sideBySide = 1,
  ) {
    refuseTooFewFiles(workers * FILES_OF_A_THREAD, workers === 1 ? 'a worker' : `${workers} workers`);
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(`../../workers/${entry}.js`, import.meta.url)),
      minThreads: workers,
      maxThreads: workers,
      concurrentTasksPerWorker: sideBySide,
      env: environmentOfThread(),
      // A waiting worker would sleep on Atomics.wait otherwise, and its open connections with it.
      atomics: 'disabled',
    });
    // A dead thread is replaced, but not one that dies in its very start: then tasks would wait for
    // ever.
    let cause: unknown;
    this.#piscina.on('error', (error) => {
      cause = error;
    });
    this.#piscina.on('workerDestroy', () =>
      setImmediate(() => {
        if (this.#piscina.threads.length > 0) return;
        this.#broken ??= new Error('no worker thread is left', { cause });
        for (const reject of this.#underWay) reject(this.#broken);
      }),
    );
    // Piscina tells of its first threads before they have read anything; what a thread posts first
    // is that it is ready.
    const ready = this.#piscina.threads.map(
      (thread) =>
        new Promise<unknown>((resolve) => {
          thread.once('message', resolve);
          thread.once('exit', resolve);
        }),
    );
    this.#started = Promise.all(ready);
  }

  /** Resolves when every thread has read its entry, or has ended over it. */
  async ready(): Promise<void> {
    await this.#started;
  }

  /** @throws Error of the thread, where it died; what the task itself throws comes the same way. */
  run(task: Task): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.#broken) return reject(this.#broken);
      this.#underWay.add(reject);
      const ended = this.#piscina.run(task).then(resolve, reject);
      ended.finally(() => this.#underWay.delete(reject));
    });
  }

  /** Receives what workers post to their parent. */
  onMessage(listener: (message: unknown) => void): void {
    this.#piscina.on('message', listener);
  }

  /** Ids of the threads that live now. */
  threadIds(): ReadonlySet<number> {
    return new Set(this.#piscina.threads.map(({ threadId }) => threadId));
  }

  /** Ends all threads at once. */
  async destroy(): Promise<void> {
    // Node 20 aborts the whole process where a thread is ended in the middle of its imports.
    await Promise.race([this.#started, sleep(LONGEST_START_MS, undefined, { ref: false })]);
    await this.#piscina.destroy();
  }
}
