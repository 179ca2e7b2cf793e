/** `verify --repair`: inserts what is missing and, in the flat layout, puts right what differs. */
import { ObjectId } from 'mongodb';
import { withRetry } from '../connect/retry.js';
import { connectionTo } from '../connect/target.js';
import { inspectTarget } from '../inspect/inspect.js';
import { refuseObstacles, type Wanted } from '../inspect/obstacles.js';
import { canHold } from '../inspect/server.js';
import { assetDocuments, writeAssets, writeEvents } from '../load/collections.js';
import { Dispatcher } from '../load/dispatch.js';
import { newRun } from '../load/job.js';
import { LoadPool } from '../load/load.js';
import { instantOf } from '../plan/plan.js';
import { durably, type HeldWork, whileHeld } from '../runs/lease.js';
import { DatabaseHeld } from '../runs/owner.js';
import { runMarks } from '../runs/run-document.js';
import { ensureCollections } from '../store/schema.js';
import { Counters } from '../threads/counters.js';
import { compareShards, planOf, type VerifyInput, type VerifyReport } from './verify.js';

/** Records in one insert. */
const BATCH_SIZE = 5_000;

/** What a repair would do, and what it would leave. */
export interface RepairPlan {
  readonly insert: number;
  readonly replace: number;
  readonly assets: number;
  readonly events: number;
  /** Doubled, foreign and, in the time-series layout, different records, and foreign assets. */
  readonly leave: number;
}

export function planRepair({ records, assets, events }: VerifyReport, { dataset }: VerifyInput): RepairPlan {
  const replace = dataset.layout === 'flat' ? records.different : 0;
  return {
    insert: records.missing,
    replace,
    assets: assets.missing.length + assets.different.length,
    events: events ? events.missing.length + events.different.length : 0,
    leave:
      records.doubled +
      records.foreign +
      records.different -
      replace +
      assets.foreign.length +
      (events?.foreign.length ?? 0),
  };
}

/**
 * Does what {@link planRepair} says. Holds the database meanwhile, as a load does, and writes as a
 * load does: a repair that is killed leaves a run behind that `--resume` finishes.
 * @throws SeedError, also where another loader holds the database or takes it over
 */
export async function repairDataset(
  input: VerifyInput,
  report: VerifyReport,
  notice: (message: string) => void,
): Promise<void> {
  const { target, fleet, dataset, retryMs } = input;
  const plan = planRepair(report, input);
  const lastUpdated = instantOf(dataset.window.end);
  const wanted: Wanted = {
    layout: dataset.layout,
    cleaning: false,
    ttlDays: undefined,
    events: input.events,
    resuming: true,
    oldest: instantOf(dataset.window.start),
    lastUpdated,
    now: new Date(),
    assets: () => assetDocuments(fleet, lastUpdated),
  };
  const facts = await withRetry(() => inspectTarget(target.db), { limitMs: retryMs });
  refuseObstacles(wanted, facts);
  const schema = { layout: dataset.layout, clustered: canHold(facts.server).clustered, ttlDays: undefined };
  const runId = new ObjectId().toHexString();
  const connection = { ...input.connection, uri: target.uri, origin: 'named', opening: undefined } as const;
  const kept = { existing: 'keep', extending: undefined, events: input.events } as const;
  const holding = {
    connection,
    layout: dataset.layout,
    retry: { limitMs: retryMs },
    warn: notice,
    take: async (store: HeldWork['store']) => {
      await store.begin(newRun({ runId, fleet, dataset, plan: planOf(input) }, kept));
      return runId;
    },
    release: (store: HeldWork['store']) => store.withdraw(runId),
  };
  await whileHeld(holding, async (held) => {
    const { lease, loader } = held;
    await refuseUnlessUnchanged(input, held);
    const counters = Counters.forWorkers(input.workers);
    let lost: { error: unknown } | undefined;
    try {
      // Somebody may have dropped them; an insert alone would make them of another kind.
      await durably(held.target.db, lease, () =>
        ensureCollections(held.target.db, schema, notice, lease.guard),
      );
      if (plan.assets > 0) {
        const write = () => writeAssets(held.target.db, fleet, instantOf(dataset.window.end), lease.guard);
        await durably(held.target.db, lease, write);
      }
      if (plan.events > 0) {
        await durably(held.target.db, lease, () => writeEvents(held.target.db, fleet, dataset, lease.guard));
      }
      if (plan.insert > 0) await insertMissing(input, report, held, counters, notice);
      if (plan.replace > 0) {
        lease.attach(counters, (error) => {
          lost = { error };
          counters.stop();
        });
        const mending = {
          ...input,
          connection: connectionTo({ role: 'primary', address: undefined }, target.reader, connection),
        };
        await compareShards(
          mending,
          report.repairable,
          { counters: counters.shared, loader },
          () => undefined,
        );
      }
      await lease.renew();
    } catch (error) {
      // What the workers say of it then is that they were told to stop.
      throw lost ? lost.error : error;
    }
  });
}

/**
 * What is about to be written was decided before the database was held. @throws SeedError where
 * that is not so any more
 */
async function refuseUnlessUnchanged(
  { marks }: VerifyInput,
  { target, runId, retry }: HeldWork,
): Promise<void> {
  if ((await withRetry(() => runMarks(target.books, runId), retry)) === marks) return;
  throw new DatabaseHeld(
    'another loader has been at work on this database since it was compared: nothing is repaired',
    'compare again: repeat the command',
  );
}

/** Loads the shards in which records are missing once more: what is there stays. */
async function insertMissing(
  { target, connection, fleet, dataset, shardDays, workers, retryMs }: VerifyInput,
  { repairable }: VerifyReport,
  { target: { db }, lease, loader, runId }: HeldWork,
  counters: Counters,
  notice: (message: string) => void,
): Promise<void> {
  const pool = new LoadPool(workers);
  const plan = { ...planOf({ fleet, dataset, shardDays }), shards: repairable };
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
        rate: undefined,
        keepsOthers: true,
        loader,
        retryMs,
      },
      counters,
      // The run's own checkpoints stay as they are: these shards may be cut in another way.
      checkpoints: { db, store: { checkpoint: async () => undefined }, lease },
      mayHoldRecords: true,
      notice,
    }).run();
  } finally {
    await pool.destroy();
  }
}
