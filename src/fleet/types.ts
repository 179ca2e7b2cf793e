/** The assets of an infrastructure: machines, the services that run on them, and backup jobs. */
import type { Interval } from '../time.js';
import type { FleetDefinition } from './file.js';

export const MACHINE_TYPES = ['proxmox_node', 'vm', 'container', 'physical_host'] as const;
export type MachineType = (typeof MACHINE_TYPES)[number];
export type AssetType = MachineType | 'service' | 'acronis_backup_job';

/**
 * The load patterns of the manual's chapter "Pattern di Performance", and `email_server_pattern` of
 * the mail server.
 */
export const PATTERN_NAMES = [
  'stable_with_io_spikes',
  'cpu_spikes_business_hours',
  'high_load_business_hours',
  'memory_leak_pattern',
  'volatile_load',
  'stable_low_load',
  'io_wait_nights',
  'development_pattern',
  'email_server_pattern',
] as const;
export type PatternName = (typeof PATTERN_NAMES)[number];

/** What a metric of a machine's own may follow, between the two ends of its range. */
export const METRIC_PATTERN_NAMES = [
  'follows_cpu',
  'follows_memory',
  'follows_io',
  'business_hours',
  'nights',
  'fills_weekly',
  'steady',
] as const;
export type MetricPatternName = (typeof METRIC_PATTERN_NAMES)[number];

/** Metrics that machines and services have of themselves, one record an interval. */
export const SERIES_NAMES = [
  'cpu_usage',
  'memory_usage',
  'io_wait',
  'availability_status',
  'response_time_ms',
] as const;

/** By metric. */
export type Intervals = Readonly<Partial<Record<(typeof SERIES_NAMES)[number], Interval>>>;

/** What goes wrong with measuring; docs/fleets.md says what each means. */
export const DISTURBANCE_KINDS = [
  'gap',
  'flatline',
  'spike',
  'drift',
  'level_shift',
  'late',
  'duplicate',
] as const;

/** One of an asset's. */
export interface Disturbance {
  readonly kind: (typeof DISTURBANCE_KINDS)[number];
  /** Undefined: all that the kind is usual for. */
  readonly metrics?: readonly string[];
  /** Minutes since the epoch, half open (endless: up to the largest number), or so many a day. */
  readonly when:
    | { readonly start: number; readonly end: number }
    | { readonly perDay: number; readonly minutes: number };
  /** In the unit of the metric. */
  readonly by?: number;
  readonly delayMinutes?: number;
  /** Among the fleet's: tells its random numbers from others'. */
  readonly place: number;
}

/** What an asset document's `data` may hold. */
export type AssetData = { readonly [field: string]: string | number | boolean | readonly string[] };

/**
 * How a machine departs from its pattern in one metric: `offset + scale × pattern`, with
 * `variation` times the pattern's noise.
 */
export interface MetricChange {
  readonly scale?: number;
  /** In points of per cent. */
  readonly offset?: number;
  readonly variation?: number;
}

/** How an asset departs from what its type would do. */
export interface PollingParameters {
  /** Per cent of the time without faults of its own, in the long run. */
  readonly uptime?: number;
  /** Response time when idle, in milliseconds. */
  readonly responseTimeMs?: number;
}

/** How a machine departs from its pattern and type. */
export interface MachineParameters extends PollingParameters {
  readonly cpu?: MetricChange;
  readonly memory?: MetricChange;
  readonly io?: MetricChange;
  /** Times as many bursts a day. */
  readonly bursts?: number;
  /** Per cent of backups that succeed, in the long run and on the whole. */
  readonly backupSuccess?: number;
}

/** A metric beside CPU, memory and I/O. */
export interface ExtraMetric {
  readonly name: string;
  readonly unit: string;
  /** Least and most, in the unit. */
  readonly range: readonly [min: number, max: number];
  readonly pattern: MetricPatternName;
  /** Default: the machine's. */
  readonly interval?: Interval;
}

export interface Machine {
  readonly assetId: string;
  readonly assetType: MachineType;
  readonly hostname: string;
  readonly pattern: PatternName;
  readonly parameters?: MachineParameters;
  /** Of its samples; undefined: {@link DEFAULT_INTERVAL}. */
  readonly interval?: Interval;
  /** Of single metrics of {@link SERIES_NAMES}, where they have others. */
  readonly intervals?: Intervals;
  /** Minutes since the epoch: it has records from then on, and none any more; undefined: always. */
  readonly from?: number;
  readonly until?: number;
  readonly disturbances?: readonly Disturbance[];
  readonly metrics?: readonly ExtraMetric[];
  /** The document's `data`, field for field (status, cpu_cores, memory_gb, …). */
  readonly data: AssetData;
}

/**
 * A daily window in which a service is down on purpose, in minutes of the local day; `from` > `to`
 * crosses midnight.
 */
export interface DowntimeWindow {
  readonly from: number;
  readonly to: number;
}

export interface Service {
  readonly assetId: string;
  readonly assetType: 'service';
  readonly serviceName: string;
  /** `assetId` of the machine it runs on. */
  readonly hostId: string;
  readonly plannedDowntime?: DowntimeWindow;
  /** Degrades (50) while its host's memory is under pressure, as a leaking Java process does. */
  readonly degradesWithMemory?: boolean;
  /** Of its samples; undefined: {@link DEFAULT_INTERVAL}. */
  readonly interval?: Interval;
  /** Of single metrics, where they have others. */
  readonly intervals?: Intervals;
  /** As its machine is there. */
  readonly from?: number;
  readonly until?: number;
  readonly disturbances?: readonly Disturbance[];
  readonly parameters?: PollingParameters;
  readonly data: AssetData;
}

export const BACKUP_SCHEDULES = ['daily_2am', 'weekly_sunday_1am'] as const;
export type BackupSchedule = (typeof BACKUP_SCHEDULES)[number];

export interface BackupJob {
  readonly assetId: string;
  readonly assetType: 'acronis_backup_job';
  readonly schedule: BackupSchedule;
  readonly targets: readonly string[];
  readonly data: AssetData;
}

export type Asset = Machine | Service | BackupJob;

export interface Fleet {
  readonly machines: readonly Machine[];
  readonly services: readonly Service[];
  readonly jobs: readonly BackupJob[];
  /** What it was built from: small, whatever its scale. */
  readonly definition: FleetDefinition;
}
