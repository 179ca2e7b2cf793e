/** One session of loading a plan's shards: workers, progress, interruption. */

import { isRetryMessage, type RetryLog } from '../connect/retry.js';
import type { Dataset, WorkerContext, Writer } from '../dataset/dataset.js';
import { countAssets } from '../fleet/build.js';
import type { Fleet } from '../fleet/types.js';
import { BACKUP_SERIES, sampledSeries } from '../model/telemetry-model.js';
import type {
  InsertLatency,
  LoadObserver,
  LoadProgress,
  LoadSummary,
  PartState,
  RunBeside,
  SectionCounts,
  ServerInfo,
} from '../output/types.js';
import { instantOf, loadedAssets, type Plan } from '../plan/plan.js';
import type { RunDocument } from '../runs/run-document.js';
import type { DatabaseStatistics } from '../store/statistics.js';
import { type Counters, latencyOf } from '../threads/counters.js';
import { type Checkpoints, Dispatcher } from './dispatch.js';
import type { LoadPool } from './load.js';

// How a load ended, in one object.

/** Work done by this process. */
export interface SessionFigures {
  readonly cpuMs: number;
  readonly workers: number;
  readonly writer: Writer;
  readonly retries: number;
  /** Undefined where nothing was sent. */
  readonly inserts: InsertLatency | undefined;
  /** Time in which shards were loaded: what the rate is taken over. */
  readonly loadingMs: number;
}

export const NO_WORK: SessionFigures = {
  cpuMs: 0,
  workers: 0,
  writer: { kind: 'none' },
  retries: 0,
  inserts: undefined,
  loadingMs: 0,
};

const NO_DATABASE: DatabaseStatistics = {
  name: '',
  collections: {},
  dataSizeBytes: 0,
  storageSizeBytes: 0,
  indexSizeBytes: 0,
};

export interface SummaryInput {
  readonly status: LoadSummary['status'];
  readonly runId: string;
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
  /** Ids of the shards that are durably loaded, and how many of them were before this session. */
  readonly done: ReadonlySet<string>;
  readonly skipped: number;
  readonly resumed: boolean;
  readonly beside: readonly RunDocument[] | undefined;
  readonly parts: readonly PartState[] | undefined;
  readonly expired: number;
  readonly elapsedMs: number;
  readonly figures: SessionFigures;
  readonly database: DatabaseStatistics | undefined;
  readonly server: ServerInfo;
  /** Records of shards loaded in this session. */
  readonly sessionRecords: number;
}

export function summarise(input: SummaryInput): LoadSummary {
  const { dataset, plan, figures } = input;
  const loaded = countDone(plan, input.done);
  const seconds = figures.loadingMs / 1000;
  return {
    status: input.status,
    runId: input.runId,
    seed: dataset.seed,
    layout: dataset.layout,
    window: { start: instantOf(dataset.window.start), end: instantOf(dataset.window.end) },
    assets: countAssets(input.fleet),
    records: {
      planned: plan.records,
      inserted: loaded.metrics + loaded.polling + loaded.backup,
      ...loaded,
    },
    plannedBySection: plan.counts,
    shards: { total: plan.shards.length, done: input.done.size, skipped: input.skipped },
    resumed: input.resumed,
    ...(input.parts ? { parts: input.parts } : {}),
    ...(input.expired > 0 ? { expired: input.expired } : {}),
    ...(input.beside && input.beside.length > 0 ? { beside: input.beside.map(besideOf) } : {}),
    retries: figures.retries,
    ...(figures.inserts ? { inserts: figures.inserts } : {}),
    elapsedMs: Math.round(input.elapsedMs),
    recordsPerSecond: seconds > 0 ? Math.round(input.sessionRecords / seconds) : 0,
    loader: {
      cpuMs: Math.round(figures.cpuMs),
      // Linux and macOS both report kilobytes here, Node sees to that.
      maxRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
      workers: figures.workers,
      writer: figures.writer,
    },
    database: input.database ?? NO_DATABASE,
    server: input.server,
  };
}

function besideOf({ _id, seed, state, window }: RunDocument): RunBeside {
  return { runId: _id, seed, state, window: { start: window.start, end: window.end } };
}

function countDone(plan: Plan, done: ReadonlySet<string>): SectionCounts {
  const counts = { metrics: 0, polling: 0, backup: 0 };
  for (const shard of plan.shards) {
    if (!done.has(shard.id)) continue;
    counts.metrics += shard.counts.metrics;
    counts.polling += shard.counts.polling;
    counts.backup += shard.counts.backup;
  }
  return counts;
}

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
  readonly reporter: LoadObserver;
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

/**
 * Loads what is not done yet, reporting progress, until all is durable or an interrupt asks to
 * stop.
 */
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
  const inserts = latencyOf(dispatcher.latencies);
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
      inserts: inserts.count === 0 ? undefined : inserts,
      loadingMs: performance.now() - started,
    },
  };
}

// Samples the workers' counters into progress events.

/**
 * Rate and remaining time are taken over about this long: long enough to be steady, short enough to
 * follow.
 */
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

class ProgressMeter {
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
      const series = [...sampledSeries(asset), BACKUP_SERIES][this.input.counters.get(slot, 'metricIndex')];
      const name = asset.assetType === 'service' ? asset.serviceName : asset.hostname;
      return { assetId: asset.assetId, name, metric: series?.metricName ?? '', until: instantOf(minute) };
    }
    return undefined;
  }
}
