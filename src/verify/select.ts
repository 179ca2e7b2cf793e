/** Which dataset a database is compared with: a stored run's, or one that is described by hand. */

import type { Settings } from '../config/settings.js';
import type { Books } from '../connect/bookkeeping.js';
import type { Target } from '../connect/target.js';
import { type Dataset, requestedDataset, requestedFleet } from '../dataset/dataset.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { Fleet } from '../fleet/types.js';
import { MODEL_VERSION } from '../model/telemetry-model.js';
import { datasetOf, fleetOf, parseRun, type RunDocument, runMarks } from '../runs/run-document.js';
import { storedRun, usableRuns } from '../runs/run-history.js';
import { existingLayout, refuseOtherLayout } from '../store/schema.js';
import type { OtherDataset } from './verify.js';

export interface Selection {
  readonly dataset: Dataset;
  readonly fleet: Fleet;
  /** Undefined where the dataset was described by hand. */
  readonly run: RunDocument | undefined;
  /** What other stored runs have put beside it, with `--skip-cleanup`: not foreign. */
  readonly others: readonly OtherDataset[];
  /** See {@link runMarks}: of the runs that this was selected from. */
  readonly marks: string;
}

/** Flags that describe a dataset. */
export const DESCRIBING: readonly string[] = [
  '--days',
  '--seed',
  '--start',
  '--end',
  '--fleet',
  '--scale',
  '--timezone',
  '--interval',
  '--jitter',
  '--layout',
  '--environment',
  '--availability-scale',
  '--assets-only',
  '--metrics-only',
  '--polling-only',
  '--backup-only',
];

/**
 * The newest run's dataset, that of the run named, or the one that flags describe.
 * @throws SeedError where there is no such run, where this version cannot recompute it, or where
 *   flags do not suffice
 */
export async function selectDataset(
  target: Pick<Target, 'db' | 'books'>,
  settings: Settings,
  runId: string | undefined,
): Promise<Selection> {
  // Before anything else is read of them: a change in between is seen as one.
  const marks = await runMarks(target.books);
  return { ...(await select(target, settings, runId)), marks };
}

async function select(
  target: Pick<Target, 'db' | 'books'>,
  { load }: Settings,
  runId: string | undefined,
): Promise<Omit<Selection, 'marks'>> {
  const describing = load.given.filter((flag) => DESCRIBING.includes(flag));
  if (describing.length === 0) return selectRun(target, runId);
  if (runId !== undefined) {
    throw usageError(
      `--run and ${describing[0]} exclude each other: a stored run says all about its dataset`,
    );
  }
  if (load.seed === undefined) {
    throw usageError(
      `${describing[0]} describes a dataset by hand, which needs --seed as well`,
      'without any such flag the newest run of the database is verified',
    );
  }
  const { db, books } = target;
  const stored = await existingLayout(db);
  const layout = load.given.includes('--layout') ? load.layout : (stored ?? load.layout);
  const dataset = { ...requestedDataset(load, new Date()), layout };
  await refuseOtherLayout(db, layout);
  const fleet = await requestedFleet(load.fleet);
  return { dataset, fleet, run: undefined, others: await otherDatasets(books, undefined) };
}

async function selectRun(
  { db, books }: Pick<Target, 'db' | 'books'>,
  runId: string | undefined,
): Promise<Omit<Selection, 'marks'>> {
  const stored = await storedRun(books, runId);
  if (!stored) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      runId === undefined
        ? `database ${db.databaseName} holds no run of this program`
        : `database ${db.databaseName} holds no run ${runId}`,
      'load first, or describe the dataset with --seed, --days and --end',
    );
  }
  const run = parseRun(stored);
  const refuse = (what: string, remedy: string) => {
    throw new SeedError(ExitStatus.failure, `run ${run._id} cannot be verified: ${what}`, remedy);
  };
  if (run.modelVersion !== MODEL_VERSION) {
    refuse(
      `its values are of model version ${run.modelVersion}, this program's of ${MODEL_VERSION}`,
      `use version ${run.version}, which loaded it`,
    );
  }
  const fleet = fleetOf(run);
  if (run.fleetFingerprint !== fleetFingerprint(fleet)) {
    refuse('it was loaded with another fleet', `use version ${run.version}, which loaded it`);
  }
  await refuseOtherLayout(db, run.layout);
  return { dataset: datasetOf(run), fleet, run, others: await otherDatasets(books, run._id) };
}

/** Runs that cannot be read say nothing about what belongs here. */
async function otherDatasets(books: Books, runId: string | undefined): Promise<OtherDataset[]> {
  const runs = await usableRuns(books);
  return runs
    .filter(({ _id }) => _id !== runId)
    .map((run) => ({ dataset: datasetOf(run), fleet: fleetOf(run), events: run.events === true }));
}
