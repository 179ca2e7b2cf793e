/** How records, assets and events are written in each format. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { gzipSync } from 'node:zlib';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter, type Writer } from 'hyparquet-writer';
import { BSON } from 'mongodb';
import type { ExportFormat, Layout, ParquetCompression } from '../config/settings.js';
import { csvField, csvLine, EVENT_COLUMNS, eventLine } from '../csv.js';
import type { Dataset } from '../dataset/dataset.js';
import { eventDocuments } from '../dataset/generate.js';
import { assetDocument, documentOf, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import type { FleetDefinition } from '../fleet/file.js';
import { allEvents } from '../model/events.js';
import { msOfTick } from '../model/sampling.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import { instantOf, type Shard } from '../plan/plan.js';
import {
  ASSET_INDEXES,
  ASSETS,
  EVENT_INDEXES,
  EVENTS,
  METRIC_INDEXES,
  METRICS,
} from '../store/collections.js';
import { collectionOptions } from '../store/schema.js';
import type { Shared } from '../threads/counters.js';
import type { ExportInput } from './export.js';

// A shard's records as text or Parquet. Text is stamped like BSON: a series' records differ in `_id`,
// time and value alone, so the rest of a line is made once.

const HEX_TICK = 8;

export const CSV_HEADER = 'asset_id,asset_type,metric_name,timestamp,value,unit,environment\n';

/** One line a record, in MongoDB's relaxed Extended JSON, which mongoimport reads. */
export function ndjsonLines(batch: Batch): string {
  const { layout, series, ticks, values } = batch;
  const [head, middle, tail] = linePieces(layout, series);
  let lines = '';
  for (let i = 0; i < ticks.length; i++) {
    const id = layout === 'flat' ? ticks[i].toString(16).padStart(HEX_TICK, '0') : '';
    lines += `${head}${id}${middle}${isoText(batch.msAt(i))}${tail(numberText(values[i]))}`;
  }
  return lines;
}

/** What stands before the tick in `_id`, between it and the timestamp, and after that. */
function linePieces(layout: Layout, series: Series): [string, string, (value: string) => string] {
  const line = BSON.EJSON.stringify(documentOf[layout](series, 0, 0), { relaxed: true });
  const first = isoText(msOfTick(series.sampling, 0));
  const at = line.indexOf(first);
  const [before, after] = [line.slice(0, at), line.slice(at + first.length)];
  const [beforeValue, afterValue] = split(after, /(?<="value":)[\d.]+/);
  const tail = (value: string) => `${beforeValue}${value}${afterValue}\n`;
  if (layout === 'timeseries') return [before, '', tail];
  const [head, middle] = split(before, /0{8}(?="\})/);
  return [head, middle, tail];
}

function split(text: string, hole: RegExp): [string, string] {
  const match = hole.exec(text);
  if (!match) throw new Error(`no ${hole} in ${text}`);
  return [text.slice(0, match.index), text.slice(match.index + match[0].length)];
}

/** A whole number keeps its `.0`: readers would take it for an integer. */
function numberText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Without milliseconds where there are none, as Extended JSON has it. */
function isoText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

export function csvLines(batch: Batch): string {
  const { series, ticks, values } = batch;
  const { assetId, assetType, metricName, unit, environment } = series;
  const head = `${[assetId, assetType, metricName].map(csvField).join(',')},`;
  const tail = `,${[unit, environment].map(csvField).join(',')}\n`;
  let lines = '';
  for (let i = 0; i < ticks.length; i++) lines += `${head}${isoText(batch.msAt(i))},${values[i]}${tail}`;
  return lines;
}

// Parquet: the columns of {@link CSV_HEADER}.

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' } as const;
const TEXT_COLUMNS = {
  asset_id: ({ assetId }: Series) => assetId,
  asset_type: ({ assetType }: Series) => assetType,
  metric_name: ({ metricName }: Series) => metricName,
  unit: ({ unit }: Series) => unit,
  environment: ({ environment }: Series) => environment,
} as const;

/** A timestamp is an instant, in UTC: readers show it in a zone. */
const PARQUET_SCHEMA: SchemaElement[] = [
  { name: 'root', num_children: 7 },
  { name: 'asset_id', ...TEXT },
  { name: 'asset_type', ...TEXT },
  { name: 'metric_name', ...TEXT },
  {
    name: 'timestamp',
    type: 'INT64',
    converted_type: 'TIMESTAMP_MILLIS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
    repetition_type: 'REQUIRED',
  },
  { name: 'value', type: 'DOUBLE', repetition_type: 'REQUIRED' },
  { name: 'unit', ...TEXT },
  { name: 'environment', ...TEXT },
];

const CODECS = { snappy: 'SNAPPY', gzip: 'GZIP', zstd: 'ZSTD', none: 'UNCOMPRESSED' } as const;

/** A Parquet file that takes batches piece by piece, a row group each. */
export class ParquetFile {
  readonly #writer: ParquetWriter;

  constructor(writer: Writer, compression: ParquetCompression) {
    // Node has zstd from 22.15 on.
    const { zstdCompressSync } = zlib as { readonly zstdCompressSync?: (bytes: Uint8Array) => Uint8Array };
    this.#writer = new ParquetWriter({
      writer,
      schema: PARQUET_SCHEMA,
      codec: CODECS[compression],
      compressors: {
        GZIP: (bytes) => zlib.gzipSync(bytes),
        ...(zstdCompressSync && { ZSTD: zstdCompressSync }),
      },
    });
  }

  add(batches: readonly Batch[]): void {
    const records = batches.reduce((sum, batch) => sum + batch.records, 0);
    const timestamps = new BigInt64Array(records);
    const values = new Float64Array(records);
    let at = 0;
    for (const batch of batches) {
      for (let i = 0; i < batch.records; i++) timestamps[at++] = BigInt(batch.msAt(i));
      values.set(batch.values, at - batch.records);
    }
    const columnData = PARQUET_SCHEMA.slice(1).map(({ name }) => {
      if (name === 'timestamp') return { name, data: timestamps };
      if (name === 'value') return { name, data: values };
      const of = TEXT_COLUMNS[name as keyof typeof TEXT_COLUMNS];
      return {
        name,
        data: batches.flatMap((batch) => new Array<string>(batch.records).fill(of(batch.series))),
      };
    });
    void this.#writer.write({ columnData, rowGroupSize: records });
  }

  end(): void {
    void this.#writer.finish();
  }
}

/** A whole file of some batches. */
export function parquetFile(batches: readonly Batch[], compression: ParquetCompression): Uint8Array {
  const writer = new ByteWriter();
  const file = new ParquetFile(writer, compression);
  file.add(batches);
  file.end();
  return writer.getBytes();
}

// What the export's main thread and its workers say to each other. Plain data.

export interface ExportContext {
  readonly fleet: FleetDefinition;
  readonly dataset: Dataset;
  readonly format: ExportFormat;
  readonly gzip: boolean;
  readonly compression: ParquetCompression;
  readonly batchSize: number;
}

/**
 * True where what is written is not records but the buckets that a time-series collection keeps
 * them in.
 */
export function isBuckets({ format, dataset }: Pick<ExportContext, 'format' | 'dataset'>): boolean {
  return format === 'bson' && dataset.layout === 'timeseries';
}

export interface ExportTask {
  readonly context: Shared<ExportContext>;
  readonly shard: Shard;
  /** The file that the shard's bytes go to; undefined: they come back with the result. */
  readonly path: string | undefined;
  /** Where in the file they go; undefined: at its end. */
  readonly offset: number | undefined;
}

/** A failure crosses the thread boundary as data. `code` is the system's, such as ENOSPC. */
export type ExportResult =
  | { readonly state: 'written'; readonly bytes: number }
  | { readonly state: 'made'; readonly data: Uint8Array }
  | { readonly state: 'failed'; readonly message: string; readonly code: string | undefined };

// What an export has besides records: the assets, and what happened when. Both are few.

/**
 * The assets are few: one file, as the format has it; where the format has no nested fields,
 * Extended JSON.
 */
export async function writeAssets(
  input: ExportInput,
  folder: string,
): Promise<{ files: number; bytes: number }> {
  const { fleet, dataset, format, gzip, clustered } = input;
  const lastUpdated = instantOf(dataset.window.end);
  const documents = [...fleet.machines, ...fleet.services, ...fleet.jobs].map((asset) =>
    assetDocument(asset, lastUpdated),
  );
  const content =
    format === 'bson'
      ? Buffer.concat(documents.map((document) => BSON.serialize(document)))
      : Buffer.from(documents.map((document) => `${BSON.EJSON.stringify(document)}\n`).join(''));
  const files = new Map<string, Buffer>([[`${ASSETS}.${format === 'bson' ? 'bson' : 'ndjson'}`, content]]);
  if (format === 'bson') {
    const { layout } = dataset;
    files.set(`${ASSETS}.metadata.json`, metadata(ASSETS, {}, ASSET_INDEXES));
    files.set(
      `${METRICS}.metadata.json`,
      metadata(METRICS, collectionOptions({ layout, clustered, ttlDays: undefined }), METRIC_INDEXES[layout]),
    );
  }
  if (input.events) {
    for (const [name, data] of eventFiles(input)) files.set(name, data);
  }
  let bytes = 0;
  for (const [name, text] of files) {
    const data = gzip ? gzipSync(text) : text;
    await writeFile(join(folder, gzip ? `${name}.gz` : name), data, { mode: 0o600 });
    bytes += data.length;
  }
  return { files: files.size, bytes };
}

/** In the format of the records; of Parquet, whose table they would be too few for, as CSV. */
function eventFiles({ fleet, dataset, format }: ExportInput): [name: string, content: Buffer][] {
  if (format === 'csv' || format === 'parquet') {
    const model = new TelemetryModel(fleet, dataset.seed);
    const events = [...allEvents(model, dataset.window, dataset.sections)];
    const lines = events.map(({ start, end, ...event }) =>
      eventLine({ ...event, start: instantOf(start), end: instantOf(end) }),
    );
    return [[`${EVENTS}.csv`, Buffer.from([csvLine(EVENT_COLUMNS), ...lines].join(''))]];
  }
  const documents = [...eventDocuments(fleet, dataset)];
  if (format === 'ndjson') {
    const lines = documents.map((document) => `${BSON.EJSON.stringify(document)}\n`);
    return [[`${EVENTS}.ndjson`, Buffer.from(lines.join(''))]];
  }
  return [
    [`${EVENTS}.bson`, Buffer.concat(documents.map((document) => BSON.serialize(document)))],
    [`${EVENTS}.metadata.json`, metadata(EVENTS, {}, EVENT_INDEXES as { readonly key: object }[])],
  ];
}

/**
 * As mongodump writes it beside a collection's documents; mongorestore makes collection and indexes
 * of it.
 */
function metadata(name: string, options: object, indexes: readonly { readonly key: object }[]): Buffer {
  const named = indexes.map(({ key, ...rest }) => ({
    v: 2,
    key,
    name: Object.entries(key).flat().join('_'),
    ...rest,
  }));
  const own = { v: 2, key: { _id: 1 }, name: '_id_' };
  const all = 'timeseries' in options || 'clusteredIndex' in options ? named : [own, ...named];
  return Buffer.from(
    BSON.EJSON.stringify({ options, indexes: all, collectionName: name }, { relaxed: false }),
  );
}
