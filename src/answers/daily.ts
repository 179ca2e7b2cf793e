/**
 * Answers that are known beforehand: what anybody who asks a database with this dataset has to find,
 * worked out from the model, without a server.
 */
import type { Dataset } from '../dataset/dataset.js';
import { batchesAsRead } from '../dataset/generate.js';
import { SeriesMemory } from '../dataset/series.js';
import type { Batch } from '../encode/insert.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { pollMinutesOf, TelemetryModel } from '../model/telemetry-model.js';
import { instantOf, loadedAssets, planLoad, type Shard } from '../plan/plan.js';

const AVAILABILITY = 'availability_status';
const BACKUP = 'backup_status';

/**
 * One series on one day of UTC. Figures are of the values as they are stored; the mean is that of
 * the exact sum. p95 is the nearest rank: of n values in order the one at place ceil(0.95 n).
 */
export interface DailyAnswer {
  readonly kind: 'day';
  readonly assetId: string;
  readonly metricName: string;
  /** `2025-02-08` */
  readonly day: string;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p95: number;
}

/** One asset over the whole period. */
export interface AssetAnswer {
  readonly kind: 'asset';
  readonly assetId: string;
  readonly assetType: string;
  /** Undefined where the dataset has no availability. */
  readonly availability:
    | {
        /** Mean of `availability_status`, as it is stored. */
        readonly mean: number;
        readonly downMinutes: number;
        readonly degradedMinutes: number;
        /** How often it went from up or degraded to down, or was down at the beginning. */
        readonly outages: number;
      }
    | undefined;
  /** Undefined where the asset has none. */
  readonly backups:
    | {
        readonly planned: number;
        readonly succeeded: number;
        /** Share of those that succeeded, from 0 to 1. */
        readonly rate: number;
        /** The recovery point at the end of the period; undefined where none succeeded. */
        readonly lastGood: Date | undefined;
      }
    | undefined;
}

/**
 * All answers of a dataset, asset by asset: its days first, then itself. Memory does not grow with
 * the days.
 */
export function* answersOf(fleet: Fleet, dataset: Dataset): Generator<DailyAnswer | AssetAnswer> {
  const model = new TelemetryModel(fleet, dataset.seed);
  const memory = new SeriesMemory();
  const assets = loadedAssets(fleet);
  // A shard a day, in the order of the assets.
  const { shards } = planLoad(fleet, dataset.window, dataset.sections, 1);
  let summary: AssetSummary | undefined;
  for (const shard of shards) {
    const asset = assets[shard.assetIndex];
    if (summary?.asset !== asset) {
      if (summary) yield summary.answer();
      summary = new AssetSummary(asset, dataset);
    }
    const days = new Map<string, Float64Array[]>();
    for (const batch of batchesAsRead(model, dataset, shard.assetIndex, shard, memory)) {
      const { metricName } = batch.series;
      days.set(metricName, [...(days.get(metricName) ?? []), batch.values]);
      summary.add(batch);
    }
    for (const [metricName, parts] of days) yield dailyAnswer(shard, metricName, parts);
  }
  if (summary) yield summary.answer();
}

const NEAREST_RANK = 0.95;

/** @param parts the day's values, in as many arrays as there were batches */
function dailyAnswer(
  { assetId, from }: Shard,
  metricName: string,
  parts: readonly Float64Array[],
): DailyAnswer {
  const sorted = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    sorted.set(part, at);
    at += part.length;
  }
  sorted.sort();
  const count = sorted.length;
  return {
    kind: 'day',
    assetId,
    metricName,
    day: instantOf(from).toISOString().slice(0, 10),
    count,
    mean: sumOf(sorted) / count,
    min: sorted[0],
    max: sorted[count - 1],
    p95: sorted[Math.ceil(NEAREST_RANK * count) - 1],
  };
}

/**
 * A sum as if every digit were kept (A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur
 * Summation endlicher Summen", 1974), so that it does not depend on the order.
 */
function sumOf(values: Float64Array): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}

class AssetSummary {
  #polls = 0;
  #sum = 0;
  #down = 0;
  #degraded = 0;
  #outages = 0;
  #wasDown = false;
  #backups = 0;
  #succeeded = 0;
  #lastGood: number | undefined;
  readonly #up: number;
  /** From one poll to the next: so long a state lasts. */
  readonly #pollMinutes: number;

  constructor(
    readonly asset: Machine | Service,
    dataset: Dataset,
  ) {
    this.#up = dataset.availabilityScale === 'unit' ? 1 : 100;
    this.#pollMinutes = pollMinutesOf(asset);
  }

  add(batch: Batch): void {
    const { values } = batch;
    const { metricName } = batch.series;
    if (metricName === BACKUP) {
      for (const [i, value] of values.entries()) {
        this.#backups++;
        if (value !== 1) continue;
        this.#succeeded++;
        this.#lastGood = batch.msAt(i);
      }
    }
    if (metricName !== AVAILABILITY) return;
    for (const value of values) {
      this.#polls++;
      this.#sum += value;
      const isDown = value === 0;
      if (isDown) this.#down++;
      else if (value < this.#up) this.#degraded++;
      if (isDown && !this.#wasDown) this.#outages++;
      this.#wasDown = isDown;
    }
  }

  answer(): AssetAnswer {
    const { assetId, assetType } = this.asset;
    return {
      kind: 'asset',
      assetId,
      assetType,
      availability:
        this.#polls === 0
          ? undefined
          : {
              mean: this.#sum / this.#polls,
              downMinutes: this.#down * this.#pollMinutes,
              degradedMinutes: this.#degraded * this.#pollMinutes,
              outages: this.#outages,
            },
      backups:
        this.#backups === 0
          ? undefined
          : {
              planned: this.#backups,
              succeeded: this.#succeeded,
              rate: this.#succeeded / this.#backups,
              lastGood: this.#lastGood === undefined ? undefined : new Date(this.#lastGood),
            },
    };
  }
}
