/** `verify --repair`: inserts what is missing and, in the flat layout, puts right what differs. */
import { ObjectId } from 'mongodb';
import { writeAssets } from '../load/assets.js';
import { Counters } from '../load/counters.js';
import { Dispatcher } from '../load/dispatch.js';
import { explainFailure } from '../load/explain.js';
import { Hold } from '../load/hold.js';
import { newRun } from '../load/job.js';
import { refuseWhileHeld } from '../load/lease.js';
import { LoadPool } from '../load/load-pool.js';
import { drawLoader, RunStore } from '../load/run-store.js';
import { instantOf } from '../plan/index.js';
import { compareShards, planOf, type VerifyInput, type VerifyReport } from './verify.js';

/** Records in one insert. */
const BATCH_SIZE = 5_000;

/** What a repair would do, and what it would leave. */
export interface RepairPlan {
  readonly insert: number;
  readonly replace: number;
  readonly assets: number;
  /** Doubled, foreign and, in the time-series layout, different records, and foreign assets. */
  readonly leave: number;
}

export function planRepair({ records, assets }: VerifyReport, { dataset }: VerifyInput): RepairPlan {
  const replace = dataset.layout === 'flat' ? records.different : 0;
  return {
    insert: records.missing,
    replace,
    assets: assets.missing.length + assets.different.length,
    leave: records.doubled + records.foreign + records.different - replace + assets.foreign.length,
  };
}

/**
 * Does what {@link planRepair} says. Holds the database meanwhile, as a load does, and writes as a load does: a repair
 * that is killed leaves a run behind that `--resume` finishes.
 * @throws SeedError, also where a load is in progress
 */
export async function repairDataset(
  input: VerifyInput,
  report: VerifyReport,
  notice: (message: string) => void,
): Promise<void> {
  const { target, fleet, dataset, retryMs } = input;
  const plan = planRepair(report, input);
  const loader = drawLoader();
  const retry = { limitMs: retryMs };
  const store = new RunStore(target.db, loader, retry);
  const runId = new ObjectId().toHexString();
  await refuseWhileHeld(store, notice);
  const kept = { existing: 'keep', extending: undefined } as const;
  await store.begin(newRun({ runId, fleet, dataset, plan: planOf(input) }, kept));
  const hold = new Hold(store, runId, retry);
  try {
    if (plan.assets > 0) await writeAssets(target.db, fleet, instantOf(dataset.window.end));
    if (plan.insert > 0) await insertMissing(input, report, { hold, loader, runId, notice });
    if (plan.replace > 0) await compareShards(input, report.repairable, true, () => undefined);
    await hold.beat();
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    hold.end();
    await store.withdraw(runId).catch(() => undefined);
  }
}

interface Work {
  readonly hold: Hold;
  readonly loader: string;
  readonly runId: string;
  readonly notice: (message: string) => void;
}

/** Loads the shards in which records are missing once more: what is there stays. */
async function insertMissing(
  { target, connection, fleet, dataset, workers, retryMs }: VerifyInput,
  { repairable }: VerifyReport,
  { hold, loader, runId, notice }: Work,
): Promise<void> {
  const pool = new LoadPool(workers);
  const counters = Counters.forWorkers(workers);
  const plan = { ...planOf({ fleet, dataset }), shards: repairable };
  try {
    await new Dispatcher({
      plan,
      skipped: new Set(),
      pool,
      context: {
        runId,
        dataset,
        fleet: fleet.definition,
        connection: { ...connection, uri: target.uri },
        writer: 'sequence',
        writeConcern: 'majority',
        compressors: [],
        batchSize: BATCH_SIZE,
        loader,
        retryMs,
      },
      counters,
      // The run's own checkpoints stay as they are: these shards may be cut in another way.
      checkpoints: { db: target.db, store: { checkpoint: async () => undefined }, hold },
      mayHoldRecords: true,
      notice,
    }).run();
  } finally {
    await pool.destroy();
  }
}
