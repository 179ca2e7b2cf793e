/** The piscina pool: one thread a worker, each with its own connection. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { Piscina } from 'piscina';
import { refuseTooFewFiles } from '../system/files.js';

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
    entry: 'load-shard' | 'verify-shard' | 'export-shard',
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

// What every task of a pool needs, in memory that all threads see: a task carries a reference to
// it, however large it is.

/** A `T` as bytes. */
export interface Shared<T> {
  readonly bytes: SharedArrayBuffer;
  /** Differs between any two values that one process shares. */
  readonly id: number;
  /** Never there: it only carries the type. */
  readonly type?: T;
}

let count = 0;
const known = new WeakMap<object, Shared<unknown>>();
let last: { readonly id: number; readonly value: unknown } | undefined;

/**
 * The same for the same object, which must not change any more: threads know by it that nothing
 * has.
 * @param value plain data: what the structured clone algorithm takes, but for shared memory
 */
export function share<T extends object>(value: T): Shared<T> {
  const before = known.get(value);
  if (before) return before as Shared<T>;
  const serialized = serialize(value);
  const bytes = new SharedArrayBuffer(serialized.length);
  Buffer.from(bytes).set(serialized);
  const shared: Shared<T> = { bytes, id: ++count };
  known.set(value, shared);
  return shared;
}

/**
 * The value as this thread has it: read the first time, and the same object as long as no other
 * value is asked for.
 */
export function unshare<T>({ bytes, id }: Shared<T>): T {
  // Copied first: the deserialiser hands out views of what it reads.
  if (last?.id !== id) last = { id, value: deserialize(Buffer.from(new Uint8Array(bytes))) };
  return last.value as T;
}
