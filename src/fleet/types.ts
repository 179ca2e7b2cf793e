/** The assets of an infrastructure: machines, the services that run on them, and backup jobs. */

export const MACHINE_TYPES = ['proxmox_node', 'vm', 'container', 'physical_host'] as const;
export type MachineType = (typeof MACHINE_TYPES)[number];
export type AssetType = MachineType | 'service' | 'acronis_backup_job';

/** The load patterns of the manual's chapter "Pattern di Performance", and `email_server_pattern` of the mail server. */
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

/** What an asset document's `data` may hold. */
export type AssetData = { readonly [field: string]: string | number | boolean | readonly string[] };

export interface Machine {
  readonly assetId: string;
  readonly assetType: MachineType;
  readonly hostname: string;
  readonly pattern: PatternName;
  /** The document's `data`, field for field (status, cpu_cores, memory_gb, …). */
  readonly data: AssetData;
}

/** A daily window in which a service is down on purpose, in minutes of the local day; `from` > `to` crosses midnight. */
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
  readonly data: AssetData;
}

export type BackupSchedule = 'daily_2am' | 'weekly_sunday_1am';

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
}
