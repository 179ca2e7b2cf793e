/**
 * A shard's records as text or Parquet. Text is stamped like BSON: a series' records differ in
 * `_id`, time and value alone, so the rest of a line is made once.
 */
import { parquetWriteBuffer } from 'hyparquet-writer';
import { BSON } from 'mongodb';
import type { ExportFormat, Layout } from '../config/settings.js';
import { csvField } from '../csv.js';
import type { Dataset } from '../dataset/dataset.js';
import { documentOf, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import type { FleetDefinition } from '../fleet/file.js';
import type { Shard } from '../plan/plan.js';
import type { Shared } from '../threads/counters.js';

const MS_PER_MINUTE = 60_000;
const HEX_MINUTE = 8;

export const CSV_HEADER = 'asset_id,asset_type,metric_name,timestamp,value,unit,environment\n';

/** One line a record, in MongoDB's relaxed Extended JSON, which mongoimport reads. */
export function ndjsonLines({ layout, series, minutes, values }: Batch): string {
  const [head, middle, tail] = linePieces(layout, series);
  let lines = '';
  for (let i = 0; i < minutes.length; i++) {
    const id = layout === 'flat' ? minutes[i].toString(16).padStart(HEX_MINUTE, '0') : '';
    lines += `${head}${id}${middle}${isoMinute(minutes[i])}${tail(numberText(values[i]))}`;
  }
  return lines;
}

/** What stands before the minute in `_id`, between it and the timestamp, and after that. */
function linePieces(layout: Layout, series: Series): [string, string, (value: string) => string] {
  const line = BSON.EJSON.stringify(documentOf[layout](series, 0, 0), { relaxed: true });
  const at = line.indexOf(isoMinute(0));
  const [before, after] = [line.slice(0, at), line.slice(at + isoMinute(0).length)];
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

function isoMinute(minute: number): string {
  return new Date(minute * MS_PER_MINUTE).toISOString().replace('.000Z', 'Z');
}

export function csvLines({ series, minutes, values }: Batch): string {
  const { assetId, assetType, metricName, unit, environment } = series;
  const head = `${[assetId, assetType, metricName].map(csvField).join(',')},`;
  const tail = `,${[unit, environment].map(csvField).join(',')}\n`;
  let lines = '';
  for (let i = 0; i < minutes.length; i++) lines += `${head}${isoMinute(minutes[i])},${values[i]}${tail}`;
  return lines;
}

/** A whole Parquet file: the columns of {@link CSV_HEADER}, the timestamp in milliseconds, UTC. */
export function parquetFile(batches: readonly Batch[]): Uint8Array {
  const text = (name: string, of: (series: Series) => string) => ({
    name,
    type: 'STRING' as const,
    data: batches.flatMap(({ series, records }) => new Array<string>(records).fill(of(series))),
  });
  const columnData = [
    text('asset_id', (series) => series.assetId),
    text('asset_type', (series) => series.assetType),
    text('metric_name', (series) => series.metricName),
    {
      name: 'timestamp',
      type: 'TIMESTAMP' as const,
      data: batches.flatMap(({ minutes }) =>
        Array.from(minutes, (minute) => new Date(minute * MS_PER_MINUTE)),
      ),
    },
    {
      name: 'value',
      type: 'DOUBLE' as const,
      data: batches.flatMap(({ values }) => [...values]),
    },
    text('unit', (series) => series.unit),
    text('environment', (series) => series.environment),
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

// What the export's main thread and its workers say to each other. Plain data.

export interface ExportContext {
  readonly fleet: FleetDefinition;
  readonly dataset: Dataset;
  readonly format: ExportFormat;
  readonly gzip: boolean;
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
  /** The file that the shard's bytes go to. */
  readonly path: string;
  /** Where in the file they go; undefined: at its end. */
  readonly offset: number | undefined;
}

/** A failure crosses the thread boundary as data. `code` is the system's, such as ENOSPC. */
export type ExportResult =
  | { readonly state: 'written'; readonly bytes: number }
  | { readonly state: 'failed'; readonly message: string; readonly code: string | undefined };
