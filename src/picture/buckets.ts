/**
 * One metric of one asset, summed up by quarters of an hour (or longer): all that a picture needs
 * of its values.
 */
import { type LocalTime, MINUTES_PER_DAY, weekday } from '../model/local-time.js';

/** Sums of the values of a number of minutes. */
export interface Sums {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  readonly min: number;
  readonly max: number;
}

/**
 * Steps that a long window is summed up by, in minutes: the first that leaves few enough. All
 * divide an hour.
 */
const STEPS = [15, 30, 60] as const;
const MOST_BUCKETS = 9000;

/** How long a bucket of a window is, in minutes. */
export function bucketMinutes(start: number, end: number): number {
  return STEPS.find((step) => (end - start) / step <= MOST_BUCKETS) ?? 60;
}

/**
 * Buckets of equal length, beginning at whole multiples of it. Minutes are since 1970-01-01 UTC.
 */
export class Buckets {
  readonly #first: number;
  readonly #counts: Float64Array;
  readonly #sums: Float64Array;
  readonly #squares: Float64Array;
  readonly #minima: Float64Array;
  readonly #maxima: Float64Array;

  constructor(
    readonly start: number,
    readonly end: number,
    readonly stepMinutes: number,
  ) {
    this.#first = Math.floor(start / stepMinutes);
    const length = Math.ceil(end / stepMinutes) - this.#first;
    this.#counts = new Float64Array(length);
    this.#sums = new Float64Array(length);
    this.#squares = new Float64Array(length);
    this.#minima = new Float64Array(length).fill(Number.POSITIVE_INFINITY);
    this.#maxima = new Float64Array(length).fill(Number.NEGATIVE_INFINITY);
  }

  /** Adds one value. */
  add(minute: number, value: number): void {
    this.addSums(minute, { count: 1, sum: value, squares: value * value, min: value, max: value });
  }

  /** Adds what is known of the bucket that holds a minute. */
  addSums(minute: number, { count, sum, squares, min, max }: Sums): void {
    const i = Math.floor(minute / this.stepMinutes) - this.#first;
    this.#counts[i] += count;
    this.#sums[i] += sum;
    this.#squares[i] += squares;
    if (min < this.#minima[i]) this.#minima[i] = min;
    if (max > this.#maxima[i]) this.#maxima[i] = max;
  }

  /** The sums of all buckets that begin in [from, to). */
  between(from: number, to: number): Sums {
    const sums = new Accumulated();
    const first = Math.max(0, Math.ceil(from / this.stepMinutes) - this.#first);
    const last = Math.min(this.#counts.length, Math.ceil(to / this.stepMinutes) - this.#first);
    for (let i = first; i < last; i++) this.#addTo(sums, i);
    return sums;
  }

  /** The lowest and the highest mean of a bucket; infinite where there is none. */
  extremesOfMeans(): { readonly lowest: number; readonly highest: number } {
    let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [i, count] of this.#counts.entries()) {
      if (count === 0) continue;
      lowest = Math.min(lowest, this.#sums[i] / count);
      highest = Math.max(highest, this.#sums[i] / count);
    }
    return { lowest, highest };
  }

  /** The sums of every hour of the local week, Sunday first: `[weekday][hour]`. */
  byHourOfWeek(local: LocalTime): Sums[][] {
    const table = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => new Accumulated()));
    for (let i = 0; i < this.#counts.length; i++) {
      const utc = (this.#first + i) * this.stepMinutes;
      const minute = utc + local.offsetAt(utc);
      const day = Math.floor(minute / MINUTES_PER_DAY);
      this.#addTo(table[weekday(day)][Math.floor((minute - day * MINUTES_PER_DAY) / 60)], i);
    }
    return table;
  }

  #addTo(sums: Accumulated, i: number): void {
    if (this.#counts[i] === 0) return;
    sums.add({
      count: this.#counts[i],
      sum: this.#sums[i],
      squares: this.#squares[i],
      min: this.#minima[i],
      max: this.#maxima[i],
    });
  }
}

/** Sums of sums. */
export class Accumulated implements Sums {
  count = 0;
  sum = 0;
  squares = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  add(other: Sums): void {
    this.count += other.count;
    this.sum += other.sum;
    this.squares += other.squares;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }
}

/** The mean, or null of nothing. */
export function meanOf({ count, sum }: Sums): number | null {
  return count === 0 ? null : sum / count;
}

/** The standard deviation, or null of nothing. */
export function deviationOf({ count, sum, squares }: Sums): number | null {
  return count === 0 ? null : Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}

// Fewer digits: what is shown needs no more, and a page is smaller for it.

/** To three decimals. */
export function rounded(value: number | null | undefined): number | null {
  if (value === null || value === undefined || !Number.isFinite(value)) return null;
  return Math.round(value * 1000) / 1000;
}

/** To three significant digits, as a chart shows it. */
export function significant(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(3));
}
