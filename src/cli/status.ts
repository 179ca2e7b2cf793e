/** `seed-database status`: what a database holds. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/index.js';
import { ExitStatus } from '../errors.js';
import { databaseStatistics } from '../store/statistics.js';
import { openTarget } from '../store/target.js';

/** Prints the server and the statistics of the database, as JSON with `--json`. */
export async function status(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  const target = await openTarget(settings.connection, (message) => process.stderr.write(`${message}\n`));
  try {
    const database = await databaseStatistics(target.db);
    process.stdout.write(`${JSON.stringify({ server: target.server, database }, null, 2)}\n`);
    return ExitStatus.done;
  } catch (error) {
    throw target.explain(error);
  } finally {
    await target.close();
  }
}
