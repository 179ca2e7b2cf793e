/**
 * Numbers that workers count up and the main thread reads without a message: progress costs no
 * event loop turn.
 */
import { createHistogram, type Histogram, type RecordableHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { deserialize, serialize } from 'node:v8';

/**
 * Cells before the slots: stop flag, slots taken, until when the run is held, by two clocks, and
 * when the next insert may be sent.
 */
const HEADER = 5;
const NEXT_TURN = 4;
const HELD_FOREVER = 2n ** 62n;
const FIELDS = ['acknowledged', 'batches', 'batchMicros', 'assetIndex', 'metricIndex', 'minute'] as const;
type Field = (typeof FIELDS)[number];

/**
 * Milliseconds by the clock that nobody sets and by the wall clock: the first stands still while a
 * machine sleeps, the second may be set back.
 */
export function clocks(): readonly [bigint, bigint] {
  return [process.hrtime.bigint() / 1_000_000n, BigInt(Date.now())];
}

/** One slot a worker, of 64-bit integers, after the header. */
export class Counters {
  readonly #cells: BigInt64Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(shared);
  }

  static forWorkers(workers: number): Counters {
    const counters = new Counters(new SharedArrayBuffer((HEADER + workers * FIELDS.length) * 8));
    Atomics.store(counters.#cells, 2, HELD_FOREVER);
    Atomics.store(counters.#cells, 3, HELD_FOREVER);
    return counters;
  }

  /**
   * Says that the run was held at an instant that {@link clocks} has read, and stays so for `ms`.
   */
  holdFor(ms: number, [steady, wall]: readonly [bigint, bigint]): void {
    Atomics.store(this.#cells, 2, steady + BigInt(ms));
    Atomics.store(this.#cells, 3, wall + BigInt(ms));
  }

  /**
   * False when another loader may have taken the run over. Without {@link holdFor} it is always
   * true.
   */
  get held(): boolean {
    const [steady, wall] = clocks();
    return Atomics.load(this.#cells, 2) > steady && Atomics.load(this.#cells, 3) > wall;
  }

  /** Milliseconds in which nobody takes the run over; at least one, and at most an hour. */
  get heldMs(): number {
    const [steady, wall] = clocks();
    const left = [Atomics.load(this.#cells, 2) - steady, Atomics.load(this.#cells, 3) - wall].map(Number);
    return Math.max(1, Math.min(...left, 3_600_000));
  }

  /**
   * Takes the next turn to send, and leaves the time that so many records have at this rate to
   * those who ask later. Time that nobody has used is gone: what was held up is not made up for.
   * @returns milliseconds until that turn
   */
  takeTurn(records: number, perSecond: number): number {
    const step = BigInt(Math.round((records * 1e9) / perSecond));
    for (;;) {
      const next = Atomics.load(this.#cells, NEXT_TURN);
      const now = process.hrtime.bigint();
      let turn = now;
      if (next > now) turn = next;
      if (Atomics.compareExchange(this.#cells, NEXT_TURN, next, turn + step) === next) {
        return Number(turn - now) / 1e6;
      }
    }
  }

  /** Asks all workers to stop after the batches in flight. */
  stop(): void {
    Atomics.store(this.#cells, 0, 1n);
  }

  get stopping(): boolean {
    return Atomics.load(this.#cells, 0) === 1n;
  }

  /**
   * Takes a slot for the calling worker. A worker that replaces a dead one shares the last slot:
   * sums stay right.
   */
  takeSlot(): number {
    const taken = Number(Atomics.add(this.#cells, 1, 1n));
    const slots = (this.#cells.length - HEADER) / FIELDS.length;
    return Math.min(taken, slots - 1);
  }

  add(slot: number, field: Field, amount: number): void {
    Atomics.add(this.#cells, this.#at(slot, field), BigInt(Math.round(amount)));
  }

  set(slot: number, field: Field, value: number): void {
    Atomics.store(this.#cells, this.#at(slot, field), BigInt(value));
  }

  get(slot: number, field: Field): number {
    return Number(Atomics.load(this.#cells, this.#at(slot, field)));
  }

  /** Over all workers. */
  sum(field: Field): number {
    let sum = 0;
    for (let slot = 0; slot * FIELDS.length + HEADER < this.#cells.length; slot++)
      sum += this.get(slot, field);
    return sum;
  }

  #at(slot: number, field: Field): number {
    return HEADER + slot * FIELDS.length + FIELDS.indexOf(field);
  }
}

// Keeps a worker from writing while its loader may have lost its lease on the database.

const PAUSE_MS = 50;

/**
 * Nothing was written, because the lease might be over. It passes: the lease is renewed, or found
 * to be lost.
 */
export class NotHeld extends Error {
  constructor() {
    super('the lease on the database is not renewed yet');
  }
}

/**
 * A loader that was stopped for a while (a suspended machine, a debugger) may have been taken for
 * dead and replaced. Undefined where it is known that it was not; else resolves when that is known.
 * @throws Error where the loader is told to stop before that
 */
export function untilHeld(counters: Counters): Promise<void> | undefined {
  return counters.held ? undefined : waitUntilHeld(counters);
}

async function waitUntilHeld(counters: Counters): Promise<void> {
  while (!counters.held) {
    if (counters.stopping) throw new Error('the run is not held any more');
    await sleep(PAUSE_MS);
  }
}

// A load at a rate of the user's.

/** Inserts a second at least: fewer large ones would be bursts. */
const INSERTS_PER_SECOND = 10;

/**
 * How many records an insert may have, so that they are sent evenly.
 * @param most without a rate
 * @param unit it is a multiple of this
 */
export function pacedRecords(most: number, perSecond: number | undefined, unit = 1): number {
  if (perSecond === undefined) return most;
  const even = Math.floor(perSecond / INSERTS_PER_SECOND / unit) * unit;
  return Math.min(most, Math.max(even, unit));
}

/** Resolves when it is these records' turn, or when the loader is told to stop. */
export async function untilTurn(counters: Counters, records: number, perSecond: number): Promise<void> {
  const due = performance.now() + counters.takeTurn(records, perSecond);
  for (let left = due - performance.now(); left > 0; left = due - performance.now()) {
    if (counters.stopping) return;
    await sleep(Math.min(left, PAUSE_MS));
  }
}

// How long something takes: Node's histograms, of microseconds up to an hour.

const LONGEST_MICROS = 3_600_000_000;

/** To be recorded into by {@link recordMs}. */
export function latencyHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: LONGEST_MICROS, figures: 3 });
}

export function recordMs(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * 1000)));
}

/** Latencies of several threads together, in milliseconds; zeros where there are none. */
export function latencyOf(histograms: readonly Histogram[]) {
  const all = latencyHistogram();
  // What comes from another thread can be added, whatever its type says.
  for (const one of histograms) all.add(one as RecordableHistogram);
  const { count } = all;
  const ms = (share: number) => (count === 0 ? 0 : all.percentile(share) / 1000);
  return { count, p50Ms: ms(50), p95Ms: ms(95), p99Ms: ms(99), maxMs: count === 0 ? 0 : all.max / 1000 };
}

// How much one worker does at the same time; bench/README.md has the measurements behind it.

/** Batches that a worker has sent and not yet been answered. */
export const BATCHES_IN_FLIGHT = 5;

/**
 * Shards that a worker loads side by side: a service has two series, too few for so many batches.
 */
export const SHARDS_SIDE_BY_SIDE = 3;

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
/** More than the pool of one load shares. */
const MOST_READ = 8;
/** By id: what this thread has read, the latest last. */
const read = new Map<number, unknown>();

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
 * The value as this thread has it: read the first time, and the same object whatever else has been
 * asked for in between, as far as a load goes.
 */
export function unshare<T>({ bytes, id }: Shared<T>): T {
  if (!read.has(id)) {
    // Copied first: the deserialiser hands out views of what it reads.
    read.set(id, deserialize(Buffer.from(new Uint8Array(bytes))));
    const [first] = read.keys();
    if (read.size > MOST_READ) read.delete(first);
  }
  return read.get(id) as T;
}
