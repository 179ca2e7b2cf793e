/** How a run is found to be complete. */
import type { PartState } from '../report/types.js';
import { ensureCollections } from '../store/schema.js';
import { schemaOf } from './collections.js';
import { durably } from './durably.js';
import { explainFailure } from './explain.js';
import type { Hold } from './hold.js';
import type { Job } from './job.js';
import { withRetry } from './retry.js';
import type { SessionResult } from './session.js';
import { StoredCount } from './stored-count.js';
import { type Begun, type HeldWork, mayHold } from './work.js';

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
