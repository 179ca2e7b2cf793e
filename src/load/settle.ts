/**
 * What a refresh does to runs that are complete: extensions become one with the run that they extend, and the old end goes. Both
 * change what a run promises, so they are done while it is held, as a load holds it.
 */
import type { ConnectionSettings } from '../config/settings.js';
import { planLoad } from '../plan/index.js';
import type { Books } from '../store/books.js';
import { RUNS, SHARDS } from '../store/names.js';
import { lostHold } from './database-held.js';
import { fleetOf } from './fleet.js';
import { storedRuns } from './refresh.js';
import { type RetryOptions, withRetry } from './retry.js';
import type { RunDocument } from './run-document.js';
import { datasetOf } from './start.js';
import { hasOldEnd, trimOldEnd } from './trim.js';
import { type HeldWork, whileHeld } from './while-held.js';

export interface SettleInput {
  readonly books: Books;
  /** Names a server that runs. */
  readonly connection: ConnectionSettings;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

/**
 * Makes one run of each extension that is complete and the run that it extends; with `keepDays`, also removes the newest run's records
 * that are older than its newest so many days. Resolves with the number of records removed. What was interrupted is finished by the next
 * call; where there is nothing to do, nothing is held.
 * @throws SeedError where another loader holds the database, or takes it over meanwhile
 */
export async function settleRuns(input: SettleInput, keepDays?: number): Promise<number> {
  const runs = await withRetry(() => storedRuns(input.books), input.retry);
  const complete = runs.filter(({ state }) => state === 'complete');
  const bases = new Set(complete.filter((run) => isExtension(run, complete)).map((run) => run.extends));
  for (const base of complete.filter(({ _id }) => bases.has(_id))) await hold(input, base, mergeInto);
  const newest = complete.find((run) => !isExtension(run, complete));
  if (keepDays === undefined || !newest) return 0;
  const isOld = bases.has(newest._id) || hasOldEnd(newest, keepDays);
  return isOld ? hold(input, newest, (held) => trimOldEnd(held, keepDays)) : 0;
}

function isExtension(run: RunDocument, complete: readonly RunDocument[]): boolean {
  return run.extends !== undefined && complete.some(({ _id }) => _id === run.extends);
}

function hold<T>(input: SettleInput, run: RunDocument, work: (held: HeldWork) => Promise<T>): Promise<T> {
  const take = async (store: HeldWork['store']) => {
    await store.holdComplete(run._id);
    return run._id;
  };
  return whileHeld(
    { ...input, layout: run.layout, take, release: (store, runId) => store.release(runId) },
    work,
  );
}

/** Each step bears repetition: the hold keeps everybody else away from the run. */
async function mergeInto({ target: { books }, store, hold, runId, retry }: HeldWork): Promise<void> {
  const runs = books.collection<RunDocument>(RUNS);
  const stored = await withRetry(() => storedRuns(books), retry);
  const extensions = stored.filter((run) => run.extends === runId && run.state === 'complete');
  for (const extension of extensions.sort((a, b) => Number(a.window.start) - Number(b.window.start))) {
    const base = await store.held(runId);
    const { window, sections } = datasetOf(base);
    const added = datasetOf(extension).window;
    // A merge that was interrupted here has done the first step.
    if (added.start <= window.end && added.end > window.end) {
      const { counts } = planLoad(fleetOf(base), { ...window, end: added.end }, sections, base.shardDays);
      const grown = {
        'window.end': extension.window.end,
        planned: counts,
        shards: base.shards + extension.shards,
      };
      const finishedAt = extension.finishedAt ?? extension.heartbeat;
      await store.change(runId, { $set: grown, $max: { finishedAt } }, hold.guard);
    }
    const moved = { $set: { run: runId } };
    await withRetry(
      () => hold.guard((limit) => books.collection(SHARDS).updateMany({ run: extension._id }, moved, limit)),
      retry,
    );
    const gone = { _id: extension._id, state: 'complete' } as const;
    const deleted = await withRetry(() => hold.guard((limit) => runs.deleteOne(gone, limit)), retry);
    if (deleted.deletedCount === 0 && (await runs.findOne({ _id: extension._id }))) throw lostHold();
  }
}
