/** The series of a dataset, as its records are encoded, and what a thread keeps of them. */
import { createHash } from 'node:crypto';
import type { Layout } from '../config/settings.js';
import {
  buildTemplate,
  type Series,
  seriesIdKey,
  seriesIdPrefix,
  type Template,
} from '../encode/document.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { doubledSpans, type Span, sampledSpans } from '../model/disturbances.js';
import { firstTick, regularSampling, type Sampling } from '../model/sampling.js';
import { BACKUP_SERIES, type SeriesDefinition, sampledSeries } from '../model/telemetry-model.js';
import { loadedAssets } from '../plan/plan.js';
import type { Dataset } from './dataset.js';

/** A series of a dataset, as its records are encoded. Backups come when they are due: no jitter. */
export function seriesIn(
  { seed, environment }: Pick<Dataset, 'seed' | 'environment'>,
  { definition }: Pick<Fleet, 'definition'>,
  { assetId, assetType }: Pick<Machine | Service, 'assetId' | 'assetType'>,
  { metricName, unit, section, interval }: SeriesDefinition,
): Series {
  const { jitterMs = 0 } = definition;
  const regular = regularSampling(interval);
  const isJittered = jitterMs > 0 && section !== 'backup';
  return {
    assetId,
    assetType,
    metricName,
    unit,
    section,
    environment,
    idPrefix: seriesIdPrefix(seed, assetId, metricName),
    sampling: isJittered ? { ...regular, jitterMs, jitterSeed: jitterSeed(seed, assetId) } : regular,
  };
}

/** Names a series. A line feed is in no identifier of this program. */
export function seriesKey(assetId: string, metricName: string): string {
  return `${assetId}\n${metricName}`;
}

/**
 * The second records of a series that has some twice. An `_id` tells them from the first ones, in
 * the flat layout and in compressed buckets; all else is the same.
 */
export function doubledSeries(series: Series, { seed }: Pick<Dataset, 'seed'>): Series {
  const { assetId, metricName } = series;
  return { ...series, idPrefix: seriesIdPrefix(seed, assetId, `${metricName} twice`) };
}

/** A series of a dataset, and when it has samples. */
export interface PlannedSeries {
  readonly series: Series;
  /** Of backups the whole window: they come when they are due. */
  readonly spans: readonly Span[];
}

/**
 * All series of a dataset, by asset and metric (see {@link seriesKey}); those of second records,
 * which only the flat layout tells apart, by a key of their own.
 */
export function plannedSeries(dataset: Dataset, fleet: Fleet): Map<string, PlannedSeries> {
  const planned = new Map<string, PlannedSeries>();
  const { window } = dataset;
  for (const asset of loadedAssets(fleet)) {
    const backups = asset.assetType === 'service' ? [] : [BACKUP_SERIES];
    for (const definition of [...sampledSeries(asset), ...backups]) {
      const { section, metricName } = definition;
      if (!dataset.sections.includes(section)) continue;
      const series = seriesIn(dataset, fleet, asset, definition);
      const key = seriesKey(asset.assetId, metricName);
      const isBackup = section === 'backup';
      planned.set(key, { series, spans: isBackup ? [window] : sampledSpans(asset, metricName, window) });
      if (dataset.layout !== 'flat' || isBackup) continue;
      const spans = doubledSpans(asset, metricName, window);
      if (spans.length > 0) planned.set(`${key}\ntwice`, { series: doubledSeries(series, dataset), spans });
    }
  }
  return planned;
}

function jitterSeed(seed: number, assetId: string): number {
  return createHash('sha256').update(`${seed}\n${assetId}\njitter`).digest().readInt32LE();
}

// What one source leaves to the next one in the same thread: its arrays, and the templates of its
// series.

/** More than a fleet of some hundred assets has; a larger fleet builds some of them again. */
const TEMPLATES = 4096;

/** Those of one thread, each built once. */
export class Templates {
  readonly #known = new Map<string, Template>();

  of(layout: Layout, series: Series): Template {
    // Second records of a series have other ids.
    const key = `${layout} ${series.assetId} ${series.metricName} ${seriesIdKey(series.idPrefix)}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#known.size === TEMPLATES) this.#known.clear();
    const template = buildTemplate(layout, series);
    this.#known.set(key, template);
    return template;
  }
}

/** Ticks from `first` on, as many as are filled. */
interface RegularTicks {
  readonly array: Int32Array;
  readonly first: number;
  readonly filled: number;
}

/**
 * Memory for the sources of one dataset in one thread, one after the other: a new source takes over
 * the arrays of the one before it. Allocating them for each shard costs a fifth of the time that
 * generating and encoding takes.
 */
export class SeriesMemory {
  readonly #values: Float64Array[] = [];
  /** By the milliseconds from one sample to the next. */
  readonly #ticks = new Map<number, RegularTicks>();

  /** @param templates of this thread's memories together */
  constructor(readonly templates = new Templates()) {}

  /** So many ticks of samples, from the first one in or after a minute. */
  ticks(sampling: Sampling, from: number, count: number): Int32Array {
    const { step, tickMs } = sampling;
    const first = firstTick(sampling, from);
    let known = this.#ticks.get(step * tickMs);
    if (known?.first !== first || known.filled < count) {
      const array = known && known.array.length >= count ? known.array : new Int32Array(count);
      for (let i = 0, tick = first; i < count; i++, tick += step) array[i] = tick;
      known = { array, first, filled: count };
      this.#ticks.set(step * tickMs, known);
    }
    return known.array.subarray(0, count);
  }

  /** The array of a source's `index`-th series, with whatever was in it. */
  values(index: number, length: number): Float64Array {
    const values = this.#values[index];
    if (values?.length >= length) return values.subarray(0, length);
    this.#values[index] = new Float64Array(length);
    return this.#values[index];
  }
}
