/**
 * Latencies over the time of a workload, and all of them by size: what a chart needs. Counts in
 * steps of a ninth, so that an hour of a client takes no more memory than a minute.
 */

/** Steps in a doubling: each is 9 % longer than the one before. */
const STEPS = 8;
/** From a microsecond to 4.6 hours. */
const SIZES = 34 * STEPS;
/** More cells than this would be no more to see: then two become one. */
const MOST_CELLS = 300;
const FIRST_CELL_MS = 1_000;

/** Plain data: it crosses the thread boundary. */
export interface TimelineCells {
  readonly cellMs: number;
  /** By cell: how many requests had an answer that took so long; see {@link sizeOf}. */
  readonly sizes: readonly Uint32Array[];
  readonly errors: readonly number[];
}

/** One cell of a timeline, or a part of its time. Milliseconds. */
export interface TimelinePoint {
  readonly fromMs: number;
  readonly perSecond: number;
  readonly errors: number;
  /** Undefined where nothing was answered. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** How many requests took from so long to so long. */
export interface LatencyBar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly requests: number;
}

export class Timeline {
  #cellMs = FIRST_CELL_MS;
  #sizes: Uint32Array[] = [];
  #errors: number[] = [];

  /** @param sinceMs when it was over, from the beginning of the workload */
  answered(sinceMs: number, latencyMs: number): void {
    // First: it may make others of the cells.
    const cell = this.#cellAt(sinceMs);
    this.#sizes[cell][sizeOf(latencyMs)]++;
  }

  failed(sinceMs: number): void {
    const cell = this.#cellAt(sinceMs);
    this.#errors[cell]++;
  }

  /** Adds another thread's. */
  add({ cellMs, sizes, errors }: TimelineCells): void {
    for (const [i, more] of sizes.entries()) {
      const cell = this.#cellAt(i * cellMs);
      for (let size = 0; size < SIZES; size++) this.#sizes[cell][size] += more[size];
      this.#errors[cell] += errors[i];
    }
  }

  get cells(): TimelineCells {
    return { cellMs: this.#cellMs, sizes: this.#sizes, errors: this.#errors };
  }

  /** @param elapsedMs of the whole workload: the last cell may be a part of one */
  points(elapsedMs: number): TimelinePoint[] {
    return this.#sizes.map((sizes, i) => {
      const fromMs = i * this.#cellMs;
      const lengthMs = Math.max(1, Math.min(this.#cellMs, elapsedMs - fromMs));
      const requests = sumOf(sizes);
      const at = (share: number) => (requests === 0 ? undefined : quantile(sizes, requests, share));
      return {
        fromMs,
        perSecond: ((requests + this.#errors[i]) * 1_000) / lengthMs,
        errors: this.#errors[i],
        p50Ms: at(0.5),
        p95Ms: at(0.95),
        p99Ms: at(0.99),
      };
    });
  }

  /** From the shortest to the longest that there were, two steps a bar. */
  bars(): LatencyBar[] {
    const all = new Uint32Array(SIZES);
    for (const sizes of this.#sizes) for (let size = 0; size < SIZES; size++) all[size] += sizes[size];
    const bars: LatencyBar[] = [];
    for (let size = 0; size < SIZES; size += 2) {
      bars.push({ fromMs: msOf(size), toMs: msOf(size + 2), requests: all[size] + all[size + 1] });
    }
    const first = bars.findIndex(({ requests }) => requests > 0);
    return first < 0 ? [] : bars.slice(first, bars.findLastIndex(({ requests }) => requests > 0) + 1);
  }

  #cellAt(ms: number): number {
    while (ms >= this.#cellMs * MOST_CELLS) this.#halve();
    const cell = Math.max(0, Math.floor(ms / this.#cellMs));
    while (this.#sizes.length <= cell) {
      this.#sizes.push(new Uint32Array(SIZES));
      this.#errors.push(0);
    }
    return cell;
  }

  #halve(): void {
    const cells = this.cells;
    this.#cellMs *= 2;
    this.#sizes = [];
    this.#errors = [];
    this.add(cells);
  }
}

function sizeOf(ms: number): number {
  const size = Math.floor(STEPS * Math.log2(Math.max(1, ms * 1_000)));
  return Math.min(SIZES - 1, size);
}

function msOf(size: number): number {
  return 2 ** (size / STEPS) / 1_000;
}

/** In the middle of its step. */
function quantile(sizes: Uint32Array, requests: number, share: number): number {
  let left = Math.ceil(share * requests);
  for (let size = 0; size < SIZES; size++) {
    left -= sizes[size];
    if (left <= 0) return msOf(size + 0.5);
  }
  return msOf(SIZES);
}

function sumOf(sizes: Uint32Array): number {
  return sizes.reduce((sum, count) => sum + count, 0);
}
