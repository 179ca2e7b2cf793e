/** How a load ended, in one object. */

import type { Dataset, Writer } from '../dataset/dataset.js';
import type { Fleet } from '../fleet/types.js';
import type {
  AssetCounts,
  LoadSummary,
  PartState,
  RunBeside,
  SectionCounts,
  ServerInfo,
} from '../output/types.js';
import { instantOf, type Plan } from '../plan/plan.js';
import type { RunDocument } from '../runs/run-document.js';
import type { DatabaseStatistics } from '../store/statistics.js';

/** Work done by this process. */
export interface SessionFigures {
  readonly cpuMs: number;
  readonly workers: number;
  readonly writer: Writer;
  readonly retries: number;
  /** Time in which shards were loaded: what the rate is taken over. */
  readonly loadingMs: number;
}

export const NO_WORK: SessionFigures = {
  cpuMs: 0,
  workers: 0,
  writer: { kind: 'none' },
  retries: 0,
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

/** How many assets a fleet has, by kind. */
export function countAssets(fleet: Fleet): AssetCounts {
  const machines = fleet.machines.length;
  const services = fleet.services.length;
  const jobs = fleet.jobs.length;
  return { machines, services, jobs, total: machines + services + jobs };
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
