/** One session of loading a plan's shards: workers, progress, interruption. */
import { isRetryMessage, type RetryLog } from '../connect/retry.js';
import type { WorkerContext } from '../dataset/dataset.js';
import type { Fleet } from '../fleet/types.js';
import { BACKUP_SERIES, minuteSeries } from '../model/telemetry-model.js';
import type { LoadProgress, Reporter } from '../output/types.js';
import { instantOf, loadedAssets, type Plan } from '../plan/plan.js';
import type { Counters } from '../threads/counters.js';
import { type Checkpoints, Dispatcher } from './dispatch.js';
import type { LoadPool } from './load.js';
import type { SessionFigures } from './summary.js';

const PROGRESS_INTERVAL_MS = 200;

export interface SessionInput {
  readonly fleet: Fleet;
  readonly plan: Plan;
  /** Ids of shards that are durably loaded already. */
  readonly skipped: ReadonlySet<string>;
  readonly mayHoldRecords: boolean;
  readonly context: WorkerContext;
  readonly retries: RetryLog;
  readonly pool: LoadPool;
  readonly counters: Counters;
  readonly checkpoints: Checkpoints | undefined;
  readonly reporter: Reporter;
  readonly interrupt: AbortSignal;
}

export interface SessionResult {
  readonly interrupted: boolean;
  /** Ids of all shards that are durably loaded now. */
  readonly done: ReadonlySet<string>;
  readonly sessionRecords: number;
  /** Records of this session that the server did not have before. */
  readonly inserted: number;
  readonly figures: SessionFigures;
}

/** Records of some shards of a plan. */
export function recordsOf(plan: Plan, shards: ReadonlySet<string>): number {
  return plan.shards.reduce((sum, shard) => (shards.has(shard.id) ? sum + shard.records : sum), 0);
}

/** Loads what is not done yet, reporting progress, until all is durable or an interrupt asks to stop. */
export async function runSession(input: SessionInput): Promise<SessionResult> {
  const { plan, skipped, pool, counters, reporter, interrupt } = input;
  const dispatcher = new Dispatcher({
    ...input,
    notice: (message) => reporter.on({ type: 'notice', level: 'warning', message }),
  });
  const meter = new ProgressMeter({
    plan,
    fleet: input.fleet,
    counters,
    workers: pool.workers,
    recordsBefore: recordsOf(plan, skipped),
    shardsDone: () => skipped.size + dispatcher.done.size,
  });

  pool.onMessage((message) => isRetryMessage(message) && input.retries.noteMessage(message));
  const stop = () => counters.stop();
  if (interrupt.aborted) stop();
  interrupt.addEventListener('abort', stop);
  const timer = setInterval(() => reporter.on(meter.read()), PROGRESS_INTERVAL_MS);
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  try {
    await dispatcher.run();
  } finally {
    clearInterval(timer);
    interrupt.removeEventListener('abort', stop);
    reporter.on(meter.read());
  }
  const cpu = process.cpuUsage(cpuBefore);
  return {
    interrupted: counters.stopping,
    done: new Set([...skipped, ...dispatcher.done]),
    sessionRecords: recordsOf(plan, dispatcher.done),
    inserted: dispatcher.inserted,
    figures: {
      cpuMs: (cpu.user + cpu.system) / 1000,
      workers: pool.workers,
      writer: dispatcher.writer ?? { kind: input.context.writer },
      retries: input.retries.count,
      loadingMs: performance.now() - started,
    },
  };
}

// Samples the workers' counters into progress events.

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
