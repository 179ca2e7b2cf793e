/**
 * What is shown of a dataset, whoever shows it: the terminal, the page, `--json`. Plain data, made either from the model or
 * from a database. Times are whole minutes since 1970-01-01 UTC; values have at most three decimals; null is "no data".
 */
import type { AssetType } from '../fleet/types.js';

export interface DatasetPicture {
  readonly source: PictureSource;
  /** Half open. */
  readonly window: { readonly start: number; readonly end: number };
  /** Whose hours and weekdays these are. */
  readonly zone: string;
  readonly counts: { readonly machines: number; readonly services: number };
  /** What there is beyond what is drawn: a picture of thousands of machines shows nothing. */
  readonly omitted: { readonly machines: number; readonly services: number; readonly incidents: number };
  /** The last seven days: where its means begin, and how far apart they are. */
  readonly week: { readonly start: number; readonly stepMinutes: number };
  readonly machines: readonly MachinePicture[];
  readonly services: readonly ServicePicture[];
  readonly uptime: { readonly machines: number | null; readonly services: number | null };
  readonly backups: { readonly attempted: number; readonly succeeded: number };
  readonly figures: { readonly held: number; readonly measured: number };
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

/** One performance metric of a machine over the whole window, but for `day` and `week`. */
export interface MetricPicture {
  readonly metricName: string;
  readonly unit: string;
  readonly records: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly deviation: number | null;
  /** Means of the last 24 hours, one an hour. */
  readonly day: readonly (number | null)[];
  /** Means of the last seven days, as far apart as the picture says. */
  readonly week: readonly (number | null)[];
  /** Means by weekday, Sunday first, and hour of the day. */
  readonly heat: readonly (readonly (number | null)[])[];
}

/** A figure that is promised of a pattern, and what it is here. */
export interface FigurePicture {
  readonly metricName: string;
  readonly what: string;
  /** In the words of whoever promised it. */
  readonly promised: string;
  readonly from: 'manual' | 'design';
  readonly unit: string;
  readonly low: number;
  readonly high: number;
  readonly measured: number | null;
  /** Null where nothing was measured. */
  readonly held: boolean | null;
}

/** In minutes that were polled. */
export interface AvailabilityPicture {
  readonly polled: number;
  readonly up: number;
  readonly degraded: number;
  readonly down: number;
  /** Share of polled minutes that were up, in per cent. */
  readonly uptime: number | null;
  /** The manual's figure for an asset's own faults, in per cent. */
  readonly promised: number;
  readonly meanResponseMs: number | null;
  /** Times that it was not up, each from its first minute to its last. */
  readonly outages: number;
  /** The stretches of these, oldest first. */
  readonly incidents: readonly IncidentPicture[];
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
  /** The manual's figure for the type of machine, in per cent; null for a type that it does not know. */
  readonly promised: number | null;
  readonly runs: readonly { readonly at: number; readonly success: boolean }[];
  /** When the newest good one was. */
  readonly lastGood: number | null;
  /** From there to the window's end: what would be lost, in minutes. */
  readonly recoveryPoint: number | null;
  /** The longest time between two good ones, or from the last one to the window's end. */
  readonly worstRecoveryPoint: number | null;
}
