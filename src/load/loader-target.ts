/** The target of whoever writes: its connections bear the loader's name, and its bookkeeping is as durable as the server can make it. */
import type { ConnectionSettings } from '../config/settings.js';
import { refuseLocked } from '../store/obstacles.js';
import { openTarget, type Target } from '../store/target.js';
import { explainFailure } from './explain.js';
import { type RetryOptions, withRetry } from './retry.js';
import { formatLoaderName } from './stragglers.js';

export interface Notices {
  readonly inform: (message: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * Opens it. What the main thread drops or writes must not come late either, so that whoever takes over waits for its connections as for
 * those of the workers.
 * @throws SeedError as {@link openTarget}
 */
export async function openLoaderTarget(
  connection: ConnectionSettings,
  loader: string,
  { inform, warn }: Notices,
  retry: RetryOptions,
  signal?: AbortSignal,
): Promise<Target> {
  const appName = formatLoaderName({ database: connection.database, loader, thread: 0, generation: 0 });
  const named = { ...connection, options: { ...connection.options, appName } };
  const target = await openTarget(named, inform, signal);
  try {
    await withRetry(() => refuseLocked(target.db), retry);
    const books = await withRetry(() => target.books.forWriting(), retry);
    if (!books.abilities.journal) {
      warn(
        'this server keeps no journal: if it crashes it can lose what it has acknowledged, finished shards too; verify then tells',
      );
    }
    return { ...target, books };
  } catch (error) {
    await target.close();
    throw explainFailure(error, (cause) => target.explain(cause));
  }
}
