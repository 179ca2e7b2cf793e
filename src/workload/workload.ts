/** Reads as dashboards do, against a loaded database, by several threads; the answers are known. */
import { availableParallelism } from 'node:os';
import type { Db, Document } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import type { Dataset } from '../dataset/dataset.js';
import type { FleetDefinition } from '../fleet/file.js';
import type { Fleet } from '../fleet/types.js';
import { stream } from '../model/patterns.js';
import { latencyOf, type Shared, share } from '../threads/counters.js';
import { WorkerPool } from '../threads/pool.js';
import { type Drive, Pulse, type ThreadResult } from './drive.js';
import { QUERY_NAMES, type QueryName, Questions } from './queries.js';
import { type LatencyBar, Timeline, type TimelinePoint } from './timeline.js';
import { Truth } from './truth.js';

export interface WorkloadContext {
  readonly fleet: FleetDefinition;
  readonly dataset: Dataset;
  readonly connection: ConnectionSettings;
}

export interface WorkloadTask {
  readonly context: Shared<WorkloadContext>;
  readonly how: Drive;
  readonly pulse: SharedArrayBuffer;
}

export interface WorkloadInput extends Omit<WorkloadContext, 'fleet'> {
  readonly fleet: Fleet;
  readonly clients: number;
  readonly how: Omit<Drive, 'clients' | 'clientsInAll' | 'seed'>;
  readonly interrupt: AbortSignal;
  /** Told every second. */
  readonly onPulse: (pulse: { requests: number; errors: number; wrong: number; elapsedMs: number }) => void;
}

/** One query's figures; latencies in milliseconds. */
export interface QueryFigures {
  readonly query: QueryName | 'all';
  readonly requests: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly errors: number;
  /** Answers that were compared with the model, and those of them that were not right. */
  readonly checked: number;
  readonly wrong: number;
  readonly examples: readonly string[];
}

export interface WorkloadReport {
  readonly elapsedMs: number;
  readonly clients: number;
  readonly threads: number;
  /** The last one is that of all queries together. */
  readonly queries: readonly QueryFigures[];
  /** Second by second, or a longer step where it took long. */
  readonly overTime: readonly TimelinePoint[];
  readonly histogram: readonly LatencyBar[];
  /**
   * The busiest thread's own share of the time, from 0 to 1: near 1 this program was the limit, not
   * the server.
   */
  readonly busiestThread: number;
}

const PULSE_MS = 1_000;

/**
 * Asks until the requests or the time are over, or until the signal ends it.
 * @throws Error where a thread cannot connect
 */
export async function runWorkload(input: WorkloadInput): Promise<WorkloadReport> {
  const { fleet, dataset, connection, clients, how, interrupt, onPulse } = input;
  const threads = Math.min(clients, availableParallelism());
  const context = share<WorkloadContext>({ fleet: fleet.definition, dataset, connection });
  const pulse = new Pulse();
  const pool = new WorkerPool<WorkloadTask, ThreadResult>('workload', threads);
  await pool.ready();
  const stop = () => pulse.stop();
  if (interrupt.aborted) stop();
  interrupt.addEventListener('abort', stop);
  const started = performance.now();
  const timer = setInterval(() => {
    const [requests, errors, wrong] = [pulse.read('requests'), pulse.read('errors'), pulse.read('wrong')];
    onPulse({ requests, errors, wrong, elapsedMs: performance.now() - started });
  }, PULSE_MS);
  try {
    const results = await Promise.all(
      Array.from({ length: threads }, (_, thread) =>
        pool.run({
          context,
          how: {
            ...how,
            clients: Array.from({ length: clients }, (_, i) => i).filter((i) => i % threads === thread),
            clientsInAll: clients,
            seed: dataset.seed,
          },
          pulse: pulse.shared,
        }),
      ),
    );
    return reportOf(results, clients, performance.now() - started);
  } finally {
    clearInterval(timer);
    interrupt.removeEventListener('abort', stop);
    await pool.destroy();
  }
}

function reportOf(results: readonly ThreadResult[], clients: number, elapsedMs: number): WorkloadReport {
  const figures = (query: QueryName | 'all', names: readonly QueryName[]): QueryFigures | undefined => {
    const outcomes = results.flatMap((result) => names.flatMap((name) => result.outcomes.get(name) ?? []));
    if (outcomes.length === 0) return undefined;
    const { count: _answered, ...latencies } = latencyOf(outcomes.map(({ histogram }) => histogram));
    const sum = (of: (outcome: (typeof outcomes)[number]) => number) =>
      outcomes.reduce((total, outcome) => total + of(outcome), 0);
    const requests = sum((one) => one.requests);
    return {
      query,
      requests,
      perSecond: (requests / elapsedMs) * 1000,
      ...latencies,
      errors: sum((one) => one.errors),
      checked: sum((one) => one.checked),
      wrong: sum((one) => one.wrong),
      examples: [...new Set(outcomes.flatMap(({ examples }) => examples))].slice(0, 3),
    };
  };
  const timeline = new Timeline();
  for (const result of results) timeline.add(result.timeline);
  const queries = QUERY_NAMES.flatMap((name) => figures(name, [name]) ?? []);
  return {
    elapsedMs,
    clients,
    threads: results.length,
    queries: [...queries, ...[figures('all', QUERY_NAMES) ?? []].flat()],
    overTime: timeline.points(elapsedMs),
    histogram: timeline.bars(),
    busiestThread: Math.max(0, ...results.map(({ busy }) => busy)),
  };
}

/** How the server answers a query. */
export interface ExplainedQuery {
  readonly query: QueryName;
  /** Stages of the plan, from the outermost one: `FETCH < IXSCAN asset_id_1_…`. */
  readonly plan: string;
  /** Reads a whole collection where an index would do. */
  readonly scansCollection: boolean;
}

/** Asks how the server would go about each query. */
export async function explainQueries(db: Db, fleet: Fleet, dataset: Dataset): Promise<ExplainedQuery[]> {
  const questions = new Questions(new Truth(fleet, dataset));
  const explained: ExplainedQuery[] = [];
  for (const query of questions.possible) {
    const { command } = questions.draw(query, stream(dataset.seed, 'explain', 'workload', 0));
    const answer = await db.command({ explain: command, verbosity: 'queryPlanner' });
    const stages = stagesOf(winningPlan(answer));
    explained.push({
      query,
      plan: stages.join(' < '),
      scansCollection: stages.some((stage) => stage.startsWith('COLLSCAN')),
    });
  }
  return explained;
}

/** Wherever this version of the server has it. */
function winningPlan(answer: unknown): Document {
  if (typeof answer !== 'object' || answer === null) return {};
  const { winningPlan: plan, ...rest } = answer as Document;
  if (plan) return plan.queryPlan ?? plan;
  for (const [name, part] of Object.entries(rest)) {
    if (name === 'rejectedPlans') continue;
    const found = winningPlan(part);
    if (Object.keys(found).length > 0) return found;
  }
  return {};
}

function stagesOf({ stage, indexName, inputStage, inputStages }: Document): string[] {
  const own = stage === undefined ? [] : [indexName ? `${stage} ${indexName}` : String(stage)];
  const inner = inputStage ? stagesOf(inputStage) : (inputStages ?? []).flatMap(stagesOf);
  return [...own, ...inner];
}
