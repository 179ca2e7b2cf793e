/** What the export's main thread and its workers say to each other. Plain data. */
import type { Dataset } from '../dataset/dataset.js';
import type { FleetDefinition } from '../fleet/file.js';
import type { Shard } from '../plan/plan.js';
import type { Shared } from '../threads/pool.js';

export const EXPORT_FORMATS = ['bson', 'ndjson', 'csv', 'parquet'] as const;

export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportContext {
  readonly fleet: FleetDefinition;
  readonly dataset: Dataset;
  readonly format: ExportFormat;
  readonly gzip: boolean;
  readonly batchSize: number;
}

/** True where what is written is not records but the buckets that a time-series collection keeps them in. */
export function isBuckets({ format, dataset }: Pick<ExportContext, 'format' | 'dataset'>): boolean {
  return format === 'bson' && dataset.layout === 'timeseries';
}

export interface ExportTask {
  readonly context: Shared<ExportContext>;
  readonly shard: Shard;
  /** The file that the shard's bytes go to. */
  readonly path: string;
  /** Where in the file they go; undefined: at its end. */
  readonly offset: number | undefined;
}

/** A failure crosses the thread boundary as data. `code` is the system's, such as ENOSPC. */
export type ExportResult =
  | { readonly state: 'written'; readonly bytes: number }
  | { readonly state: 'failed'; readonly message: string; readonly code: string | undefined };
