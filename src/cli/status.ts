/** `seed-database status`: what a database holds. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { ExitStatus } from '../errors.js';
import { type DatabaseStatus, databaseStatus } from '../library/reading.js';
import { Screen } from '../output/screen.js';
import { assetLines, databaseLines, metricLines, runLines, serverLines } from '../output/status-text.js';
import { jsonText } from '../output/width.js';
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
  const show = (part: Partial<DatabaseStatus>) => {
    const { server, database, runs, assets, records } = part;
    const lines = [
      ...(server ? serverLines(server, settings.connection.database) : []),
      ...(database ? databaseLines(database) : []),
      ...(runs ? runLines(runs, commandHints(flags)) : []),
      ...(assets ? assetLines(assets) : []),
      ...(records ? metricLines(records) : []),
    ];
    screen.print(server ? [] : ['']);
    screen.print(lines.slice(0, 1), 'heading');
    screen.print(lines.slice(1));
  };
  const inform = (message: string) => notices.note(message);
  const found = await databaseStatus(settings, { inform }, json ? undefined : show);
  if (json) process.stdout.write(`${jsonText(found)}\n`);
  return ExitStatus.done;
}
