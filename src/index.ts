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
import type { Db } from 'mongodb';
import type { SettingName } from './config/catalog.js';
import { readConfiguration } from './config/index.js';
import type { ExistingData, LoadSettings, Section, WindowRequest } from './config/settings.js';
import { runLoad } from './load/index.js';
import type { LoadEvent, LoadSummary } from './report/types.js';
import { openConnection } from './store/connect.js';
import { openReader, type TelemetryReader } from './store/reads.js';

export {
  type AvailabilityScale,
  type ExistingData,
  LAYOUTS,
  type Layout,
  SECTIONS,
  type Section,
  type WriterName,
} from './config/settings.js';
export { ExitStatus, SeedError } from './errors.js';
export { DEFAULT_FLEET } from './fleet/default.js';
export type { Asset, AssetData, AssetType, BackupJob, Fleet, Machine, Service } from './fleet/types.js';
export {
  DEFAULT_SHARD_DAYS,
  instantOf,
  minuteOf,
  type Plan,
  planLoad,
  type Shard,
  type Window,
} from './plan/index.js';
export type { LoadEvent, LoadSummary } from './report/types.js';
export {
  openReader,
  type RecordQuery,
  type StoredAsset,
  type StoredRecord,
  TelemetryReader,
} from './store/reads.js';
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
  /** Parts of the dataset; none of them loads the assets alone. Default: all. */
  readonly sections?: readonly Section[];
  /** What to do with data that is there already. Default: refuse. */
  readonly existing?: ExistingData;
  /** Lets `existing: 'clean'` remove the data of an `environment` called production. */
  readonly yes?: boolean;
}

export interface LoadObserver {
  /** Told what happens while it happens: connection, plan, progress about five times a second, warnings. */
  readonly onEvent?: (event: LoadEvent) => void;
  /** Asks for an orderly stop: batches in flight are finished, and the summary's status is `interrupted`. */
  readonly signal?: AbortSignal;
}

/**
 * Loads a dataset with worker threads, goes on with an interrupted run, or finds that there is nothing to do: the
 * summary's `status` says which. Its counts are of records that are durably stored.
 * @throws SeedError for every failure that a user can do something about: `exitStatus` tells the kinds apart
 */
export async function load(options: LoadOptions = {}, observer: LoadObserver = {}): Promise<LoadSummary> {
  const { settings } = readConfiguration({ flags: flagsOf(options), environment: {} });
  const { onEvent = () => undefined, signal = new AbortController().signal } = observer;
  const silent = { finish: () => undefined, fail: () => undefined, close: async () => undefined };
  return runLoad(settings, { on: onEvent, ...silent }, signal);
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
  const { settings } = readConfiguration({ flags: flagsOf({ uri, database }), environment: {} });
  const { db, close } = await openConnection(settings.connection);
  return { reader: await openReader(db), db, close };
}

const SECTION_FLAGS = { metrics: 'metricsOnly', polling: 'pollingOnly', backup: 'backupOnly' } as const;
const EXISTING_FLAGS = { refuse: undefined, clean: 'clean', keep: 'skipCleanup', resume: 'resume' } as const;

/** Options as the texts of flags, so that they are judged by the one validation there is. */
function flagsOf({ sections, existing = 'refuse', ...values }: LoadOptions) {
  const flags: Partial<Record<SettingName, string>> = {};
  const choose = (flag: SettingName | undefined) => {
    if (flag) flags[flag] = 'true';
  };
  choose(EXISTING_FLAGS[existing]);
  if (sections?.length === 0) choose('assetsOnly');
  for (const section of sections ?? []) choose(SECTION_FLAGS[section]);
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) flags[name as SettingName] = textOf(value);
  }
  return flags;
}

function textOf(value: string | number | boolean | Date | readonly string[]): string {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'not a date' : value.toISOString();
  return typeof value === 'object' ? value.join(',') : String(value);
}
