/**
 * Refreshing: the newest complete run grows up to a later instant. The minutes that are missing are loaded as a run of their own, with
 * checkpoints and resume like any other; once it is complete the two become one. Every value is a function of seed, series and
 * minute, so the result is what one longer load would have made.
 */
import { isDeepStrictEqual } from 'node:util';
import { MAX_DAYS } from '../config/schema.js';
import { ExitStatus, SeedError } from '../errors.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { MODEL_VERSION } from '../model/index.js';
import { loadedAssets, MINUTES_PER_DAY, type Window } from '../plan/index.js';
import type { Books } from '../store/books.js';
import { inspectTarget } from '../store/inspect.js';
import { METRICS, RUNS } from '../store/names.js';
import type { Target } from '../store/target.js';
import { DatabaseHeld } from './database-held.js';
import { expiredRecords, lifeOf } from './expiry.js';
import { fleetOf } from './fleet.js';
import { parseRun, type RunDocument } from './run-document.js';
import { datasetOf } from './start.js';

/** What a refresh has to do next. */
export type RefreshStep =
  | { readonly kind: 'extend'; readonly run: RunDocument; readonly window: Window }
  /** An extension that was interrupted: to be resumed. */
  | { readonly kind: 'resume'; readonly run: RunDocument }
  | { readonly kind: 'up to date'; readonly run: RunDocument };

/**
 * Decides what to load so that the newest run reaches up to `until` (minutes since the epoch). Runs that an earlier refresh has completed
 * are to be made one before.
 * @throws SeedError where there is no complete run, where one that is no extension is unfinished, or where this version does not
 *   make the run's values
 */
export async function nextRefresh(books: Books, until: number): Promise<RefreshStep> {
  const runs = await storedRuns(books);
  const unfinished = runs.find((run) => run.state !== 'complete');
  const run = unfinished ?? runs[0];
  if (!run) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `database ${books.databaseName} holds no run to refresh`,
      'load first: seed-database load',
    );
  }
  refuseOtherValues(run);
  if (unfinished?.extends !== undefined) return { kind: 'resume', run: unfinished };
  if (unfinished) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `run ${unfinished._id} of database ${books.databaseName} is unfinished`,
      'finish it first: seed-database --resume',
    );
  }
  const { start, end } = datasetOf(run).window;
  if (end >= until) return { kind: 'up to date', run };
  if (until - start > MAX_DAYS * MINUTES_PER_DAY) {
    throw new SeedError(
      ExitStatus.failure,
      `run ${run._id} would become longer than ${MAX_DAYS} days`,
      'trim its old end with --keep-days',
    );
  }
  return { kind: 'extend', run, window: { start: end, end: until } };
}

/** All runs, newest first. @throws SeedError for one that cannot be used */
export async function storedRuns(books: Books): Promise<RunDocument[]> {
  return (await books.collection(RUNS).find().sort({ startedAt: -1 }).toArray()).map(parseRun);
}

/** How many assets are asked for: enough to meet one, whatever fleet it is. */
const SOME_ASSETS = 1_000;

/**
 * To be asked before a run is called up to date, or extended.
 * @throws SeedError where none of its records is left, and the server has not removed them by itself; DatabaseHeld where another loader has
 *   changed it in the meantime
 */
export async function refuseWithoutRecords(
  { db, books }: Pick<Target, 'db' | 'books'>,
  runId: string,
): Promise<void> {
  const stored = await books.collection<{ _id: string }>(RUNS).findOne({ _id: runId });
  if (!stored) throw changedMeanwhile(runId);
  const run = parseRun(stored);
  const { metrics, polling, backup } = run.planned;
  const planned = metrics + polling + backup;
  if (planned === 0) return;
  const wanted = { fleet: fleetOf(run), dataset: datasetOf(run) };
  const assetIds = loadedAssets(wanted.fleet).map(({ assetId }) => assetId);
  const filter = {
    [run.layout === 'flat' ? 'asset_id' : 'meta.asset_id']: { $in: assetIds.slice(0, SOME_ASSETS) },
    timestamp: { $gte: run.window.start, $lt: run.window.end },
  };
  if (await db.collection(METRICS).findOne(filter, { projection: { timestamp: 1 } })) return;
  const life = lifeOf((await inspectTarget(db)).collections[METRICS]);
  if (expiredRecords(wanted, life, new Date()) >= planned) return;
  const now = await books.collection<{ _id: string }>(RUNS).findOne({ _id: runId });
  if (!isDeepStrictEqual(now, stored)) throw changedMeanwhile(runId);
  throw new SeedError(
    ExitStatus.failure,
    `the records of run ${runId} are not there any more: something else has removed them`,
    'seed-database verify --repair puts them back, a load with --clean starts again',
  );
}

function changedMeanwhile(runId: string): DatabaseHeld {
  return new DatabaseHeld(`another loader has changed run ${runId} since it was looked at`, 'refresh again');
}

function refuseOtherValues(run: RunDocument): void {
  const refuse = (what: string) => {
    throw new SeedError(
      ExitStatus.failure,
      `run ${run._id} cannot be refreshed: ${what}`,
      `use version ${run.version}, which loaded it`,
    );
  };
  if (run.modelVersion !== MODEL_VERSION) {
    refuse(`its values are of model version ${run.modelVersion}, this program's of ${MODEL_VERSION}`);
  }
  if (run.fleetFingerprint !== fleetFingerprint(fleetOf(run))) refuse('it was loaded with another fleet');
}
