/** A fleet as a person writes it, in a YAML or JSON file: the machines, each with its services, and the backup jobs. */

import { createHash } from 'node:crypto';
import { buildFleet, DEFAULT_TIMEZONE } from './build.js';
import type {
  AssetData,
  BackupSchedule,
  ExtraMetric,
  Fleet,
  MachineType,
  MetricChange,
  PatternName,
} from './types.js';

export interface PollingParametersEntry {
  readonly uptime?: number;
  readonly response_time_ms?: number;
}

export interface MachineParametersEntry extends PollingParametersEntry {
  readonly cpu?: MetricChange;
  readonly memory?: MetricChange;
  readonly io?: MetricChange;
  readonly bursts?: number;
  readonly backup_success?: number;
}

/** A metric is written as it is. */
export type MetricEntry = ExtraMetric;

export interface ServiceEntry {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly port: number;
  /** `HH:MM-HH:MM`, local time; may cross midnight. */
  readonly planned_downtime?: string;
  readonly degrades_with_memory?: boolean;
  readonly parameters?: PollingParametersEntry;
  /** Further fields of the document's `data`. */
  readonly data?: AssetData;
}

export interface MachineEntry {
  readonly id: string;
  readonly type: MachineType;
  readonly hostname: string;
  readonly pattern: PatternName;
  readonly parameters?: MachineParametersEntry;
  readonly metrics?: readonly MetricEntry[];
  readonly data?: AssetData;
  readonly services?: readonly ServiceEntry[];
}

export interface JobEntry {
  readonly id: string;
  readonly name: string;
  readonly schedule: BackupSchedule;
  readonly type: string;
  readonly retention_days: number;
  /** Ids of machines. */
  readonly targets: readonly string[];
  readonly data?: AssetData;
}

export interface FleetFile {
  /** IANA time zone in which the fleet has its office hours; UTC unless it is given. */
  readonly timezone?: string;
  readonly machines: readonly MachineEntry[];
  readonly jobs?: readonly JobEntry[];
}

/** Everything that makes a fleet. */
export interface FleetDefinition {
  readonly file: FleetFile;
  /** How many sites have these assets; 1 is the fleet itself, without a site in its names. */
  readonly scale: number;
  /** IANA time zone. */
  readonly timezone: string;
}

// Tells fleets apart: a stored run can only be resumed or verified with the fleet it was made with.

/**
 * SHA-256 of everything that makes the fleet's records and assets, as 16 hexadecimal digits. Equal for equal fleets in whatever order
 * their fields are. A fleet of many sites is known by one of them and their number.
 */
export function fleetFingerprint(fleet: Fleet): string {
  const { definition } = fleet;
  const { scale, timezone } = definition;
  const { machines, services, jobs } = scale === 1 ? fleet : buildFleet({ ...definition, scale: 1 });
  const beyond = scale === 1 && timezone === DEFAULT_TIMEZONE ? [] : [{ scale, timezone }];
  const text = JSON.stringify([machines, services, jobs, ...beyond], (_key, value: unknown) =>
    sortFields(value),
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function sortFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
