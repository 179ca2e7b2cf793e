/** Opens the target of a load, and closes it again whatever happens. */
import type { ConnectionSettings } from '../config/settings.js';
import type { LoadSummary } from '../report/types.js';
import { openTarget } from '../store/target.js';
import { explainFailure } from './explain.js';
import { type LoadInput, loadInto } from './load-into.js';
import { drawLoader } from './run-store.js';
import { formatLoaderName } from './stragglers.js';

export type LoadTargetInput = Omit<LoadInput, 'target' | 'loader'>;

/** @throws SeedError for every failure a user can meet. */
export async function loadTarget(input: LoadTargetInput): Promise<LoadSummary> {
  const { settings, reporter } = input;
  const inform = (message: string) => reporter.on({ type: 'notice', level: 'info', message });
  const loader = drawLoader(settings.load.part);
  const target = await openTarget(withLoaderName(settings.connection, loader), inform);
  try {
    reporter.on({ type: 'connected', server: target.server, database: target.db.databaseName });
    return await loadInto({ ...input, target, loader });
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

/** The main thread's connections bear the loader's name as well: what they drop or create must not come late either. */
function withLoaderName(connection: ConnectionSettings, loader: string): ConnectionSettings {
  const appName = formatLoaderName({ database: connection.database, loader, thread: 0, generation: 0 });
  return { ...connection, options: { ...connection.options, appName } };
}
