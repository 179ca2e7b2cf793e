/** What a dataset holds, by series and minute, for whoever compares answers with it. */
import type { Dataset } from '../dataset/dataset.js';
import { batchesAsRead } from '../dataset/generate.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { sampledSeries, TelemetryModel } from '../model/telemetry-model.js';
import { instantOf, loadedAssets, MINUTES_PER_DAY } from '../plan/plan.js';

/** Days of assets that are kept: some 30 MB. */
const DAYS_KEPT = 512;

/** A series that is sampled at an interval. */
export interface SampledSeries {
  readonly asset: Machine | Service;
  readonly metricName: string;
}

/** What a series holds of a period: `times` (ms since the epoch) and `values` side by side. */
export interface Samples {
  readonly times: readonly number[];
  readonly values: Float64Array;
}

/** By metric. */
type Day = ReadonlyMap<string, Samples>;

export class Truth {
  /** All series of the dataset but for backups. */
  readonly series: readonly SampledSeries[];
  readonly #model: TelemetryModel;
  /** By asset and day, the one that was asked for last at the end. */
  readonly #days = new Map<string, Day>();

  constructor(
    readonly fleet: Fleet,
    readonly dataset: Dataset,
  ) {
    this.#model = new TelemetryModel(fleet, dataset.seed);
    this.series = loadedAssets(fleet).flatMap((asset) =>
      sampledSeries(asset)
        .filter(({ section }) => dataset.sections.includes(section))
        .map(({ metricName }) => ({ asset, metricName })),
    );
  }

  /** The records of a series in [from, to), minutes since the epoch. */
  samples({ asset, metricName }: SampledSeries, from: number, to: number): Samples {
    const [start, end] = [from, to].map((minute) => instantOf(minute).getTime());
    const times: number[] = [];
    const values: number[] = [];
    for (let day = Math.floor(from / MINUTES_PER_DAY); day * MINUTES_PER_DAY < to; day++) {
      const known = this.#day(asset, day).get(metricName);
      for (const [i, ms] of known?.times.entries() ?? []) {
        if (ms < start || ms >= end) continue;
        times.push(ms);
        values.push(known?.values[i] ?? Number.NaN);
      }
    }
    return { times, values: Float64Array.from(values) };
  }

  /** The minute of the last good backup in [from, to); undefined where there is none. */
  lastGoodBackup(machine: Machine, from: number, to: number): number | undefined {
    return this.#model
      .backups(machine, from, to)
      .filter(({ success }) => success)
      .at(-1)?.minute;
  }

  #day(asset: Machine | Service, day: number): Day {
    const key = `${day} ${asset.assetId}`;
    let samples = this.#days.get(key);
    if (samples) this.#days.delete(key);
    else {
      samples = this.#generated(asset, day);
      const [oldest] = this.#days.keys();
      if (this.#days.size >= DAYS_KEPT && oldest !== undefined) this.#days.delete(oldest);
    }
    this.#days.set(key, samples);
    return samples;
  }

  #generated({ assetId }: Machine | Service, day: number): Day {
    const assetIndex = loadedAssets(this.fleet).findIndex((asset) => asset.assetId === assetId);
    const from = day * MINUTES_PER_DAY;
    const period = { from, to: from + MINUTES_PER_DAY };
    const samples = new Map<string, { times: number[]; values: Float64Array }>();
    for (const batch of batchesAsRead(this.#model, this.dataset, assetIndex, period)) {
      const times = Array.from({ length: batch.records }, (_, i) => batch.msAt(i));
      const before = samples.get(batch.series.metricName) ?? { times: [], values: new Float64Array(0) };
      samples.set(batch.series.metricName, {
        times: [...before.times, ...times],
        values: Float64Array.from([...before.values, ...batch.values]),
      });
    }
    return samples;
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
