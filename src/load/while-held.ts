/** Work on a database that is loaded already: under a hold like a load's, and over connections that bear the holder's name. */
import type { ConnectionSettings, Layout } from '../config/settings.js';
import type { Target } from '../store/target.js';
import { refuseUnmetWrites } from '../store/unmet-writes.js';
import { awaitEarlierLoaders } from './earlier-loaders.js';
import { explainFailure } from './explain.js';
import { Hold } from './hold.js';
import { drawLoader } from './holder.js';
import { refuseWhileHeld } from './lease.js';
import { openLoaderTarget } from './loader-target.js';
import { type RetryOptions, withRetry } from './retry.js';
import { RunStore } from './run-store.js';

export interface HoldingInput {
  /** Names a server that runs. */
  readonly connection: ConnectionSettings;
  readonly layout: Layout;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
  /** Takes hold, and says of which run. */
  readonly take: (store: RunStore) => Promise<string>;
  readonly release: (store: RunStore, runId: string) => Promise<void>;
}

/** What the work has at hand. */
export interface HeldWork {
  readonly target: Target;
  readonly store: RunStore;
  readonly hold: Hold;
  readonly loader: string;
  readonly runId: string;
  readonly retry: RetryOptions;
}

/** @throws SeedError where another loader holds the database, or takes it over meanwhile */
export async function whileHeld<T>(input: HoldingInput, work: (held: HeldWork) => Promise<T>): Promise<T> {
  const { connection, layout, retry, warn, take, release } = input;
  const loader = drawLoader();
  const target = await openLoaderTarget(connection, loader, { inform: () => undefined, warn }, retry);
  try {
    const store = new RunStore(target.books, loader, retry);
    await withRetry(() => refuseUnmetWrites(target.db), retry);
    await refuseWhileHeld(store, warn);
    await store.createIndexes();
    const runId = await take(store);
    const hold = new Hold(store, runId, retry);
    try {
      await awaitEarlierLoaders({ target, loader, layout, cleaning: false, retry, warn });
      return await work({ target, store, hold, loader, runId, retry });
    } finally {
      hold.end();
      await release(store, runId).catch(() => undefined);
    }
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}
