/** `seed-database status`: what a database holds. */

import type { Db } from 'mongodb';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { withLongReads } from '../connect/connect.js';
import { explainFailure } from '../connect/retry.js';
import { openTarget } from '../connect/target.js';
import { ExitStatus } from '../errors.js';
import { OWN_COLLECTIONS } from '../inspect/inspect.js';
import { Screen } from '../output/screen.js';
import { assetLines, databaseLines, metricLines, runLines, serverLines } from '../output/status-text.js';
import { jsonText } from '../output/width.js';
import { runHistory } from '../runs/run-history.js';
import { METRICS } from '../store/names.js';
import { existingLayout } from '../store/schema.js';
import { countAssetsByType, countRecordsByMetric, databaseStatistics } from '../store/statistics.js';
import { commandHints } from './commands.js';

/** Tests the connection and shows server, database, runs and counts; with `--json` as one object. */
export async function status(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const { json, color } = settings.output;
  const screen = new Screen(process.stdout, color, process.env.TERM);
  const notices = new Screen(process.stderr, color, process.env.TERM);
  const target = await openTarget(withLongReads(settings.connection), (message) => notices.note(message));
  try {
    const { db, reader, server } = target;
    const show = (lines: readonly string[], before = ['']) => {
      if (json) return;
      screen.print(before);
      screen.print(lines.slice(0, 1), 'heading');
      screen.print(lines.slice(1));
    };
    show(serverLines(server, db.databaseName), []);
    const database = await databaseStatistics(db, OWN_COLLECTIONS);
    show(databaseLines(database));
    const runs = await runHistory(target.books);
    show(runLines(runs, commandHints(flags)));
    const assets = await countAssetsByType(reader);
    show(assetLines(assets));
    // The slow part comes last: it reads every record.
    const records = METRICS in database.collections ? await countMetrics(reader) : {};
    show(metricLines(records));
    if (json) process.stdout.write(`${jsonText({ server, database, runs, assets, records })}\n`);
    return ExitStatus.done;
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

async function countMetrics(db: Db): Promise<Record<string, number>> {
  return countRecordsByMetric(db, (await existingLayout(db)) ?? 'flat');
}
