/**
 * Refreshing: the newest complete run grows up to a later instant. The minutes that are missing are loaded as a run of their own, with
 * checkpoints and resume like any other; once it is complete the two become one. Every value is a function of seed, series and
 * minute, so the result is what one longer load would have made.
 */
import { MAX_DAYS } from '../config/schema.js';
import { ExitStatus, SeedError } from '../errors.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { MODEL_VERSION } from '../model/index.js';
import { MINUTES_PER_DAY, type Window } from '../plan/index.js';
import type { Books } from '../store/books.js';
import { RUNS } from '../store/names.js';
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
