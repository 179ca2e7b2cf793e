/**
 * The one typed object that every option, variable and default ends in. Validated before anything
 * else happens.
 */
import type { FleetFile } from '../fleet/file.js';
import type { Interval } from '../time.js';

export const SECTIONS = ['metrics', 'polling', 'backup'] as const;
/** A part of the dataset: performance metrics, polling history, backup history. */
export type Section = (typeof SECTIONS)[number];

export const LAYOUTS = ['flat', 'timeseries'] as const;
export type Layout = (typeof LAYOUTS)[number];

export const AVAILABILITY_SCALES = ['percent', 'unit'] as const;
/** `percent`: 100 / 50 / 0; `unit`: 1 / 0.5 / 0. */
export type AvailabilityScale = (typeof AVAILABILITY_SCALES)[number];

/**
 * How records are written: as compressed buckets, or as documents in one of two ways; `none` writes
 * nothing.
 */
const WRITER_KINDS = ['buckets', 'sequence', 'bulkwrite', 'none'] as const;
export type WriterKind = (typeof WRITER_KINDS)[number];

export const WRITERS = ['auto', ...WRITER_KINDS] as const;
/**
 * How batches reach the server: the driver's document sequence, its public bulkWrite, or nowhere
 * (to measure).
 */
export type WriterName = (typeof WRITERS)[number];

export const COMPRESSORS = ['zlib', 'zstd', 'snappy'] as const;

export const LOG_LEVELS = ['debug', 'info', 'warning', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What matters until the server has been reached for the first time. */
export interface OpeningSettings {
  /** How long to wait for a server that is still starting, in milliseconds; 0: not at all. */
  readonly waitMs: number;
  /** True where the user chose how long to look for a server: nobody gives up earlier. */
  readonly patient: boolean;
  /**
   * True where the connection string itself holds the password, and its special characters may lack
   * their encoding.
   */
  readonly passwordInUri: boolean;
  /** For people: variables that are left out, and why. */
  readonly notices: readonly string[];
}

/** Where the server is and how to speak to it. Serialisable: workers receive it as it is. */
export interface ConnectionSettings {
  /**
   * `named`: the user gave a URI or a host; `default`: nothing was configured, so localhost and
   * then the embedded server are tried.
   */
  readonly origin: 'named' | 'default';
  /**
   * Complete connection string, possibly with credentials: never print it, print `maskUri(uri)`.
   */
  readonly uri: string;
  readonly database: string;
  /**
   * Driver options that a connection string cannot carry well (TLS files, pool sizes, time-outs),
   * by the driver's own names.
   */
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Absent where the server has been reached before. */
  readonly opening?: OpeningSettings;
}

/** What to do with a target that already holds data. */
export type ExistingData = 'refuse' | 'clean' | 'keep' | 'resume';

/**
 * The period asked for; the plan turns it into whole minutes. `end`, `start` are instants, `days` a
 * count of whole days.
 */
export interface WindowRequest {
  readonly days: number;
  readonly start?: Date;
  readonly end?: Date;
}

/** One of several loaders of a run, counted from 1. */
export interface Part {
  readonly number: number;
  readonly of: number;
}

/** The fleet asked for. */
export interface FleetRequest {
  /** Path of a fleet file, or what such a file would hold; undefined: the default fleet. */
  readonly source: string | FleetFile | undefined;
  /** Number of sites. */
  readonly scale: number;
  /** IANA name; undefined: the file's. */
  readonly timezone: string | undefined;
  /** How far apart samples are; undefined: the file's. */
  readonly interval: Interval | undefined;
  /** Most milliseconds that a sample comes after its time; undefined: the file's. */
  readonly jitterMs: number | undefined;
}

export interface LoadSettings {
  readonly fleet: FleetRequest;
  readonly window: WindowRequest;
  /** Undefined: one is drawn. */
  readonly seed: number | undefined;
  /** Empty with `--assets-only`. */
  readonly sections: readonly Section[];
  readonly layout: Layout;
  readonly availabilityScale: AvailabilityScale;
  readonly environment: string;
  /** Write the collection of events as well. */
  readonly events: boolean;
  readonly existing: ExistingData;
  /** Undefined: this loader loads the whole run. */
  readonly part: Part | undefined;
  /** Shard `metrics` over a cluster first. */
  readonly shard: boolean;
  /** Undefined: by the machine's cores. */
  readonly workers: number | undefined;
  readonly batchSize: number;
  /** Records a second at most; undefined: as fast as it goes. */
  readonly rate: number | undefined;
  /** Undefined: the default of the plan. */
  readonly shardDays: number | undefined;
  readonly writer: WriterName;
  /** 'majority' or a number of members, as MongoDB's `w`; undefined: the server's default. */
  readonly writeConcern: string | number | undefined;
  readonly clustered: boolean;
  readonly ttlDays: number | undefined;
  readonly compressors: readonly string[];
  /** How long to go on trying when the server goes away during a load. */
  readonly retrySeconds: number;
  /** Id of the run that this load extends; undefined but for `refresh`. */
  readonly extending: string | undefined;
  /** True where `--yes` was given. */
  readonly confirmed: boolean;
  readonly dryRun: boolean;
  /**
   * Names (flag spelling) of the settings the user gave explicitly: `--resume` refuses those that
   * contradict the stored run.
   */
  readonly given: readonly string[];
}

export interface OutputSettings {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly logLevel: LogLevel;
  /** Undefined: `logs/seed_database_YYYYMMDD_HHMMSS.log`. */
  readonly logFile: string | undefined;
}

export interface Settings {
  readonly connection: ConnectionSettings;
  readonly load: LoadSettings;
  readonly output: OutputSettings;
}

/** Tables of `answers`. */
export const ANSWER_TABLES = ['daily', 'assets', 'events'] as const;

export const EXPORT_FORMATS = ['bson', 'ndjson', 'csv', 'parquet'] as const;

/** How Parquet compresses its columns. */
export const PARQUET_COMPRESSIONS = ['snappy', 'gzip', 'zstd', 'none'] as const;
export type ParquetCompression = (typeof PARQUET_COMPRESSIONS)[number];

export type ExportFormat = (typeof EXPORT_FORMATS)[number];
