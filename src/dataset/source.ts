/**
 * A source: the records of one shard of one run, batch by batch. The model and the encoder are
 * behind it, nothing else.
 */
import type { BatchBuffer, Series } from '../encode/document.js';
import { Batch, Insert } from '../encode/insert.js';
import type { Machine, Service } from '../fleet/types.js';
import { hasDisturbances } from '../model/disturbances.js';
import { firstTick, sampleCount, tickOfMinute } from '../model/sampling.js';
import {
  BACKUP_SERIES,
  type SeriesDefinition,
  sampledSeries,
  type TelemetryModel,
} from '../model/telemetry-model.js';
import { loadedAssets, MINUTES_PER_DAY, type Shard } from '../plan/plan.js';
import {
  arrivalOrder,
  type Column,
  disturbedTicks,
  fillDisturbed,
  inOrder,
  isWaiting,
  type Sampled,
  SampledDays,
} from './columns.js';
import type { Dataset } from './dataset.js';
import { doubledSeries, SeriesMemory, seriesIn } from './series.js';

/** Batches of one shard in the order in which they should be written. */
export interface Source {
  /** The next batch, encoded into `buffer` when its sink asks for it, or undefined at the end. */
  nextBatch(buffer: BatchBuffer): Batch | undefined;
}

/**
 * A batch stays under the server's 16 MB document limit, and so far under its 48 MB message limit.
 */
const MAX_BATCH_BYTES = 15 * 1024 * 1024;
const MS_PER_DAY = 86_400_000;
/** The server's limit of documents in one insert. */
export const MAX_BATCH_RECORDS = 100_000;

/** How a shard's records are handed out. */
export interface SourceOptions {
  /** True where inserts are of compressed buckets, which hold their records in the order of time. */
  readonly asBuckets?: boolean;
  /** True: what a fleet file says is late comes after what was measured after it. */
  readonly byArrival?: boolean;
  /**
   * True: the two records of a sample that is there twice come one after the other, where the layout
   * does not tell them apart. That is how they are read.
   */
  readonly mergesDoubled?: boolean;
}

/**
 * Generates a shard a day at a time, when a batch first needs the day, and hands its series out in
 * turn: batch 1 of each series, then batch 2 of each, so that several series are written side by
 * side and each of them in time order.
 */
export class ShardSource implements Source {
  readonly #columns: Column[] = [];
  readonly #asset: Machine | Service;
  readonly #days: SampledDays;
  /** Where flatlines are stuck: by series and minute. */
  readonly #stuck = new Map<string, number>();
  /** The first day of the shard that is not generated yet. */
  #day: number;
  #turn = 0;
  /** Where it has been made already. */
  #firstInsert: Insert | undefined;

  constructor(
    readonly model: TelemetryModel,
    readonly dataset: Dataset,
    readonly shard: Pick<Shard, 'assetIndex' | 'from' | 'to'>,
    readonly batchSize: number,
    /** Of the sources of this thread: one that took it before is of no use any more. */
    readonly memory = new SeriesMemory(),
    readonly options: SourceOptions = {},
  ) {
    this.#asset = loadedAssets(model.fleet)[shard.assetIndex];
    this.#day = Math.floor(shard.from / MINUTES_PER_DAY);
    const isWanted = ({ section }: SeriesDefinition) => dataset.sections.includes(section);
    this.#days = new SampledDays(model, this.#asset, isWanted);
    const isDisturbed = hasDisturbances(this.#asset);
    for (const [index, definition] of sampledSeries(this.#asset).entries()) {
      if (!isWanted(definition)) continue;
      const series = seriesIn(dataset, model.fleet, this.#asset, definition);
      const sampled = { index, definition };
      if (isDisturbed) this.#addDisturbed(series, sampled);
      else this.#columns.push(this.#regularColumn(series, sampled));
    }
    if (this.#asset.assetType !== 'service' && isWanted(BACKUP_SERIES)) {
      const { minutes, values } = backupsIn(model, this.#asset, shard.from, shard.to);
      const series = seriesIn(dataset, model.fleet, this.#asset, BACKUP_SERIES);
      this.#columns.push(this.#column(series, minutes, values, undefined));
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
    const { series, template, sampled, order } = column;
    const from = column.next;
    const to = Math.min(from + column.batchRecords, column.ticks.length);
    column.next = to;
    const last = order ? order.subarray(from, to).reduce((most, at) => Math.max(most, at)) : to - 1;
    if (sampled) this.#generateUpTo(column.ticks[last] * series.sampling.tickMs);
    const { ticks, values } = order ? inOrder(column, order.subarray(from, to)) : column;
    const [start, end] = order ? [0, to - from] : [from, to];
    return new Batch(
      this.dataset.layout,
      series,
      template,
      ticks.subarray(start, end),
      values.subarray(start, end),
      buffer,
      column.copy,
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
    const made = this.#firstInsert;
    this.#firstInsert = undefined;
    return made ?? this.#nextInsert(buffer, isBusy);
  }

  /** Makes the first insert before anybody asks for it, in a buffer of its own. */
  makeFirstInsert(buffer: BatchBuffer): Insert | undefined {
    this.#firstInsert = this.#nextInsert(buffer, () => false);
    return this.#firstInsert;
  }

  #nextInsert(buffer: BatchBuffer, isBusy: (metricName: string) => boolean): Insert | undefined {
    const first = this.nextBatch(buffer);
    if (!first) return undefined;
    const batches: [Batch, ...Batch[]] = [first];
    let records = first.records;
    let bytes = first.bytes;
    for (let column = this.#nextColumn(); column; column = this.#nextColumn()) {
      const { metricName } = column.series;
      const more = Math.min(column.batchRecords, column.ticks.length - column.next);
      records += more;
      bytes += more * column.template.bytes.length;
      if (records > this.batchSize || bytes > MAX_BATCH_BYTES || isBusy(metricName)) break;
      if (batches.some(({ series }) => series.metricName === metricName)) break;
      const batch = this.nextBatch(buffer);
      if (!batch) break;
      batches.push(batch);
    }
    return new Insert(batches, this.options.asBuckets);
  }

  /** The metric of the next batch; undefined at the end. */
  get nextMetric(): string | undefined {
    return (this.#firstInsert?.batches[0] ?? this.#nextColumn())?.series.metricName;
  }

  #nextColumn(): Column | undefined {
    for (let tried = 0; tried < this.#columns.length; tried++) {
      const column = this.#columns[(this.#turn + tried) % this.#columns.length];
      if (column.next < column.ticks.length && !isWaiting(column)) return column;
    }
    return undefined;
  }

  #regularColumn(series: Series, sampled: Sampled): Column {
    const { from, to } = this.shard;
    const count = sampleCount(sampled.definition.interval, from, to);
    const ticks = this.memory.ticks(series.sampling, from, count);
    return this.#column(series, ticks, this.memory.values(sampled.index, count), sampled);
  }

  /** The columns of a series of an asset that comes and goes, or is measured badly. */
  #addDisturbed(series: Series, sampled: Sampled): void {
    const { asBuckets = false, byArrival = false, mergesDoubled = false } = this.options;
    const merges = mergesDoubled && this.dataset.layout === 'timeseries';
    const { ticks, doubled, delayed, wrong } = disturbedTicks(this.#asset, series, this.shard, merges);
    const add = (of: Series, which: Int32Array, more: Partial<Column>) => {
      const column = this.#column(of, which, new Float64Array(which.length), sampled);
      this.#columns.push({ ...column, wrong, ...more });
      return this.#columns[this.#columns.length - 1];
    };
    const order =
      byArrival && !asBuckets && delayed.length > 0 ? arrivalOrder(series, ticks, delayed) : undefined;
    const first = add(series, ticks, order ? { order } : {});
    if (doubled.length > 0) add(doubledSeries(series, this.dataset), doubled, { after: first, copy: 2 });
  }

  #column(series: Series, ticks: Int32Array, values: Float64Array, sampled: Sampled | undefined): Column {
    const template = this.memory.templates.of(this.dataset.layout, series);
    const fitting = Math.floor(MAX_BATCH_BYTES / template.bytes.length);
    const batchRecords = Math.max(1, Math.min(this.batchSize, fitting, MAX_BATCH_RECORDS));
    return { series, template, ticks, values, batchRecords, sampled, next: 0, filled: 0, copy: 1 };
  }

  /**
   * Generates whole days until an instant is there, and copies the part of each that lies in the
   * shard.
   */
  #generateUpTo(ms: number): void {
    while (this.#day * MS_PER_DAY <= ms) this.#generateDay();
  }

  /**
   * Generates a day before anybody asks for it.
   * @returns whether there was one left
   */
  generateDay(): boolean {
    if (this.#day * MINUTES_PER_DAY >= this.shard.to) return false;
    this.#generateDay();
    return true;
  }

  #generateDay(): void {
    const dayStart = this.#day * MINUTES_PER_DAY;
    const days = this.#days.of(this.#day++);
    const from = Math.max(dayStart, this.shard.from);
    const to = Math.min(dayStart + MINUTES_PER_DAY, this.shard.to);
    for (const column of this.#columns) {
      const { series, sampled, values } = column;
      const samples = sampled && days[sampled.index];
      if (!samples) continue;
      const { interval } = sampled.definition;
      let place = column.filled;
      if (column.wrong) {
        const valueAt = (minute: number) => this.#valueAt(sampled, series, minute);
        fillDisturbed(this.#asset, column, samples, dayStart, valueAt);
      } else {
        // As many as there are before, in the day and in the shard.
        const first = sampleCount(interval, dayStart, from);
        place = sampleCount(interval, this.shard.from, from);
        const part = samples.subarray(first, first + sampleCount(interval, from, to));
        values.set(part, place);
        column.filled = place + part.length;
      }
      if (this.dataset.availabilityScale === 'unit' && series.metricName === 'availability_status') {
        for (let i = place; i < column.filled; i++) values[i] /= 100;
      }
    }
  }

  /** The value of the first sample from a minute on, as the model has it. */
  #valueAt({ index, definition }: Sampled, { sampling }: Series, minute: number): number {
    const key = `${index} ${minute}`;
    let value = this.#stuck.get(key);
    if (value === undefined) {
      const tick = firstTick(sampling, minute);
      const day = Math.floor((tick * sampling.tickMs) / MS_PER_DAY);
      const days = new SampledDays(this.model, this.#asset, (one) => one === definition);
      const place = (tick - tickOfMinute(sampling, day * MINUTES_PER_DAY)) / sampling.step;
      value = days.of(day)[index]?.[place] ?? Number.NaN;
      this.#stuck.set(key, value);
    }
    return value;
  }
}

function backupsIn(model: TelemetryModel, machine: Machine, from: number, to: number) {
  const backups = model.backups(machine, from, to);
  return {
    minutes: Int32Array.from(backups, ({ minute }) => minute),
    values: Float64Array.from(backups, ({ success }) => (success ? 1 : 0)),
  };
}
