/** A dataset as files, without a server. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import * as zlib from 'node:zlib';
import type { ExportFormat, ParquetCompression, Settings } from '../config/settings.js';
import { type Dataset, requestedLoad } from '../dataset/dataset.js';
import { usageError } from '../errors.js';
import { type Exported, exportDataset as exportPlanned, streamRecords } from '../export/export.js';
import { instantOf } from '../plan/plan.js';

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
  const exported = await exportPlanned({
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
  return streamRecords({
    ...requested,
    ...how,
    compression: 'none',
    batchSize: load.batchSize,
    workers: load.workers ?? availableParallelism(),
    interrupt: signal,
  });
}
