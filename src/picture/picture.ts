/**
 * What is shown of a dataset, whoever shows it: the terminal, the page, `--json`. Plain data, made
 * either from the model or from a database. Times are whole minutes since 1970-01-01 UTC; values
 * have at most three decimals; null is "no data".
 */
import type { AssetType } from '../fleet/types.js';

export interface DatasetPicture {
  readonly source: PictureSource;
  /** Half open. */
  readonly window: { readonly start: number; readonly end: number };
  /**
   * IANA name: whose hours, days and weekdays these are. The fleet's own, where the fleet is known.
   */
  readonly zone: string;
  readonly counts: { readonly machines: number; readonly services: number };
  /** What there is beyond what is drawn: a picture of thousands of machines shows nothing. */
  readonly omitted: { readonly machines: number; readonly services: number; readonly incidents: number };
  /**
   * Where the means of every metric begin, and how far apart they are. They cover the whole window.
   */
  readonly means: Grid;
  /** Where the cells of every timeline begin, and how long each is. They cover the whole window. */
  readonly timeline: Grid;
  readonly machines: readonly MachinePicture[];
  readonly services: readonly ServicePicture[];
  readonly uptime: { readonly machines: number | null; readonly services: number | null };
  readonly backups: { readonly attempted: number; readonly succeeded: number };
  /** How many of the figures that are expected of the default fleet are within their ranges. */
  readonly figures: { readonly within: number; readonly measured: number };
}

export interface Grid {
  readonly start: number;
  readonly stepMinutes: number;
}

export type PictureSource =
  | { readonly kind: 'model'; readonly seed: number; readonly modelVersion: number }
  | {
      readonly kind: 'database';
      readonly database: string;
      readonly layout: string;
      readonly server: string;
      /** Of the newest run, where there is one. */
      readonly seed: number | null;
    };

export interface MachinePicture {
  readonly assetId: string;
  readonly name: string;
  readonly assetType: AssetType | string;
  /** Null where nothing says what it should be like. */
  readonly pattern: string | null;
  readonly metrics: readonly MetricPicture[];
  readonly figures: readonly FigurePicture[];
  readonly availability: AvailabilityPicture | null;
  readonly backups: BackupsPicture | null;
}

export interface ServicePicture {
  readonly assetId: string;
  readonly name: string;
  readonly hostId: string;
  readonly availability: AvailabilityPicture | null;
}

/** One metric of an asset over the whole window, but for `day`. */
export interface MetricPicture {
  readonly metricName: string;
  readonly unit: string;
  /** The same for every asset that has the metric. */
  readonly scale: Scale;
  readonly records: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly deviation: number | null;
  /** Means of the last 24 hours, one an hour. */
  readonly day: readonly (number | null)[];
  /** Means of the whole window, as far apart as the picture says; three significant digits. */
  readonly means: readonly (number | null)[];
  /**
   * Means by weekday, Sunday first, and hour of the day, in the picture's time zone. Empty for
   * services.
   */
  readonly heat: readonly (readonly (number | null)[])[];
}

/** A figure that is expected of a pattern, and what it is here. */
export interface FigurePicture {
  readonly metricName: string;
  readonly what: string;
  /** In words; `low` to `high` is what they are taken to mean. */
  readonly expected: string;
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly measured: number | null;
  /** Null where nothing was measured. */
  readonly within: boolean | null;
}

/** In minutes that were polled. */
export interface AvailabilityPicture {
  readonly polled: number;
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  /** Share of polled minutes that were up, in per cent. */
  readonly uptime: number | null;
  /** Expected of an asset's own faults alone, in per cent; null where nothing says so. */
  readonly expected: number | null;
  readonly response: ResponsePicture | null;
  /** Times that it was not up, each from its first minute to its last. */
  readonly outages: number;
  /**
   * The stretches of these, oldest first. Of too many the oldest are left out, but not of `cells`.
   */
  readonly incidents: readonly IncidentPicture[];
  /** Minutes in each cell of the timeline. */
  readonly cells: { readonly down: readonly number[]; readonly degraded: readonly number[] };
}

/** Response times of the polls that were answered. */
export interface ResponsePicture extends MetricPicture {
  /** Polls that were not, until the poller gave up. */
  readonly timedOut: number;
}

/** Minutes on end in one state that is not "up"; half open. */
export interface IncidentPicture {
  readonly from: number;
  readonly to: number;
  readonly state: 'down' | 'degraded';
}

export interface BackupsPicture {
  readonly attempted: number;
  readonly succeeded: number;
  /** In per cent. */
  readonly successRate: number | null;
  /** Expected of the type of machine, in per cent; null where nothing says so. */
  readonly expected: number | null;
  /** Those of the newest 92 days. */
  readonly runs: readonly { readonly at: number; readonly success: boolean }[];
  /** When the newest good one was. */
  readonly lastGood: number | null;
  /** From there to the window's end: what would be lost, in minutes. */
  readonly recoveryPoint: number | null;
  /** The longest time between two good ones, or from the last one to the window's end. */
  readonly worstRecoveryPoint: number | null;
}

// Rows of means, and which an asset has. Shared with the page's script: nothing of Node's is
// imported here.

const WEEK = 7 * 1440;

/** A machine's load, and how fast it answers. */
export function metricsOf({ metrics, availability }: MachinePicture): readonly MetricPicture[] {
  return availability?.response ? [...metrics, availability.response] : metrics;
}

/** The means of a picture's last seven days, or of all of it where it is shorter. */
export function lastWeek(
  means: readonly (number | null)[],
  { window, means: { start, stepMinutes } }: Pick<DatasetPicture, 'window' | 'means'>,
): readonly (number | null)[] {
  return means.slice(Math.max(0, Math.ceil((window.end - WEEK - start) / stepMinutes)));
}

/** The values as so many means of neighbours, as equal in number as can be. */
export function condense(values: readonly (number | null)[], cells: number): (number | null)[] {
  return Array.from({ length: cells }, (_, i) => {
    const from = Math.floor((i * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((i + 1) * values.length) / cells));
    const there = values.slice(from, to).filter((value) => value !== null);
    return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
  });
}

// What the height of a line and the shade of a cell stand for: one scale for all assets that have a
// metric.

export interface Scale {
  readonly from: number;
  readonly to: number;
  readonly logarithmic: boolean;
}

/**
 * From some milliseconds to seconds: on a linear scale one slow service would flatten the others.
 */
export const RESPONSE_TIME = 'response_time_ms';

/** Where the scale of percentages ends: the first that holds the highest value. */
const PERCENT_TOPS = [10, 25, 50, 75, 100];

/**
 * The scale of a metric, of all values that will be drawn on it. It begins at 0, so that what is
 * steady looks steady.
 */
export function scaleOf(metricName: string, unit: string, lowest: number, highest: number): Scale {
  if (metricName === RESPONSE_TIME) {
    const from = rounded(Math.max(0.1, lowest), 'down');
    return { from, to: Math.max(10 * from, rounded(Math.max(0.1, highest), 'up')), logarithmic: true };
  }
  const percentTop = unit === 'percentage' ? PERCENT_TOPS.find((top) => highest <= top) : undefined;
  const to = percentTop ?? (highest > 0 ? rounded(highest, 'up') : 0);
  return { from: lowest < 0 ? -rounded(-lowest, 'up') : 0, to, logarithmic: false };
}

/** Where a value stands on its scale: 0 to 1. */
export function shareOf(value: number, { from, to, logarithmic }: Scale): number {
  if (to <= from) return 0;
  const share = logarithmic
    ? Math.log(Math.max(from, value) / from) / Math.log(to / from)
    : (value - from) / (to - from);
  return Math.min(1, Math.max(0, share));
}

const DIGITS = [1, 2, 5, 10];

/** A positive value, rounded to the next of 1, 2, 5, 10, 20, … */
function rounded(value: number, direction: 'down' | 'up'): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const digit =
    direction === 'up'
      ? DIGITS.find((one) => one * power >= value * (1 - 1e-9))
      : DIGITS.findLast((one) => one * power <= value * (1 + 1e-9));
  return Number(((digit ?? 1) * power).toPrecision(1));
}
