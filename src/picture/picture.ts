/**
 * What is shown of a dataset, whoever shows it: the terminal, the page, `--json`. Plain data, made either from the model or
 * from a database. Times are whole minutes since 1970-01-01 UTC; values have at most three decimals; null is "no data".
 */
import type { AssetType } from '../fleet/types.js';
import type { Scale } from './scale.js';

export interface DatasetPicture {
  readonly source: PictureSource;
  /** Half open. */
  readonly window: { readonly start: number; readonly end: number };
  /** IANA name: whose hours, days and weekdays these are. The fleet's own, where the fleet is known. */
  readonly zone: string;
  readonly counts: { readonly machines: number; readonly services: number };
  /** What there is beyond what is drawn: a picture of thousands of machines shows nothing. */
  readonly omitted: { readonly machines: number; readonly services: number; readonly incidents: number };
  /** Where the means of every metric begin, and how far apart they are. They cover the whole window. */
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
  /** Means by weekday, Sunday first, and hour of the day, in the picture's time zone. Empty for services. */
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
  /** The stretches of these, oldest first. Of too many the oldest are left out, but not of `cells`. */
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
