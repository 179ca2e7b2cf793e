/** How a run is found to be complete. */
import type { Document } from 'mongodb';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import { MODEL_VERSION } from '../model/index.js';
import type { PartState } from '../report/types.js';
import type { TargetFacts } from '../store/inspect.js';
import { METRICS } from '../store/names.js';
import { ensureCollections } from '../store/schema.js';
import { schemaOf } from './collections.js';
import { durably } from './durably.js';
import { lifeOf } from './expiry.js';
import { explainFailure } from './explain.js';
import type { Hold } from './hold.js';
import type { Job } from './job.js';
import { withRetry } from './retry.js';
import { type RunDocument, runDocument } from './run-document.js';
import type { SessionResult } from './session.js';
import { StoredCount } from './stored-count.js';
import { type Begun, type HeldWork, mayHold, type Work } from './work.js';

/** What the summary says besides a session's work. */
export interface Ending {
  readonly skipped: number;
  /** True where parts of the run are missing. */
  readonly others?: boolean;
  /** Of a shared run that has not been interrupted. */
  readonly parts?: readonly PartState[];
  /** Records in `metrics`, where they have been counted. */
  readonly stored?: number;
}

/** Counts what is there: to be started before the first record is written. */
export function countOf({ target, settings, expiry }: HeldWork, job: Job, start: Begun): StoredCount {
  return new StoredCount({
    db: target.db,
    job,
    life: expiry.life,
    mayHoldRecords: mayHold(start),
    extending: settings.load.extending !== undefined,
  });
}

/**
 * Counts a run that was found complete: its document says what was there once. Resolves with the number of records in `metrics`.
 * @throws SeedError where records or assets are missing
 */
export async function confirmComplete(
  { target, store, retry }: Pick<Work, 'target' | 'store' | 'retry'>,
  job: Job,
  run: RunDocument,
  facts: TargetFacts,
): Promise<number | undefined> {
  // Of a version that makes other records nothing can be said.
  if (run.modelVersion !== MODEL_VERSION || run.fleetFingerprint !== fleetFingerprint(job.fleet))
    return undefined;
  const life = lifeOf(facts.collections[METRICS]);
  const count = new StoredCount({ db: target.db, job, life, mayHoldRecords: true, extending: false });
  const beside = recordsBeside(job, await store.documents());
  return withRetry(() => count.confirmComplete(beside), retry);
}

/** How many records there may be beside a job's own. */
function recordsBeside({ runId, plan, whole = plan }: Job, stored: readonly Document[]): number {
  let records = whole.records - plan.records;
  for (const document of stored) {
    const run = runDocument.safeParse(document).data;
    if (!run || run.beside?.includes(METRICS)) return Number.POSITIVE_INFINITY;
    if (run._id !== runId) records += run.planned.metrics + run.planned.polling + run.planned.backup;
  }
  return records;
}

/**
 * Counts what is there; then the last step of a run, taken by whoever completes it: of several loaders, the one whose part is the last. It
 * bears repetition, since after a crash in it whoever comes next takes it again, and since two parts may end at once.
 * @throws SeedError where records are missing
 */
export async function finishRun(
  { parts, target, retry, ...work }: HeldWork,
  job: Job,
  hold: Hold,
  count: StoredCount,
  { inserted }: SessionResult,
): Promise<Omit<Ending, 'skipped'>> {
  const stored = await withRetry(() => count.confirm(inserted), retry).catch((error) => {
    throw explainFailure(error, (cause) => target.explain(cause));
  });
  if (!parts) return { stored };
  const isLast = await parts.complete(job.runId, hold.guard);
  if (isLast) {
    const schema = schemaOf(work, job);
    await durably(target.db, hold, () => ensureCollections(target.db, schema, work.warn, hold.guard));
    await parts.completeRun(job.runId, hold.guard);
  }
  const states = await parts.states(job.runId);
  // Another one may have been the last since.
  return { stored, others: !isLast && states.some(({ state }) => state !== 'complete'), parts: states };
}
