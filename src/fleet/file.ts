/**
 * A fleet as a person writes it, in a YAML or JSON file: the machines, each with its services, and
 * the backup jobs.
 */

import type { Interval } from '../time.js';
import type {
  AssetData,
  BackupSchedule,
  Disturbance,
  ExtraMetric,
  Intervals,
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
  /** Of its samples. Default: the machine's. */
  readonly interval?: Interval;
  /** Of its two metrics, where one has another. */
  readonly intervals?: Intervals;
  readonly parameters?: PollingParametersEntry;
  /** Further fields of the document's `data`. */
  readonly data?: AssetData;
}

export interface MachineEntry {
  readonly id: string;
  readonly type: MachineType;
  readonly hostname: string;
  readonly pattern: PatternName;
  /** Of its samples. Default: the fleet's. */
  readonly interval?: Interval;
  /** Of single metrics of the five that every machine has. */
  readonly intervals?: Intervals;
  /** A date or a whole minute with its zone: it is there from then on. */
  readonly from?: string;
  /** It is not there any more. */
  readonly until?: string;
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

/** Fields as docs/fleets.md describes them. */
export interface DisturbanceEntry {
  readonly kind: Disturbance['kind'];
  /** Ids of machines and services; undefined: all. */
  readonly assets?: readonly string[];
  readonly metrics?: readonly string[];
  /** A date or a whole minute with its zone. */
  readonly start?: string;
  readonly end?: string;
  readonly minutes?: number;
  readonly per_day?: number;
  readonly by?: number;
  readonly delay_minutes?: number;
}

export interface FleetFile {
  /** IANA time zone in which the fleet has its office hours; UTC unless it is given. */
  readonly timezone?: string;
  /** How far apart samples are; a minute unless it is given. */
  readonly interval?: Interval;
  /** Most milliseconds that a sample comes late; none unless it is given. */
  readonly jitter_ms?: number;
  readonly machines: readonly MachineEntry[];
  readonly jobs?: readonly JobEntry[];
  readonly disturbances?: readonly DisturbanceEntry[];
}

/** Everything that makes a fleet. */
export interface FleetDefinition {
  readonly file: FleetFile;
  /** How many sites have these assets; 1 is the fleet itself, without a site in its names. */
  readonly scale: number;
  /** IANA time zone. */
  readonly timezone: string;
  /** Of assets that have none of their own; undefined: {@link DEFAULT_INTERVAL}. */
  readonly interval?: Interval;
  /** Most milliseconds that a sample comes after its time; undefined: none. */
  readonly jitterMs?: number;
}

// Tells fleets apart: a stored run can only be resumed or verified with the fleet it was made with.
