/** What a picture is made from: the same of the model and of a database. */
import { DEFAULT_TIMEZONE } from '../fleet/build.js';
import type { Fleet, Machine, PatternName } from '../fleet/types.js';
import type { Buckets } from './buckets.js';
import type { IncidentPicture, PictureSource } from './picture.js';

/** Machines that are drawn; of more of them nobody would see anything. */
export const MOST_MACHINES = 40;

export interface DatasetReadings {
  readonly source: PictureSource;
  /** Minutes since 1970-01-01 UTC, half open. */
  readonly window: { readonly start: number; readonly end: number };
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
  /** False where a fleet file changes its load, or when its hours are: the pattern's figures are not promised of it. */
  readonly keepsToPattern: boolean;
  readonly metrics: readonly MetricReadings[];
  readonly availability: AvailabilityReadings | undefined;
  /** Oldest first; undefined where the dataset has none. */
  readonly backups: readonly { readonly at: number; readonly success: boolean }[] | undefined;
}

/** The patterns' figures are by the hours of UTC, and of machines whose load is as their pattern says. */
export function keepsToPattern({ definition }: Fleet, { parameters = {} }: Machine): boolean {
  const { cpu, memory, io, bursts } = parameters;
  const changed = [cpu, memory, io, bursts].some((change) => change !== undefined);
  return !changed && definition.timezone === DEFAULT_TIMEZONE;
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
  readonly meanResponseMs: number | undefined;
}

/** Gathers minutes that are not "up", told oldest first, to incidents. */
export class IncidentLog {
  readonly incidents: { from: number; to: number; state: IncidentPicture['state'] }[] = [];

  add(minute: number, state: IncidentPicture['state']): void {
    const last = this.incidents[this.incidents.length - 1];
    if (last && last.state === state && last.to === minute) last.to = minute + 1;
    else this.incidents.push({ from: minute, to: minute + 1, state });
  }
}
