/** Opens the target of a load, and closes it again whatever happens. */
import type { LoadSummary } from '../report/types.js';
import { explainFailure } from './explain.js';
import { drawLoader } from './holder.js';
import { loadInto } from './load-into.js';
import { openLoaderTarget } from './loader-target.js';
import type { LoadInput } from './work.js';

export type LoadTargetInput = Omit<LoadInput, 'target' | 'loader'>;

/** @throws SeedError for every failure a user can meet. */
export async function loadTarget(input: LoadTargetInput): Promise<LoadSummary> {
  const { settings, reporter, interrupt } = input;
  const notice = (level: 'info' | 'warning') => (message: string) =>
    reporter.on({ type: 'notice', level, message });
  const loader = drawLoader(settings.load.part);
  const notices = { inform: notice('info'), warn: notice('warning') };
  const retry = { limitMs: settings.load.retrySeconds * 1000, stopping: () => interrupt.aborted };
  const target = await openLoaderTarget(settings.connection, loader, notices, retry, interrupt);
  try {
    reporter.on({ type: 'connected', server: target.server, database: target.db.databaseName });
    return await loadInto({ ...input, target, loader });
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}
