/** Looks at the target, applies the rules, and takes hold of it. */
import { ObjectId } from 'mongodb';
import { SECTIONS, type Settings } from '../config/settings.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { planLoad } from '../plan/index.js';
import { collectionsWithData, refuseOtherLayout, refuseUnknownLayout } from '../store/schema.js';
import type { Target } from '../store/target.js';
import { fleetOf } from './fleet.js';
import { refuseWhileHeld } from './lease.js';
import { withRetry } from './retry.js';
import type { RunDocument } from './run-document.js';
import type { NewRun, RunStore } from './run-store.js';
import { datasetOf, decideStart, type Request, type Start } from './start.js';

export interface PrepareInput {
  readonly target: Target;
  readonly store: RunStore;
  readonly request: Request;
  readonly settings: Settings;
  /** The document of a run that starts afresh. */
  readonly newRun: (runId: string) => NewRun;
  readonly notice: (message: string) => void;
}

/** `runId` is the run that is held now, or the one that needs no work; undefined where there is none. */
export interface Prepared {
  readonly start: Start;
  readonly runId: string | undefined;
}

/** Each round is lost only to another loader that came and went in the meantime. */
const ROUNDS = 5;

/**
 * Decides what to do with the target and, where there is something to do, holds it afterwards.
 * @throws SeedError where another loader holds the target, where it is not empty and nothing was said about that, or
 *   where options contradict the run to resume. Nothing is written before that.
 */
export async function prepareTarget(input: PrepareInput): Promise<Prepared> {
  const { target, store, request, settings, notice } = input;
  const { load } = settings;
  if (load.existing === 'clean' && load.environment === 'production' && !load.confirmed) {
    throw usageError(
      `--clean would remove data of the production database ${target.db.databaseName}`,
      'add --yes if that is what you want',
    );
  }
  for (let round = 0; round < ROUNDS; round++) {
    await refuseWhileHeld(store, notice);
    const known = await store.ids();
    // With --clean stored runs are about to go, so even one that cannot be read is no obstacle.
    const runs = load.existing === 'clean' ? [] : await store.list();
    const holding = await withRetry(() => collectionsWithData(target.db), store.retry);
    const start = decideStart({ runs, collectionsWithData: holding }, request, load);
    if (start.kind === 'resume') {
      refuseOtherPlan(start.run);
      await store.resume(start.run._id);
      return { start, runId: start.run._id };
    }
    if (start.kind !== 'fresh') return { start, runId: start.run?._id };

    refuseUnknownLayout(target.server.version, request.dataset.layout);
    if (!start.clean)
      await withRetry(() => refuseOtherLayout(target.db, request.dataset.layout), store.retry);
    const runId = new ObjectId().toHexString();
    await store.begin(input.newRun(runId));
    // What was decided holds only if nobody has begun and ended a load since.
    const others = (await store.ids()).filter((id) => id !== runId);
    if (others.length === known.length && others.every((id) => known.includes(id))) return { start, runId };
    await store.withdraw(runId);
  }
  throw new SeedError(
    ExitStatus.targetNotReady,
    'other loaders come and go on this database',
    'try again later',
  );
}

/** @throws SeedError for a run whose document does not fit what this version would load for it. */
export function refuseOtherPlan(run: RunDocument): void {
  const { window, sections } = datasetOf(run);
  const plan = planLoad(fleetOf(run), window, sections, run.shardDays);
  const fits = SECTIONS.every((section) => plan.counts[section] === run.planned[section]);
  if (fits && plan.shards.length === run.shards) return;
  throw new SeedError(
    ExitStatus.failure,
    `run ${run._id} cannot be resumed: its document does not fit the ${plan.records} records of its period`,
    'it was changed by hand or written by another version; use --clean to start again',
  );
}
