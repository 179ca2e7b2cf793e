/** A dataset as files, without a server. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { ExportFormat, Settings } from '../config/settings.js';
import { type Dataset, requestedLoad } from '../dataset/dataset.js';
import { usageError } from '../errors.js';
import { type Exported, exportDataset as exportPlanned } from '../export/export.js';
import { instantOf } from '../plan/plan.js';

export interface Exporting {
  readonly format: ExportFormat;
  readonly gzip: boolean;
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
  { format, gzip, out, signal, onProgress }: Exporting,
): Promise<ExportedDataset> {
  if (gzip && format === 'parquet') {
    throw usageError('--gzip and --format parquet exclude each other', 'Parquet compresses by itself');
  }
  const requested = await requestedLoad(load, new Date());
  const exported = await exportPlanned({
    ...requested,
    format,
    gzip,
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
