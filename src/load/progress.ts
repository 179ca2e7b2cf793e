/** Samples the workers' counters into progress events. */
import type { Fleet } from '../fleet/types.js';
import { BACKUP_SERIES, minuteSeries } from '../model/index.js';
import { instantOf, loadedAssets, type Plan } from '../plan/index.js';
import type { LoadProgress } from '../report/types.js';
import type { Counters } from './counters.js';

/** Rate and remaining time are taken over about this long: long enough to be steady, short enough to follow. */
const RATE_WINDOW_MS = 5_000;

export interface ProgressInput {
  readonly plan: Plan;
  readonly fleet: Fleet;
  readonly counters: Counters;
  readonly workers: number;
  /** Records that shards done before this session hold. */
  readonly recordsBefore: number;
  /** Shards done, those before this session included. */
  readonly shardsDone: () => number;
}

export class ProgressMeter {
  readonly #started = performance.now();
  readonly #samples: { at: number; acknowledged: number; batches: number; micros: number }[] = [];

  constructor(readonly input: ProgressInput) {
    this.#sample();
  }

  read(): LoadProgress {
    const { plan, recordsBefore, shardsDone } = this.input;
    const now = this.#sample();
    const oldest = this.#samples[0];
    const seconds = (now.at - oldest.at) / 1000;
    const rate = seconds > 0 ? (now.acknowledged - oldest.acknowledged) / seconds : 0;
    const batches = now.batches - oldest.batches;
    const acknowledged = Math.min(plan.records, recordsBefore + now.acknowledged);
    return {
      type: 'progress',
      acknowledged,
      planned: plan.records,
      rate,
      batchMs: batches > 0 ? (now.micros - oldest.micros) / batches / 1000 : 0,
      shardsDone: shardsDone(),
      shardsTotal: plan.shards.length,
      current: this.#current(),
      elapsedMs: now.at - this.#started,
      remainingMs: rate > 0 ? ((plan.records - acknowledged) / rate) * 1000 : undefined,
    };
  }

  #sample() {
    const sample = {
      at: performance.now(),
      acknowledged: this.input.counters.sum('acknowledged'),
      batches: this.input.counters.sum('batches'),
      micros: this.input.counters.sum('batchMicros'),
    };
    this.#samples.push(sample);
    while (this.#samples.length > 2 && sample.at - this.#samples[0].at > RATE_WINDOW_MS)
      this.#samples.shift();
    return sample;
  }

  /** What the first busy worker is at. */
  #current(): LoadProgress['current'] {
    for (let slot = 0; slot < this.input.workers; slot++) {
      const minute = this.input.counters.get(slot, 'minute');
      if (minute === 0) continue;
      const asset = loadedAssets(this.input.fleet)[this.input.counters.get(slot, 'assetIndex')];
      if (!asset) continue;
      const series = [...minuteSeries(asset), BACKUP_SERIES][this.input.counters.get(slot, 'metricIndex')];
      const name = asset.assetType === 'service' ? asset.serviceName : asset.hostname;
      return { assetId: asset.assetId, name, metric: series?.metricName ?? '', until: instantOf(minute) };
    }
    return undefined;
  }
}
