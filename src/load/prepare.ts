/** Looks at the target, applies the rules, and cleans it where that was asked for. */
import type { Settings } from '../config/settings.js';
import { usageError } from '../errors.js';
import type { Reporter } from '../report/types.js';
import { collectionsWithData, dropOwnCollections } from '../store/schema.js';
import type { Target } from '../store/target.js';
import type { RunStore } from './run-store.js';
import { decideStart, type Request, type Start } from './start.js';

/**
 * @throws SeedError where another loader holds the target, where it is not empty and nothing was said about that, or
 *   where options contradict the run to resume. Nothing is written before that.
 */
export async function prepareTarget(
  { db }: Target,
  store: RunStore,
  request: Request,
  { load }: Settings,
  reporter: Reporter,
): Promise<Start> {
  if (load.existing === 'clean' && load.environment === 'production' && !load.confirmed) {
    throw usageError(
      `--clean would remove data of the production database ${db.databaseName}`,
      'add --yes if that is what you want',
    );
  }
  await store.refuseWhileHeld((message) => reporter.on({ type: 'notice', level: 'warning', message }));
  // With --clean stored runs are about to go, so even one that cannot be read is no obstacle.
  const runs = load.existing === 'clean' ? [] : await store.list();
  const start = decideStart({ runs, collectionsWithData: await collectionsWithData(db) }, request, load);
  if (start.kind === 'fresh' && start.clean) {
    const collections = await dropOwnCollections(db);
    if (collections.length > 0) reporter.on({ type: 'cleaned', collections });
  }
  return start;
}
