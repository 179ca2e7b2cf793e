/** What a picture is made from: the same of the model and of a database. */
import { DEFAULT_FILE } from '../fleet/default.js';
import type { Fleet, PatternName } from '../fleet/types.js';
import type { Buckets } from './buckets.js';
import type { IncidentPicture, PictureSource } from './picture.js';

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
