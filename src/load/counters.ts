/** Numbers that workers count up and the main thread reads without a message: progress costs no event loop turn. */

const HEADER = 2;
const FIELDS = ['acknowledged', 'batches', 'batchMicros', 'retries', 'assetIndex', 'metricIndex', 'minute'] as const;
type Field = (typeof FIELDS)[number];

/** One slot a worker, of 64-bit integers, after a header of [stop flag, slots taken]. */
export class Counters {
  readonly #cells: BigInt64Array;

  constructor(readonly shared: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(shared);
  }

  static forWorkers(workers: number): Counters {
    return new Counters(new SharedArrayBuffer((HEADER + workers * FIELDS.length) * 8));
  }

  /** Asks all workers to stop after the batches in flight. */
  stop(): void {
    Atomics.store(this.#cells, 0, 1n);
  }

  get stopping(): boolean {
    return Atomics.load(this.#cells, 0) === 1n;
  }

  /** Takes a slot for the calling worker. A worker that replaces a dead one shares the last slot: sums stay right. */
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
    for (let slot = 0; slot * FIELDS.length + HEADER < this.#cells.length; slot++) sum += this.get(slot, field);
    return sum;
  }

  #at(slot: number, field: Field): number {
    return HEADER + slot * FIELDS.length + FIELDS.indexOf(field);
  }
}
