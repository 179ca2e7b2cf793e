/**
 * The package as a library: load a dataset, plan one, and read what was loaded.
 *
 * ```ts
 * import { connectReader, load } from 'seed-database';
 *
 * const uri = 'mongodb://localhost:27017/telemetry';
 * await load({ uri, days: 7, seed: 42, existing: 'clean' });
 * const { reader, close } = await connectReader(uri);
 * console.log(await reader.latest('vm-101'));
 * await close();
 * ```
 */
import './library/require-node.js';
import { availableParallelism } from 'node:os';
import type { Db, Document } from 'mongodb';
import type { SettingName } from './config/catalog.js';
import { readConfiguration } from './config/configuration.js';
import type { ExistingData, LoadSettings, Section, Settings, WindowRequest } from './config/settings.js';
import { openConnection, withLongReads } from './connect/connect.js';
import { explainFailure } from './connect/retry.js';
import { openTarget } from './connect/target.js';
import { builtFrom, requestedDataset } from './dataset/dataset.js';
import {
  type EncodedBatch,
  type GenerateInput,
  generateEncoded,
  generateRecords,
} from './dataset/generate.js';
import { usageError } from './errors.js';
import { DEFAULT_FILE } from './fleet/default.js';
import type { FleetFile } from './fleet/file.js';
import { fleetFileOf } from './fleet/read.js';
import { observed } from './library/load.js';
import { checkOptions, inOptionNames } from './library/options.js';
import { runLoad } from './load/load.js';
import type { LoadEvent, LoadSummary } from './output/types.js';
import { DEFAULT_SHARD_DAYS, type Plan, planLoad } from './plan/plan.js';
import { openReader, type TelemetryReader } from './store/reads.js';
import { selectDataset } from './verify/select.js';
import { type VerifyReport, verifyDataset } from './verify/verify.js';

export {
  type AvailabilityScale,
  type ExistingData,
  LAYOUTS,
  type Layout,
  SECTIONS,
  type Section,
  type WriterName,
} from './config/settings.js';
export type { EncodedBatch } from './dataset/generate.js';
export { ExitStatus, SeedError } from './errors.js';
export { DEFAULT_FLEET } from './fleet/default.js';
export type { FleetFile, JobEntry, MachineEntry, MetricEntry, ServiceEntry } from './fleet/file.js';
export type { Asset, AssetData, AssetType, BackupJob, Fleet, Machine, Service } from './fleet/types.js';
export { planLoad } from './library/options.js';
export type { LoadEvent, LoadSummary } from './output/types.js';
export {
  DEFAULT_SHARD_DAYS,
  instantOf,
  minuteOf,
  type Plan,
  type Shard,
  type Window,
} from './plan/plan.js';
export {
  openReader,
  type RecordQuery,
  type StoredAsset,
  type StoredRecord,
  TelemetryReader,
} from './store/reads.js';
export type { VerifyReport } from './verify/verify.js';
export { VERSION } from './version.js';

/** Choices of a load that have the command line's meaning and defaults, by the names of its flags. */
type LoadChoices = Pick<
  LoadSettings,
  'seed' | 'layout' | 'availabilityScale' | 'environment' | 'workers' | 'batchSize' | 'shardDays' | 'writer'
> &
  Pick<LoadSettings, 'writeConcern' | 'clustered' | 'ttlDays' | 'compressors' | 'retrySeconds'> &
  WindowRequest;

/** What to load and where to. Everything has the default that the command line has; no variable and no file is read. */
export interface LoadOptions extends Partial<LoadChoices> {
  /** Connection string. Without it: localhost:27017 if something answers there, else the embedded server. */
  readonly uri?: string;
  /** Default: the connection string's database, else `pmi_infrastructure_dev`. */
  readonly database?: string;
  /** Path of a fleet file, or what such a file would hold (docs/fleets.md). Default: the default fleet. */
  readonly fleet?: string | FleetFile;
  /** Number of sites, each with all assets of the fleet. Default: 1. */
  readonly scale?: number;
  /** IANA time zone of office hours. Default: the fleet file's, or UTC. */
  readonly timezone?: string;
  /** Parts of the dataset, at least one. Default: all. */
  readonly sections?: readonly Section[];
  /** The assets and no records. */
  readonly assetsOnly?: boolean;
  /** What to do with data that is there already. Default: refuse. */
  readonly existing?: ExistingData;
  /** Lets `existing: 'clean'` remove the data of an `environment` called production. */
  readonly yes?: boolean;
}

export interface LoadObserver {
  /**
   * Told what happens while it happens: connection, plan, progress about five times a second, warnings. Where it throws, the load
   * stops in an orderly way and rejects with what was thrown.
   */
  readonly onEvent?: (event: LoadEvent) => void;
  /** Asks for an orderly stop: batches in flight are finished, and the summary's status is `interrupted`. */
  readonly signal?: AbortSignal;
}

/**
 * Loads a dataset with worker threads, goes on with an interrupted run, or finds that there is nothing to do: the
 * summary's `status` says which. Its counts are of records that are durably stored.
 * @throws SeedError for every failure that a user can do something about: `exitStatus` tells the kinds apart; 2 is for an option
 * that there is not, or that cannot be used
 */
export async function load(options: LoadOptions = {}, observer: LoadObserver = {}): Promise<LoadSummary> {
  checkOptions('load', options);
  checkOptions('observer', observer);
  const settings = settingsOf(options);
  const { onEvent = () => undefined, signal } = observer;
  return observed(onEvent, signal, (reporter, interrupt) => runLoad(settings, reporter, interrupt));
}

/** What makes a dataset, whether it is loaded or not. */
export type DatasetOptions = Pick<
  LoadOptions,
  | 'seed'
  | 'days'
  | 'start'
  | 'end'
  | 'sections'
  | 'assetsOnly'
  | 'fleet'
  | 'scale'
  | 'timezone'
  | 'layout'
  | 'availabilityScale'
  | 'environment'
  | 'shardDays'
  | 'batchSize'
>;

/**
 * What a load of this dataset would write: its shards and exact numbers of records.
 * @throws SeedError for an option that is not known or cannot be used
 */
export function plan(options: DatasetOptions = {}): Plan {
  return inputOf('plan', options).plan;
}

/**
 * The documents that a load of this dataset would write into `metrics`, without a server: asset by asset, each series in
 * time order. Made while they are asked for, in the calling thread; without a `seed` one is drawn.
 * @throws SeedError for an option that is not known or cannot be used
 */
export function generate(options: DatasetOptions = {}): AsyncGenerator<Document, void, undefined> {
  return generateRecords(inputOf('generate', options));
}

/** The same as batches of encoded BSON documents, some thirty times as fast. @throws SeedError as {@link generate} */
export function generateBatches(options: DatasetOptions = {}): AsyncGenerator<EncodedBatch, void, undefined> {
  return generateEncoded(inputOf('generateBatches', options));
}

function inputOf(name: 'plan' | 'generate' | 'generateBatches', options: DatasetOptions): GenerateInput {
  checkOptions(name, options);
  const { load } = settingsOf(options);
  const { source } = load.fleet;
  const fleet = builtFrom(source === undefined ? DEFAULT_FILE : fleetFileOf(source), load.fleet);
  const dataset = requestedDataset(load, new Date());
  const shardDays = load.shardDays ?? DEFAULT_SHARD_DAYS;
  return {
    fleet,
    dataset,
    plan: planLoad(fleet, dataset.window, dataset.sections, shardDays),
    batchSize: load.batchSize,
  };
}

/** Which database to verify; and, where it is not the dataset of its newest run, against what. */
export interface VerifyOptions extends Omit<DatasetOptions, 'shardDays' | 'batchSize'> {
  readonly uri?: string;
  readonly database?: string;
  readonly workers?: number;
}

/**
 * Compares a database, record by record, with its newest run's dataset, or with the one that the options describe (then
 * `seed` is needed). `status` is `equal` or `different`.
 * @throws SeedError where the database cannot be read, or holds no run that this version makes
 */
export async function verify(options: VerifyOptions = {}): Promise<VerifyReport> {
  checkOptions('verify', options);
  const settings = settingsOf(options);
  const connection = withLongReads(settings.connection);
  const target = await openTarget(connection, () => undefined);
  try {
    const { dataset, fleet, others } = await selectDataset(target, settings, undefined);
    return await verifyDataset({
      target,
      connection: settings.connection,
      fleet,
      dataset,
      others,
      workers: settings.load.workers ?? availableParallelism(),
      retryMs: settings.load.retrySeconds * 1000,
      onProgress: () => undefined,
    });
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

/** A reader with a connection of its own. */
export interface ConnectedReader {
  readonly reader: TelemetryReader;
  readonly db: Db;
  /** Ends the connection. */
  close(): Promise<void>;
}

/**
 * Connects to a database that was loaded, in whichever layout, to read from it.
 * @param database default: the connection string's, else `pmi_infrastructure_dev`
 * @throws SeedError where the server cannot be reached or refuses the user
 */
export async function connectReader(uri: string, database?: string): Promise<ConnectedReader> {
  if (typeof uri !== 'string') throw usageError('uri: must be a connection string');
  checkOptions('verify', { database });
  const settings = settingsOf({ uri, database });
  const { reader: db, close } = await openConnection(settings.connection);
  return { reader: await openReader(db), db, close };
}

const SECTION_FLAGS = { metrics: 'metricsOnly', polling: 'pollingOnly', backup: 'backupOnly' } as const;
const EXISTING_FLAGS = { refuse: undefined, clean: 'clean', keep: 'skipCleanup', resume: 'resume' } as const;

function settingsOf({ fleet, ...options }: LoadOptions): Settings {
  const settings = configured(flagsOf(options));
  if (fleet === undefined) return settings;
  const { load } = settings;
  const given = [...load.given, '--fleet'];
  return { ...settings, load: { ...load, fleet: { ...load.fleet, source: fleet }, given } };
}

function configured(flags: Flags): Settings {
  try {
    return readConfiguration({ flags, environment: {} }).settings;
  } catch (error) {
    throw inOptionNames(error);
  }
}

type Flags = Partial<Record<SettingName, string>>;

/** Checked options as the texts of flags, so that their values are judged by the one validation there is. */
function flagsOf({ sections = [], existing = 'refuse', ...values }: Omit<LoadOptions, 'fleet'>): Flags {
  const flags: Flags = {};
  const chosen = [EXISTING_FLAGS[existing], ...sections.map((section) => SECTION_FLAGS[section])];
  for (const flag of chosen) if (flag) flags[flag] = 'true';
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) flags[name as SettingName] = textOf(value);
  }
  return flags;
}

function textOf(value: string | number | boolean | Date | readonly string[]): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? value.join(',') : String(value);
}
