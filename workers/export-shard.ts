/** The piscina entry of `export`: writes one shard into a file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { SeriesMemory } from '../src/dataset/series.js';
import { ShardSource } from '../src/dataset/source.js';
import { BUCKET_RECORDS, BucketEncoder, encodeBuckets } from '../src/encode/bucket.js';
import { BatchBuffer } from '../src/encode/document.js';
import type { Batch } from '../src/encode/insert.js';
import {
  CSV_HEADER,
  csvLines,
  type ExportContext,
  type ExportResult,
  type ExportTask,
  isBuckets,
  ndjsonLines,
  parquetFile,
} from '../src/export/formats.js';
import { buildFleet } from '../src/fleet/build.js';
import { TelemetryModel } from '../src/model/telemetry-model.js';
import { unshare } from '../src/threads/counters.js';

/** Fast enough for data that compresses to a tenth at any level. */
const GZIP = { level: 1 };

const encoder = new BucketEncoder();
let thread: ReturnType<typeof prepareThread> | undefined;

function prepareThread(context: ExportContext) {
  return {
    context,
    model: new TelemetryModel(buildFleet(context.fleet), context.dataset.seed),
    memory: new SeriesMemory(),
    buffer: new BatchBuffer(0),
  };
}

export default function exportShard({ context: shared, shard, path, offset }: ExportTask): ExportResult {
  const context = unshare(shared);
  if (thread?.context !== context) thread = prepareThread(context);
  const { model, memory, buffer } = thread;
  try {
    const { dataset } = context;
    const batchSize = isBuckets(context) ? BUCKET_RECORDS : context.batchSize;
    const source = new ShardSource(model, dataset, shard, batchSize, memory);
    const pieces = encode(context, source.batches(buffer), path === undefined);
    const whole = context.gzip ? [gzipSync(Buffer.concat([...copies(pieces)]), GZIP)] : pieces;
    if (path === undefined) return { state: 'made', data: Buffer.concat([...copies(whole)]) };
    return { state: 'written', bytes: writeAll(path, offset, whole) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { state: 'failed', message, code };
  }
}

/** @param isPart true where it follows others in one stream */
function* encode(context: ExportContext, batches: Iterable<Batch>, isPart: boolean): Generator<Uint8Array> {
  const { format } = context;
  if (format === 'parquet') {
    yield parquetFile([...batches], context.compression);
    return;
  }
  if (format === 'csv' && !isPart) yield Buffer.from(CSV_HEADER);
  for (const batch of batches) {
    if (isBuckets(context)) yield encodeBuckets({ batches: [batch], buffer: batch.buffer }, encoder).bytes;
    else if (format === 'bson') yield batch.encode();
    else yield Buffer.from(format === 'csv' ? csvLines(batch) : ndjsonLines(batch));
  }
}

/** A batch's bytes are good until the next one is asked for. */
function* copies(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const piece of pieces) yield Uint8Array.from(piece);
}

function writeAll(path: string, offset: number | undefined, pieces: Iterable<Uint8Array>): number {
  // The file is there already where several shards share it.
  const file = openSync(path, offset === undefined ? 'a' : 'r+', 0o600);
  try {
    let written = 0;
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; ) {
        const position = offset === undefined ? null : offset + written;
        const bytes = writeSync(file, piece, at, piece.length - at, position);
        at += bytes;
        written += bytes;
      }
    }
    return written;
  } finally {
    closeSync(file);
  }
}
