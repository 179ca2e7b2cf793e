/** One session of loading a plan's shards: workers, progress, interruption. */
import type { Fleet } from '../fleet/types.js';
import type { Plan } from '../plan/index.js';
import type { Reporter } from '../report/types.js';
import type { Counters } from './counters.js';
import { type Checkpoints, Dispatcher } from './dispatch.js';
import type { LoadPool } from './load-pool.js';
import { ProgressMeter } from './progress.js';
import { isRetryMessage, type RetryLog } from './retry-log.js';
import type { WorkerContext } from './run.js';
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
      writer: dispatcher.writer ?? input.context.writer,
      retries: input.retries.count,
      loadingMs: performance.now() - started,
    },
  };
}
