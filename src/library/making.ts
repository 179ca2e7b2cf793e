/**
 * The functions of the library that make a dataset: in a database, in memory, as files, as a
 * picture.
 */
import type { Document } from 'mongodb';
import type { AssetAnswer, DailyAnswer } from '../answers/daily.js';
import { configure } from '../config/configuration.js';
import type {
  ExistingData,
  ExportFormat,
  LoadSettings,
  ParquetCompression,
  Section,
  Settings,
  WindowRequest,
} from '../config/settings.js';
import { builtFrom, loadOf } from '../dataset/dataset.js';
import {
  type EncodedBatch,
  type GenerateInput,
  generateEncoded,
  generateRecords,
} from '../dataset/generate.js';
import { usageError } from '../errors.js';
import { DEFAULT_FILE } from '../fleet/default.js';
import type { FleetFile } from '../fleet/file.js';
import { fleetFileOf } from '../fleet/read.js';
import { runLoad } from '../load/load.js';
import type { LoadEvent, LoadSummary } from '../output/types.js';
import type { DatasetPicture } from '../picture/picture.js';
import type { Plan } from '../plan/plan.js';
import type { Interval } from '../time.js';
import { type Exported, exportFiles, type KnownEvent, knownAnswers, knownEvents } from './dataset.js';
import { observed } from './load.js';
import { type Checked, checkOptions } from './options.js';
import { previewDataset } from './reading.js';

// What callers of the library give, as the settings that everything else takes.

/**
 * Choices of a load that have the command line's meaning and defaults, by the names of its flags.
 */
type LoadChoices = Pick<
  LoadSettings,
  | 'seed'
  | 'layout'
  | 'availabilityScale'
  | 'environment'
  | 'workers'
  | 'batchSize'
  | 'rate'
  | 'shardDays'
  | 'writer'
> &
  Pick<LoadSettings, 'writeConcern' | 'clustered' | 'ttlDays' | 'compressors' | 'retrySeconds'> &
  WindowRequest;

/**
 * What to load and where to. Everything has the default that the command line has; no variable and
 * no file is read.
 */
export interface LoadOptions extends Partial<LoadChoices> {
  /**
   * Connection string. Without it: localhost:27017 if something answers there, else the embedded
   * server.
   */
  readonly uri?: string;
  /** Default: the connection string's database, else `pmi_infrastructure_dev`. */
  readonly database?: string;
  /**
   * Path of a fleet file, or what such a file would hold (docs/fleets.md). Default: the default
   * fleet.
   */
  readonly fleet?: string | FleetFile;
  /** Number of sites, each with all assets of the fleet. Default: 1. */
  readonly scale?: number;
  /** IANA time zone of office hours. Default: the fleet file's, or UTC. */
  readonly timezone?: string;
  /** How far apart samples are. Default: the fleet file's, or a minute. */
  readonly interval?: Interval;
  /** Most milliseconds that a sample comes after its time. Default: the fleet file's, or none. */
  readonly jitter?: number;
  /** Parts of the dataset, at least one. Default: all. */
  readonly sections?: readonly Section[];
  /** Write the collection of events as well. Default: no. */
  readonly events?: boolean;
  /** The assets and no records. */
  readonly assetsOnly?: boolean;
  /** What to do with data that is there already. Default: refuse. */
  readonly existing?: ExistingData;
  /** Lets `existing: 'clean'` remove the data of an `environment` called production. */
  readonly yes?: boolean;
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
  | 'interval'
  | 'jitter'
  | 'layout'
  | 'availabilityScale'
  | 'environment'
  | 'shardDays'
  | 'batchSize'
>;

/** The settings that checked options ask for. */
export function settingsOf({ fleet, sections, existing, ...values }: Partial<Checked<'load'>>): Settings {
  const settings = configure({
    ...values,
    ...(typeof fleet === 'string' ? { fleet } : {}),
    ...(existing === undefined ? {} : EXISTING_DATA[existing]),
    ...(sections === undefined ? {} : chosen(sections)),
  });
  if (typeof fleet !== 'object') return settings;
  const { load } = settings;
  const given = [...load.given, '--fleet'];
  return { ...settings, load: { ...load, fleet: { ...load.fleet, source: fleet }, given } };
}

const EXISTING_DATA = {
  refuse: {},
  clean: { clean: true },
  keep: { skipCleanup: true },
  resume: { resume: true },
} as const;

function chosen(sections: readonly Section[]) {
  return {
    ...(sections.includes('metrics') ? { metricsOnly: true } : {}),
    ...(sections.includes('polling') ? { pollingOnly: true } : {}),
    ...(sections.includes('backup') ? { backupOnly: true } : {}),
  };
}

export interface LoadObserver {
  /**
   * Told what happens while it happens: connection, plan, progress about five times a second,
   * warnings. Where it throws, the load stops in an orderly way and rejects with what was thrown.
   */
  readonly onEvent?: (event: LoadEvent) => void;
  /**
   * Asks for an orderly stop: batches in flight are finished, and the summary's status is
   * `interrupted`.
   */
  readonly signal?: AbortSignal;
}

/**
 * Loads a dataset with worker threads, goes on with an interrupted run, or finds that there is
 * nothing to do: the summary's `status` says which. Its counts are of records that are durably
 * stored.
 * @throws SeedError for every failure that a user can do something about: `exitStatus` tells the
 *   kinds apart; 2 is for an option that there is not, or that cannot be used
 */
export async function load(options: LoadOptions = {}, observer: LoadObserver = {}): Promise<LoadSummary> {
  const settings = settingsOf(checkOptions('load', options));
  checkOptions('observer', observer);
  const { onEvent = () => undefined, signal } = observer;
  return observed(onEvent, signal, (reporter, interrupt) => runLoad(settings, reporter, interrupt));
}

/**
 * What a load of this dataset would write: its shards and exact numbers of records.
 * @throws SeedError for an option that is not known or cannot be used
 */
export function plan(options: DatasetOptions = {}): Plan {
  return inputOf('plan', options).plan;
}

/**
 * The documents that a load of this dataset would write into `metrics`, without a server: asset by
 * asset, each series in time order. Made while they are asked for, in the calling thread; without a
 * `seed` one is drawn.
 * @throws SeedError for an option that is not known or cannot be used
 */
export function generate(options: DatasetOptions = {}): AsyncGenerator<Document, void, undefined> {
  return generateRecords(inputOf('generate', options));
}

/**
 * The same as batches of encoded BSON documents, some thirty times as fast. @throws SeedError as
 * {@link generate}
 */
export function generateBatches(options: DatasetOptions = {}): AsyncGenerator<EncodedBatch, void, undefined> {
  return generateEncoded(inputOf('generateBatches', options));
}

/**
 * What has to be found in this dataset: each series by day of UTC, and each asset over the period
 * (docs/events.md). Made while they are asked for.
 * @throws SeedError for an option that is not known or cannot be used
 */
export function answers(options: DatasetOptions = {}): Generator<DailyAnswer | AssetAnswer> {
  return knownAnswers({ ...inputOf('answers', options), run: undefined });
}

/**
 * What is true about this dataset besides its records: outages with their causes, failed backups,
 * disturbances. @throws SeedError as {@link answers}
 */
export function events(options: DatasetOptions = {}): Generator<KnownEvent> {
  return knownEvents({ ...inputOf('events', options), run: undefined });
}

type Made = 'plan' | 'generate' | 'generateBatches' | 'answers' | 'events';

function inputOf(name: Made, options: DatasetOptions): GenerateInput {
  const { load } = settingsOf(checkOptions(name, options));
  const { source } = load.fleet;
  const fleet = builtFrom(source === undefined ? DEFAULT_FILE : fleetFileOf(source), load.fleet);
  return { ...loadOf(fleet, load, new Date()), batchSize: load.batchSize };
}

/** Told how far something is, and what stops it. */
export interface Observer {
  /** Records done so far, of those planned. */
  readonly onProgress?: (done: number, planned: number) => void;
  /** Warnings. */
  readonly onWarning?: (message: string) => void;
  readonly signal?: AbortSignal;
}

/** Which dataset to export, and how. */
export interface ExportOptions extends DatasetOptions {
  /** The folder to make. */
  readonly out: string;
  /** Default: bson, for mongorestore. */
  readonly format?: ExportFormat;
  readonly gzip?: boolean;
  /** Parquet: how columns are compressed. Default: snappy. */
  readonly compression?: ParquetCompression;
  /** Parquet: all records in one file instead of one an asset and shard. */
  readonly oneFile?: boolean;
  /** What happened when, as one more table. */
  readonly events?: boolean;
  /** Replace what is there. */
  readonly clean?: boolean;
  /** Name of the database that the files restore into. */
  readonly database?: string;
  readonly workers?: number;
}

/**
 * Writes a dataset as files, without a server. The folder appears when everything is in it.
 * @throws SeedError where the folder is in use, or cannot be written
 */
export async function exportDataset(options: ExportOptions, observer: Observer = {}): Promise<Exported> {
  const checked = checkOptions('exportDataset', options);
  const { out, format = 'bson', gzip = false, compression, oneFile, events, clean, ...described } = checked;
  if (out === undefined) throw usageError('out: must be the path of a folder');
  const { onProgress = () => undefined, signal = new AbortController().signal } = observer;
  const settings = settingsOf({ ...described, ...(clean ? { existing: 'clean' } : {}) });
  const exported = await exportFiles(settings, {
    format,
    gzip,
    compression,
    oneFile,
    events,
    out,
    signal,
    onProgress,
  });
  const { status, records, files, bytes, elapsedMs } = exported;
  return { status, records, files, bytes, elapsedMs };
}

/**
 * What a load of this dataset would put into a database, as a picture's data. @throws SeedError as
 * {@link plan}
 */
export async function preview(
  options: Omit<DatasetOptions, 'shardDays' | 'batchSize'> = {},
): Promise<DatasetPicture> {
  return previewDataset(settingsOf(checkOptions('preview', options)));
}
