/** What a picture is made from: the same of the model and of a database. */
import { DEFAULT_FILE } from '../fleet/default.js';
import type { Fleet, PatternName } from '../fleet/types.js';
import { type LocalTime, MINUTES_PER_DAY, weekday } from '../model/local-time.js';
import type { IncidentPicture, PictureSource } from './picture.js';

// One metric of one asset, summed up by quarters of an hour (or longer): all that a picture needs of
// its values.

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

// Readings of a dataset.

/** Machines that are drawn; of more of them nobody would see anything. */
export const MOST_MACHINES = 40;

export interface DatasetReadings {
  readonly source: PictureSource;
  /** Minutes since 1970-01-01 UTC, half open. */
  readonly window: { readonly start: number; readonly end: number };
  /** IANA name of the fleet's time zone; UTC where the fleet is not known. */
  readonly zone: string;
  /** Only of the default fleet is it known what its figures should be. */
  readonly isDefaultFleet: boolean;
  /** Of the whole dataset, drawn or not. */
  readonly counts: { readonly machines: number; readonly services: number };
  readonly machines: readonly MachineReadings[];
  readonly services: readonly ServiceReadings[];
}

export interface MachineReadings {
  readonly assetId: string;
  readonly name: string;
  readonly assetType: string;
  readonly pattern: PatternName | undefined;
  readonly metrics: readonly MetricReadings[];
  readonly availability: AvailabilityReadings | undefined;
  /** Oldest first; undefined where the dataset has none. */
  readonly backups: readonly { readonly at: number; readonly success: boolean }[] | undefined;
}

/** Whatever its time zone, and however many sites have it. */
export function isDefaultFleet({ definition }: Fleet): boolean {
  return definition.file === DEFAULT_FILE;
}

export interface ServiceReadings {
  readonly assetId: string;
  readonly name: string;
  readonly hostId: string;
  readonly availability: AvailabilityReadings | undefined;
}

export interface MetricReadings {
  readonly metricName: string;
  readonly unit: string;
  readonly buckets: Buckets;
}

export interface AvailabilityReadings {
  /** Minutes in each state. */
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  readonly incidents: readonly IncidentPicture[];
  /** Response times of the polls that were answered; undefined where there are none. */
  readonly response: MetricReadings | undefined;
  /** Polls that were not answered until the poller gave up. */
  readonly timedOut: number;
}

/** Gathers polls that are not "up", told oldest first, to incidents. */
export class IncidentLog {
  readonly incidents: { from: number; to: number; state: IncidentPicture['state'] }[] = [];

  /** @param pollMinutes from one poll to the next: so long a state lasts */
  constructor(readonly pollMinutes: number) {}

  add(minute: number, state: IncidentPicture['state']): void {
    const last = this.incidents[this.incidents.length - 1];
    const end = minute + this.pollMinutes;
    // What was cut to whole minutes may begin before the last one ends.
    if (last && last.state === state && minute <= last.to) last.to = Math.max(last.to, end);
    else this.incidents.push({ from: minute, to: end, state });
  }
}
