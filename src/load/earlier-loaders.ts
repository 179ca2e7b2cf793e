/** Whoever takes a database over waits until nothing of an earlier loader can reach the data any more. */
import type { Layout, Part } from '../config/settings.js';
import type { Books } from '../store/books.js';
import { RUNS } from '../store/names.js';
import type { Target } from '../store/target.js';
import { EarlierLoaderConnected } from './database-held.js';
import { LEASE_MS } from './holder.js';
import { type RetryOptions, withRetry } from './retry.js';
import { isOtherPart, waitForStragglers } from './stragglers.js';

export interface EarlierLoaders {
  readonly target: Pick<Target, 'db' | 'books'>;
  readonly loader: string;
  readonly layout: Layout;
  /** True where this loader is about to remove what is there. */
  readonly cleaning: boolean;
  readonly part?: Part;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

/**
 * Waits for them, for as long as a lease. A stopped process that only inserts cannot harm what a run of the same identifiers writes, and
 * is left alone then; one that may be about to remove something could, as it could anything else.
 * @throws EarlierLoaderConnected where one is still connected that could do harm
 */
export async function awaitEarlierLoaders(input: EarlierLoaders): Promise<void> {
  const { target, loader, layout, cleaning, part, retry, warn } = input;
  const gone = await withRetry(
    () =>
      waitForStragglers(target.db, {
        isStraggler: (seen) => seen.loader !== loader && !isOtherPart(seen.loader, part),
        limitMs: LEASE_MS,
        notice: warn,
      }),
    retry,
  );
  if (gone) return;
  if (cleaning || layout === 'timeseries' || (await withRetry(() => isRemoving(target.books), retry))) {
    throw new EarlierLoaderConnected();
  }
}

/** True where some loader was cleaning or trimming when it was last heard of. */
async function isRemoving(books: Books): Promise<boolean> {
  const removing = { $or: [{ cleaning: true }, { trimmedFrom: { $exists: true } }] };
  return (await books.collection(RUNS).countDocuments(removing, { limit: 1 })) > 0;
}
