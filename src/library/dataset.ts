/** A dataset without loading it: as files, and what is known of it beforehand. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import * as zlib from 'node:zlib';
import { type AssetAnswer, answersOf, type DailyAnswer } from '../answers/daily.js';
import type { ExportFormat, ParquetCompression, Settings } from '../config/settings.js';
import { withLongReads } from '../connect/connect.js';
import { type Dataset, requestedLoad } from '../dataset/dataset.js';
import { usageError } from '../errors.js';
import type { Exported } from '../export/export.js';
import type { Fleet } from '../fleet/types.js';
import { allEvents, type TrueEvent } from '../model/events.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import { instantOf } from '../plan/plan.js';
import { DESCRIBING, selectDataset } from '../verify/select.js';
import { type Reading, withTarget } from './reading.js';

// The dataset as files.

export interface Exporting {
  readonly format: ExportFormat;
  readonly gzip: boolean;
  readonly compression?: ParquetCompression | undefined;
  readonly oneFile?: boolean | undefined;
  readonly events?: boolean | undefined;
  /** The folder to make. */
  readonly out: string;
  readonly signal: AbortSignal;
  /** Told after each shard how many records are written. */
  readonly onProgress: (written: number, planned: number) => void;
}

export type { Exported };

export interface ExportedDataset extends Exported {
  readonly dataset: Dataset;
  readonly window: { readonly start: Date; readonly end: Date };
}

/**
 * Writes the dataset that the settings ask for. The folder appears when everything is in it.
 * @throws SeedError where the folder is in use, or cannot be written
 */
export async function exportFiles(
  { load, connection }: Settings,
  { format, gzip, compression, oneFile = false, events = false, out, signal, onProgress }: Exporting,
): Promise<ExportedDataset> {
  if (gzip && format === 'parquet') {
    throw usageError('--gzip and --format parquet exclude each other', 'use --compression gzip');
  }
  if (format !== 'parquet' && (compression || oneFile)) {
    throw usageError(`${oneFile ? '--one-file' : '--compression'} needs --format parquet`);
  }
  if (compression === 'zstd' && !('zstdCompressSync' in zlib)) {
    throw usageError(`Node ${process.version} has no zstd`, 'use Node 22.15 or newer, or --compression gzip');
  }
  const requested = await requestedLoad(load, new Date());
  const { exportDataset } = await import('../export/export.js');
  const exported = await exportDataset({
    ...requested,
    format,
    gzip,
    compression: compression ?? 'snappy',
    oneFile,
    events,
    out: resolve(out),
    clean: load.existing === 'clean',
    database: connection.database,
    clustered: load.clustered,
    batchSize: load.batchSize,
    workers: load.workers ?? availableParallelism(),
    interrupt: signal,
    onProgress,
  });
  const { dataset } = requested;
  const { start, end } = dataset.window;
  return { ...exported, dataset, window: { start: instantOf(start), end: instantOf(end) } };
}

/** Which records are streamed, and to whom. */
export interface Streaming extends Pick<Exporting, 'gzip' | 'signal' | 'onProgress'> {
  readonly format: 'ndjson' | 'csv';
  /** Resolves when the next piece may come. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
}

/** The records as one stream of lines: asset by asset, each series of a shard in time order. */
export async function streamLines({ load }: Settings, streaming: Streaming): Promise<Exported> {
  const requested = await requestedLoad(load, new Date());
  const { signal, ...how } = streaming;
  const { streamRecords } = await import('../export/export.js');
  return streamRecords({
    ...requested,
    ...how,
    compression: 'none',
    batchSize: load.batchSize,
    workers: load.workers ?? availableParallelism(),
    interrupt: signal,
  });
}

// What is known of a dataset beforehand, by options or of the newest run.

/** Something that is true about a dataset beside its records; see {@link TrueEvent}. */
export type KnownEvent = Omit<TrueEvent, 'start' | 'end'> & {
  readonly cause?: string;
  readonly metrics?: readonly string[];
  readonly start: Date;
  /** The first instant after it, or the end of the dataset. */
  readonly end: Date;
};

/** Whose answers are asked for. */
export interface Described {
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  /** Undefined where options describe it. */
  readonly run: string | undefined;
}

/**
 * The dataset that the settings describe, for which no server is needed, or that of a stored run.
 * @param run undefined: the newest one
 * @throws SeedError where the settings describe too little, and as `verify`
 */
export async function describedDataset(
  settings: Settings,
  run: string | undefined,
  reading: Reading,
): Promise<Described> {
  const { load } = settings;
  if (run === undefined && load.given.some((flag) => DESCRIBING.includes(flag))) {
    if (load.seed === undefined) {
      throw usageError('a dataset is described by --seed and its other options', 'add --seed');
    }
    const { fleet, dataset } = await requestedLoad(load, new Date());
    return { fleet, dataset, run: undefined };
  }
  return withTarget(withLongReads(settings.connection), reading, async (target) => {
    const selected = await selectDataset(target, settings, run);
    return { fleet: selected.fleet, dataset: selected.dataset, run: selected.run?._id };
  });
}

/** By day and asset; see {@link answersOf}. */
export function knownAnswers({ fleet, dataset }: Described): Generator<DailyAnswer | AssetAnswer> {
  return answersOf(fleet, dataset);
}

/** Asset by asset, each in the order of time. */
export function* knownEvents({ fleet, dataset }: Described): Generator<KnownEvent> {
  const model = new TelemetryModel(fleet, dataset.seed);
  for (const { start, end, ...event } of allEvents(model, dataset.window, dataset.sections)) {
    yield { ...event, start: instantOf(start), end: instantOf(end) };
  }
}
