/** `export`: the records of a dataset as files, without a server. */
import { closeSync, ftruncateSync, mkdirSync, openSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { fileWriter } from 'hyparquet-writer';
import type { ExportFormat, ParquetCompression } from '../config/settings.js';
import type { Dataset } from '../dataset/dataset.js';
import { SeriesMemory, seriesIn } from '../dataset/series.js';
import { ShardSource } from '../dataset/source.js';
import { BatchBuffer, buildTemplate } from '../encode/document.js';
import { DEFAULT_FILE } from '../fleet/default.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Fleet } from '../fleet/types.js';
import {
  BACKUP_SERIES,
  type SeriesDefinition,
  sampledSeries,
  TelemetryModel,
} from '../model/telemetry-model.js';
import { instantOf, loadedAssets, type Plan, recordCount, type Shard } from '../plan/plan.js';
import { METRIC_BUCKETS, METRICS } from '../store/collections.js';
import { share } from '../threads/counters.js';
import { WorkerPool } from '../threads/pool.js';
import { DEFAULT_INTERVAL } from '../time.js';
import { VERSION } from '../version.js';
import { MANIFEST, makeFolder } from './folder.js';
import {
  CSV_HEADER,
  type ExportContext,
  type ExportResult,
  type ExportTask,
  isBuckets,
  ParquetFile,
  writeAssets,
} from './formats.js';

export interface ExportInput {
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly format: ExportFormat;
  readonly gzip: boolean;
  readonly compression: ParquetCompression;
  /** Parquet: all records in one file. */
  readonly oneFile: boolean;
  /** What happened when, as one more table. */
  readonly events: boolean;
  /** The folder to make: see {@link makeFolder}. */
  readonly out: string;
  /** Replace what is there. */
  readonly clean: boolean;
  /** Name of the database that the files restore into. */
  readonly database: string;
  readonly clustered: boolean;
  readonly batchSize: number;
  readonly workers: number;
  readonly interrupt: AbortSignal;
  /** Told after each shard how many records are written. */
  readonly onProgress: (written: number, planned: number) => void;
}

export interface Exported {
  readonly status: 'complete' | 'interrupted';
  readonly records: number;
  readonly files: number;
  readonly bytes: number;
  readonly elapsedMs: number;
}

/**
 * Writes all records, in parallel, a shard at a time. The folder appears when everything is in it;
 * an interrupt or a failure leaves nothing behind.
 * @throws SeedError where the folder is in use or somebody else exports into it, or it cannot be
 *   written
 */
export async function exportDataset(input: ExportInput): Promise<Exported> {
  const { plan, interrupt } = input;
  const started = performance.now();
  const written = await makeFolder(input, async (partial) => {
    // First, so that what is left of a killed export is always known for one.
    await writeFile(join(partial, MANIFEST), manifestOf(input), { mode: 0o600 });
    const folder = join(partial, input.database);
    mkdirSync(folder, { mode: 0o700 });
    const assets = await writeAssets(input, folder);
    const shards = await writeShards(input, folder);
    if (interrupt.aborted) return undefined;
    return { files: assets.files + shards.files, bytes: assets.bytes + shards.bytes };
  });
  const elapsedMs = performance.now() - started;
  return written
    ? { status: 'complete', records: plan.records, ...written, elapsedMs }
    : { status: 'interrupted', records: 0, files: 0, bytes: 0, elapsedMs };
}

/** All that the dataset can be made again from, whatever becomes of the fleet's file. */
function manifestOf({ dataset, fleet, format, gzip, plan }: ExportInput): string {
  const { window, ...described } = dataset;
  const { file, scale, timezone, interval = DEFAULT_INTERVAL, jitterMs = 0 } = fleet.definition;
  const manifest = {
    version: VERSION,
    ...described,
    window: { start: instantOf(window.start), end: instantOf(window.end) },
    fleet: file === DEFAULT_FILE ? 'default' : file,
    fleetFingerprint: fleetFingerprint(fleet),
    scale,
    timezone,
    interval,
    jitterMs,
    format,
    gzip,
    records: plan.records,
  };
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}

async function writeShards(input: ExportInput, folder: string): Promise<{ files: number; bytes: number }> {
  const { format, plan, workers, interrupt, onProgress } = input;
  if (format === 'parquet' && input.oneFile) return writeOneParquet(input, folder);
  const target = format === 'bson' ? oneFile(input, folder) : manyFiles(input, folder);
  const context = contextOf(input);
  const pool = new WorkerPool<ExportTask, ExportResult>('export-shard', workers);
  const waiting = [...plan.shards];
  let bytes = 0;
  let records = 0;
  const work = async () => {
    for (let shard = waiting.shift(); shard && !interrupt.aborted; shard = waiting.shift()) {
      const result = await pool.run({ context, shard, ...target.of(shard) });
      if (result.state === 'failed') {
        waiting.length = 0;
        throw Object.assign(new Error(result.message), { code: result.code });
      }
      if (result.state === 'written') bytes += result.bytes;
      records += shard.records;
      onProgress(records, plan.records);
    }
  };
  try {
    const done = await Promise.allSettled(Array.from({ length: workers }, work));
    const failed = done.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
  } finally {
    await pool.destroy();
  }
  return { files: target.files, bytes };
}

type Streaming = Omit<ExportInput, 'out' | 'clean' | 'database' | 'clustered' | 'oneFile' | 'events'> & {
  /** Resolves when the next piece may come. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
};

/**
 * All records as one stream of lines: made in parallel, written in the plan's order, with no more
 * in memory than a shard a worker.
 */
export async function streamRecords(input: Streaming): Promise<Exported> {
  const { format, gzip, plan, workers, interrupt, onProgress, write } = input;
  const started = performance.now();
  const context = contextOf(input);
  const pool = new WorkerPool<ExportTask, ExportResult>('export-shard', workers);
  let bytes = 0;
  let records = 0;
  const put = async (data: Uint8Array) => {
    if (interrupt.aborted) return;
    await write(data);
    bytes += data.length;
  };
  try {
    const header = format === 'csv' ? Buffer.from(CSV_HEADER) : undefined;
    if (header) await put(gzip ? gzipSync(header) : header);
    let last: Promise<void> = Promise.resolve();
    const waiting = [...plan.shards];
    const work = async () => {
      for (let shard = waiting.shift(); shard && !interrupt.aborted; shard = waiting.shift()) {
        const before = last;
        const { records: more } = shard;
        const made = pool.run({ context, shard, path: undefined, offset: undefined });
        last = made.then(async (result) => {
          await before;
          if (result.state !== 'made') throw new Error(result.state === 'failed' ? result.message : '');
          await put(result.data);
          if (interrupt.aborted) return;
          records += more;
          onProgress(records, plan.records);
        });
        await last;
      }
    };
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    await pool.destroy();
  }
  const elapsedMs = performance.now() - started;
  return { status: interrupt.aborted ? 'interrupted' : 'complete', records, files: 0, bytes, elapsedMs };
}

function contextOf({ fleet, dataset, format, gzip, compression, batchSize }: Streaming | ExportInput) {
  return share<ExportContext>({ fleet: fleet.definition, dataset, format, gzip, compression, batchSize });
}

/** A row group a shard, one after the other. */
async function writeOneParquet(
  { fleet, dataset, plan, compression, interrupt, onProgress }: ExportInput,
  folder: string,
): Promise<{ files: number; bytes: number }> {
  const path = join(folder, `${METRICS}.parquet`);
  const file = new ParquetFile(fileWriter(path), compression);
  const model = new TelemetryModel(fleet, dataset.seed);
  const memory = new SeriesMemory();
  const buffer = new BatchBuffer(0);
  let records = 0;
  for (const shard of plan.shards) {
    if (interrupt.aborted) break;
    const source = new ShardSource(model, dataset, shard, Number.MAX_SAFE_INTEGER, memory);
    file.add([...source.batches(buffer)]);
    records += shard.records;
    onProgress(records, plan.records);
    // So that an interrupt is heard.
    await setImmediate();
  }
  file.end();
  return { files: 1, bytes: statSync(path).size };
}

interface ShardFiles {
  readonly files: number;
  readonly of: (shard: Shard) => Pick<ExportTask, 'path' | 'offset'>;
}

/**
 * One file for all shards, as mongorestore wants it. A series' documents have one length, so each
 * shard's place is known beforehand and the file is the same whoever writes it. Lengths of what is
 * compressed, and of buckets, are not known: there shards follow each other as they end.
 */
function oneFile(input: ExportInput, folder: string): ShardFiles {
  const { fleet, dataset, plan, gzip } = input;
  const buckets = isBuckets(input);
  const path = join(folder, `${buckets ? METRIC_BUCKETS : METRICS}.bson${gzip ? '.gz' : ''}`);
  const placed = !gzip && !buckets;
  const offsets = new Map<string, number>();
  let size = 0;
  for (const shard of plan.shards) {
    offsets.set(shard.id, size);
    size += shardBytes(fleet, dataset, shard);
  }
  const file = openSync(path, 'w', 0o600);
  if (placed) ftruncateSync(file, size);
  closeSync(file);
  return { files: 1, of: (shard) => ({ path, offset: placed ? offsets.get(shard.id) : undefined }) };
}

/** One file for each asset and shard, in a folder. */
function manyFiles({ plan, format, gzip }: ExportInput, folder: string): ShardFiles {
  mkdirSync(join(folder, METRICS), { mode: 0o700 });
  const ending = `${format}${gzip ? '.gz' : ''}`;
  return {
    files: plan.shards.length,
    of: ({ assetId, from }) => {
      const start = instantOf(from).toISOString().slice(0, 16).replaceAll(':', '');
      return { path: join(folder, METRICS, `${assetId}-${start}.${ending}`), offset: undefined };
    },
  };
}

function shardBytes(fleet: Fleet, dataset: Dataset, { assetIndex, from, to, counts }: Shard): number {
  const asset = loadedAssets(fleet)[assetIndex];
  const lengthOf = (definition: SeriesDefinition) =>
    buildTemplate(dataset.layout, seriesIn(dataset, fleet, asset, definition)).bytes.length;
  return sampledSeries(asset)
    .filter(({ section }) => dataset.sections.includes(section))
    .reduce(
      (sum, definition) => sum + recordCount(asset, definition, from, to) * lengthOf(definition),
      counts.backup * lengthOf(BACKUP_SERIES),
    );
}
