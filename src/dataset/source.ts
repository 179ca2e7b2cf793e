/**
 * A source: the records of one shard of one run, batch by batch. The model and the encoder are
 * behind it, nothing else.
 */
import type { Layout } from '../config/settings.js';
import {
  type BatchBuffer,
  buildTemplate,
  type Series,
  seriesIdPrefix,
  type Template,
} from '../encode/document.js';
import { Batch, Insert } from '../encode/insert.js';
import type { Machine, Service } from '../fleet/types.js';
import {
  BACKUP_SERIES,
  minuteSeries,
  type SeriesDefinition,
  type TelemetryModel,
} from '../model/telemetry-model.js';
import { loadedAssets, MINUTES_PER_DAY, type Shard } from '../plan/plan.js';
import type { Dataset } from './dataset.js';

/** Batches of one shard in the order in which they should be written. */
export interface Source {
  /** The next batch, encoded into `buffer` when its sink asks for it, or undefined at the end. */
  nextBatch(buffer: BatchBuffer): Batch | undefined;
}

/**
 * A batch stays under the server's 16 MB document limit, and so far under its 48 MB message limit.
 */
const MAX_BATCH_BYTES = 15 * 1024 * 1024;
/** The server's limit of documents in one insert. */
const MAX_BATCH_RECORDS = 100_000;

/**
 * One series of the shard: its records, generated up to some day, and how far they have been handed
 * out.
 */
interface Column {
  readonly series: Series;
  readonly template: Template;
  readonly minutes: Int32Array;
  readonly values: Float64Array;
  readonly batchRecords: number;
  /** Position in `minuteSeries(asset)`; undefined for backups, which are there from the start. */
  readonly modelIndex: number | undefined;
  next: number;
}

/**
 * Generates a shard a day at a time, when a batch first needs the day, and hands its series out in
 * turn: batch 1 of each series, then batch 2 of each, so that several series are written side by
 * side and each of them in time order.
 */
export class ShardSource implements Source {
  readonly #columns: Column[] = [];
  readonly #asset: Machine | Service;
  readonly #dayColumns: (Float64Array | undefined)[];
  /** The first day of the shard that is not generated yet. */
  #day: number;
  #turn = 0;

  constructor(
    readonly model: TelemetryModel,
    readonly dataset: Dataset,
    readonly shard: Shard,
    readonly batchSize: number,
    /** Of the sources of this thread: one that took it before is of no use any more. */
    readonly memory = new SeriesMemory(),
    /** True where inserts are of compressed buckets. */
    readonly asBuckets = false,
  ) {
    this.#asset = loadedAssets(model.fleet)[shard.assetIndex];
    this.#day = Math.floor(shard.from / MINUTES_PER_DAY);
    const everyMinute = memory.minutes(shard.from, shard.to);
    const definitions = minuteSeries(this.#asset);
    this.#dayColumns = definitions.map(() => undefined);
    for (const [modelIndex, definition] of definitions.entries()) {
      if (!dataset.sections.includes(definition.section)) continue;
      this.#dayColumns[modelIndex] = new Float64Array(MINUTES_PER_DAY);
      this.#columns.push(
        this.#column(
          definition,
          everyMinute,
          memory.values(modelIndex, everyMinute.length),
          batchSize,
          modelIndex,
        ),
      );
    }
    if (this.#asset.assetType !== 'service' && dataset.sections.includes('backup')) {
      const { minutes, values } = backupsIn(model, this.#asset, shard.from, shard.to);
      this.#columns.push(this.#column(BACKUP_SERIES, minutes, values, batchSize, undefined));
    }
  }

  /**
   * How many series the shard has: more batches than this in flight would put two of one series
   * side by side.
   */
  get seriesCount(): number {
    return this.#columns.length;
  }

  /** Those that have no record in the shard included. */
  get series(): readonly Series[] {
    return this.#columns.map(({ series }) => series);
  }

  nextBatch(buffer: BatchBuffer): Batch | undefined {
    const column = this.#nextColumn();
    if (!column) return undefined;
    this.#turn = (this.#columns.indexOf(column) + 1) % this.#columns.length;
    const from = column.next;
    const to = Math.min(from + column.batchRecords, column.minutes.length);
    column.next = to;
    if (column.modelIndex !== undefined) this.#generateUpTo(column.minutes[to - 1]);
    return new Batch(
      this.dataset.layout,
      column.series,
      column.template,
      column.minutes.subarray(from, to),
      column.values.subarray(from, to),
      buffer,
    );
  }

  /** All batches that are left, one after the other. */
  *batches(buffer: BatchBuffer): Generator<Batch> {
    for (let batch = this.nextBatch(buffer); batch; batch = this.nextBatch(buffer)) yield batch;
  }

  /**
   * The next batch, and further ones of other series as long as all of it is no more than one batch
   * may be: the ends of series, and short periods, share a command. Undefined at the end.
   * @param isBusy whether a series must not be added to it
   */
  nextInsert(buffer: BatchBuffer, isBusy: (metricName: string) => boolean): Insert | undefined {
    const first = this.nextBatch(buffer);
    if (!first) return undefined;
    const batches: [Batch, ...Batch[]] = [first];
    let records = first.records;
    let bytes = first.bytes;
    for (let column = this.#nextColumn(); column; column = this.#nextColumn()) {
      const { metricName } = column.series;
      const more = Math.min(column.batchRecords, column.minutes.length - column.next);
      records += more;
      bytes += more * column.template.bytes.length;
      if (records > this.batchSize || bytes > MAX_BATCH_BYTES || isBusy(metricName)) break;
      if (batches.some(({ series }) => series.metricName === metricName)) break;
      const batch = this.nextBatch(buffer);
      if (!batch) break;
      batches.push(batch);
    }
    return new Insert(batches, this.asBuckets);
  }

  /** The metric of the next batch; undefined at the end. */
  get nextMetric(): string | undefined {
    return this.#nextColumn()?.series.metricName;
  }

  #nextColumn(): Column | undefined {
    for (let tried = 0; tried < this.#columns.length; tried++) {
      const column = this.#columns[(this.#turn + tried) % this.#columns.length];
      if (column.next < column.minutes.length) return column;
    }
    return undefined;
  }

  #column(
    definition: SeriesDefinition,
    minutes: Int32Array,
    values: Float64Array,
    batchSize: number,
    modelIndex: number | undefined,
  ): Column {
    const { seed, layout, environment } = this.dataset;
    const { assetId, assetType } = this.#asset;
    const series: Series = {
      assetId,
      assetType,
      metricName: definition.metricName,
      unit: definition.unit,
      section: definition.section,
      environment,
      idPrefix: seriesIdPrefix(seed, assetId, definition.metricName),
    };
    const template = this.memory.template(layout, series);
    const fitting = Math.floor(MAX_BATCH_BYTES / template.bytes.length);
    const batchRecords = Math.max(1, Math.min(batchSize, fitting, MAX_BATCH_RECORDS));
    return { series, template, minutes, values, batchRecords, modelIndex, next: 0 };
  }

  /**
   * Generates whole days until `minute` is there, and copies the part of them that lies in the
   * shard.
   */
  #generateUpTo(minute: number): void {
    for (; this.#day * MINUTES_PER_DAY <= minute; this.#day++) {
      const dayStart = this.#day * MINUTES_PER_DAY;
      this.model.fillDay(this.#asset, this.#day, this.#dayColumns);
      const from = Math.max(dayStart, this.shard.from);
      const to = Math.min(dayStart + MINUTES_PER_DAY, this.shard.to);
      for (const column of this.#columns) {
        if (column.modelIndex === undefined) continue;
        const day = this.#dayColumns[column.modelIndex];
        if (!day) continue;
        if (this.dataset.availabilityScale === 'unit' && column.series.metricName === 'availability_status') {
          for (let i = 0; i < day.length; i++) day[i] /= 100;
        }
        column.values.set(day.subarray(from - dayStart, to - dayStart), from - this.shard.from);
      }
    }
  }
}

function backupsIn(model: TelemetryModel, machine: Machine, from: number, to: number) {
  const backups = model.backups(machine, from, to);
  return {
    minutes: Int32Array.from(backups, ({ minute }) => minute),
    values: Float64Array.from(backups, ({ success }) => (success ? 1 : 0)),
  };
}

// What one source leaves to the next one in the same thread: its arrays, and the templates of its
// series.

/** More than a fleet of some hundred assets has; a larger fleet builds some of them again. */
const TEMPLATES = 4096;

/**
 * Memory for the sources of one dataset in one thread, one after the other: a new source takes over
 * the arrays of the one before it. Allocating them for each shard costs a fifth of the time that
 * generating and encoding takes.
 */
export class SeriesMemory {
  readonly #values: Float64Array[] = [];
  #minutes = new Int32Array(0);
  readonly #templates = new Map<string, Template>();

  /** Every minute from `from` up to `to`. */
  minutes(from: number, to: number): Int32Array {
    const length = to - from;
    if (this.#minutes.length < length) this.#minutes = new Int32Array(length);
    const minutes = this.#minutes.subarray(0, length);
    for (let i = 0; i < length; i++) minutes[i] = from + i;
    return minutes;
  }

  /** The array of a source's `index`-th series, with whatever was in it. */
  values(index: number, length: number): Float64Array {
    const values = this.#values[index];
    if (values?.length >= length) return values.subarray(0, length);
    this.#values[index] = new Float64Array(length);
    return this.#values[index];
  }

  template(layout: Layout, series: Series): Template {
    const key = `${layout} ${series.assetId} ${series.metricName}`;
    const known = this.#templates.get(key);
    if (known) return known;
    if (this.#templates.size === TEMPLATES) this.#templates.clear();
    const template = buildTemplate(layout, series);
    this.#templates.set(key, template);
    return template;
  }
}
