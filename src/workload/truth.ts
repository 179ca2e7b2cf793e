/** What a dataset holds, by series and minute, for whoever compares answers with it. */
import type { Dataset } from '../dataset/dataset.js';
import { SampledDays } from '../dataset/sampled-days.js';
import { seriesIn } from '../dataset/series.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { firstTick, msOfTick, type Sampling, sampleCount } from '../model/sampling.js';
import { type SeriesDefinition, sampledSeries, TelemetryModel } from '../model/telemetry-model.js';
import { loadedAssets, MINUTES_PER_DAY } from '../plan/plan.js';

/** Days of assets that are kept: some 30 MB. */
const DAYS_KEPT = 512;
const AVAILABILITY = 'availability_status';

/** A series that is sampled at an interval. */
export interface SampledSeries {
  readonly asset: Machine | Service;
  readonly metricName: string;
  /** Position among the model's columns of the asset. */
  readonly column: number;
  readonly definition: SeriesDefinition;
  readonly sampling: Sampling;
}

/** What a series holds of a period; `times` (milliseconds since the epoch) and `values` side by side. */
export interface Samples {
  readonly times: readonly number[];
  readonly values: Float64Array;
}

export class Truth {
  /** All series of the dataset but for backups. */
  readonly series: readonly SampledSeries[];
  readonly #model: TelemetryModel;
  /** By asset and day, the one that was asked for last at the end. */
  readonly #days = new Map<string, readonly (Float64Array | undefined)[]>();

  constructor(
    readonly fleet: Fleet,
    readonly dataset: Dataset,
  ) {
    this.#model = new TelemetryModel(fleet, dataset.seed);
    this.series = loadedAssets(fleet).flatMap((asset) =>
      sampledSeries(asset).flatMap((definition, column) => {
        if (!dataset.sections.includes(definition.section)) return [];
        const { sampling, metricName } = seriesIn(dataset, fleet, asset, definition);
        return [{ asset, metricName, column, definition, sampling }];
      }),
    );
  }

  /** The records of a series in [from, to), minutes since the epoch. */
  samples(
    { asset, column, metricName, definition, sampling }: SampledSeries,
    from: number,
    to: number,
  ): Samples {
    const { interval } = definition;
    const values = new Float64Array(sampleCount(interval, from, to));
    for (let at = from; at < to; ) {
      const day = Math.floor(at / MINUTES_PER_DAY);
      const start = day * MINUTES_PER_DAY;
      const end = Math.min(to, start + MINUTES_PER_DAY);
      const samples = this.#day(asset, day)[column];
      const first = sampleCount(interval, start, at);
      const part = samples?.subarray(first, first + sampleCount(interval, at, end)) ?? [];
      values.set(part, sampleCount(interval, from, at));
      at = end;
    }
    if (metricName === AVAILABILITY && this.dataset.availabilityScale === 'unit') {
      for (let i = 0; i < values.length; i++) values[i] /= 100;
    }
    const first = firstTick(sampling, from);
    const times = Array.from(values, (_, i) => msOfTick(sampling, first + i * sampling.step));
    return { times, values };
  }

  /** The minute of the last good backup in [from, to); undefined where there is none. */
  lastGoodBackup(machine: Machine, from: number, to: number): number | undefined {
    return this.#model
      .backups(machine, from, to)
      .filter(({ success }) => success)
      .at(-1)?.minute;
  }

  #day(asset: Machine | Service, day: number): readonly (Float64Array | undefined)[] {
    const key = `${day} ${asset.assetId}`;
    let columns = this.#days.get(key);
    if (columns) this.#days.delete(key);
    else {
      columns = new SampledDays(this.#model, asset, () => true).of(day);
      const [oldest] = this.#days.keys();
      if (this.#days.size >= DAYS_KEPT && oldest !== undefined) this.#days.delete(oldest);
    }
    this.#days.set(key, columns);
    return columns;
  }
}

/** Numbers are compared but for the last digits, which depend on the order of a sum. */
export type Answer = readonly (string | number)[];

const CLOSE = 1e-9;

/** Whether a reply is the right answer; else what the first difference is. */
export function differenceOf(expected: readonly Answer[], found: readonly Answer[]): string | undefined {
  if (expected.length !== found.length) return `${found.length} rows, not ${expected.length}`;
  for (const [i, row] of expected.entries()) {
    const other = found[i];
    if (row.every((value, j) => isSame(value, other[j]))) continue;
    return `row ${i + 1}: ${JSON.stringify(other)}, not ${JSON.stringify(row)}`;
  }
  return undefined;
}

function isSame(a: string | number, b: unknown): boolean {
  if (typeof a === 'string' || typeof b !== 'number') return a === b;
  return a === b || Math.abs(a - b) <= CLOSE * Math.max(Math.abs(a), Math.abs(b));
}
