/**
 * The functions of the library for a database that was loaded: verify, repair, refresh, picture,
 * status, read.
 */
import type { Db } from 'mongodb';
import { openConnection } from '../connect/connect.js';
import { usageError } from '../errors.js';
import type { LoadSummary } from '../output/types.js';
import type { DatasetPicture } from '../picture/picture.js';
import { openReader, type TelemetryReader } from '../store/reads.js';
import type { VerifyReport } from '../verify/verify.js';
import { observed } from './load.js';
import {
  type DatasetOptions,
  type LoadObserver,
  type LoadOptions,
  type Observer,
  settingsOf,
} from './making.js';
import { checkOptions } from './options.js';
import { type DatabaseStatus, databaseStatus, reportDatabase } from './reading.js';
import { refreshRun } from './refresh.js';
import { verifyDatabase } from './verify.js';

/** Which database to verify; and, where it is not the dataset of its newest run, against what. */
export interface VerifyOptions extends Omit<DatasetOptions, 'shardDays' | 'batchSize'> {
  readonly uri?: string;
  readonly database?: string;
  readonly workers?: number;
  /** Id of the run to compare with. Default: the newest. */
  readonly run?: string;
}

/**
 * Compares a database, record by record, with its newest run's dataset, or with the one that the
 * options describe (then `seed` is needed). `status` is `equal` or `different`.
 * @throws SeedError where the database cannot be read, or holds no run that this version makes
 */
export async function verify(options: VerifyOptions = {}, observer: Observer = {}): Promise<VerifyReport> {
  return (await compared('verify', options, observer, false)).report;
}

export interface RepairOptions extends VerifyOptions {
  /** Lets a production database be changed. */
  readonly yes?: boolean;
}

/** What a repair has found and done. */
export interface Repaired {
  /** Of the comparison after the repair. */
  readonly report: VerifyReport;
  /** Records and assets that were put right. */
  readonly repaired: number;
}

/**
 * Compares, inserts what is missing, puts right what differs, and compares again. What is too much
 * it leaves.
 * @throws SeedError as {@link verify}, and where another loader holds the database
 */
export async function repair(options: RepairOptions = {}, observer: Observer = {}): Promise<Repaired> {
  const { report, repaired } = await compared('repair', options, observer, true);
  return { report, repaired };
}

async function compared(
  name: 'verify' | 'repair',
  options: RepairOptions,
  { onProgress, onWarning = () => undefined, signal }: Observer,
  isRepair: boolean,
) {
  const { run, ...described } = checkOptions(name, options);
  return verifyDatabase(settingsOf(described), {
    run,
    repair: isRepair,
    inform: () => undefined,
    warn: onWarning,
    ...(onProgress ? { onProgress } : {}),
    signal,
  });
}

/** Which database to refresh, and how. */
export type RefreshLoadOptions = Pick<
  LoadOptions,
  | 'uri'
  | 'database'
  | 'end'
  | 'workers'
  | 'batchSize'
  | 'rate'
  | 'writer'
  | 'writeConcern'
  | 'compressors'
  | 'retrySeconds'
> & {
  /** Days that stay at the new end. Default: all. */
  readonly keepDays?: number;
};

/** What a refresh has come to. */
export interface RefreshSummary {
  readonly status: 'up to date' | 'complete' | 'interrupted';
  readonly runId: string;
  /** Of the load; undefined where nothing was missing. */
  readonly loaded: LoadSummary | undefined;
  /** Records that `keepDays` has removed. */
  readonly removed: number;
}

/**
 * Extends the newest run up to `end`, or up to the current minute.
 * @throws SeedError where there is no run that could be extended, and as {@link load}
 */
export async function refresh(
  options: RefreshLoadOptions = {},
  observer: LoadObserver = {},
): Promise<RefreshSummary> {
  const { keepDays, ...rest } = checkOptions('refresh', options);
  checkOptions('observer', observer);
  const { onEvent = () => undefined, signal } = observer;
  const say = (level: 'info' | 'warning') => (message: string) => onEvent({ type: 'notice', level, message });
  const { status, step, summary, removed } = await refreshRun(settingsOf(rest), {
    keepDays,
    signal: signal ?? new AbortController().signal,
    inform: say('info'),
    warn: say('warning'),
    tell: (_step, run) => observed(onEvent, signal, run),
  });
  return { status, runId: step.run._id, loaded: summary, removed };
}

/** Where to read. */
export interface TargetOptions {
  readonly uri?: string;
  readonly database?: string;
}

/**
 * What a database holds, as a picture's data. @throws SeedError where it holds nothing that could
 * be shown
 */
export async function report(
  options: TargetOptions & Pick<LoadOptions, 'days' | 'start' | 'end'> = {},
  { signal }: Pick<Observer, 'signal'> = {},
): Promise<DatasetPicture> {
  return reportDatabase(settingsOf(checkOptions('report', options)), { inform: () => undefined, signal });
}

/**
 * Server, sizes, runs and counts of a database. @throws SeedError where the server cannot be
 * reached or refuses the user
 */
export async function status(
  options: TargetOptions = {},
  { signal }: Pick<Observer, 'signal'> = {},
): Promise<DatabaseStatus> {
  return databaseStatus(settingsOf(checkOptions('status', options)), { inform: () => undefined, signal });
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
  const settings = settingsOf(checkOptions('connectReader', { uri, database }));
  const { reader: db, close } = await openConnection(settings.connection);
  return { reader: await openReader(db), db, close };
}
