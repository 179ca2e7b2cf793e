/** `seed-database status`: what a database holds. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { maskSecrets } from '../config/uri.js';
import { ExitStatus } from '../errors.js';
import { type DatabaseStatus, databaseStatus } from '../library/reading.js';
import { examine, type Finding } from '../library/server.js';
import { tree } from '../output/format.js';
import { Screen } from '../output/screen.js';
import { databaseLines, metricLines, runLines, serverLines, storedAssetLines } from '../output/tree-text.js';
import { jsonText } from '../output/width.js';
import { commandHints, withTypedFlags } from './commands.js';
import { OF_CONNECTIONS } from './options.js';
import { listenForInterrupts } from './terminal.js';

/**
 * Tests the connection and shows server, database, runs and counts; with `--json` as one object.
 */
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
      ...(assets ? storedAssetLines(assets) : []),
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

// `seed-database doctor`: can a load with these settings end well, and if not, what would help?

const MARKS = { good: '✅', warning: '⚠️ ', bad: '❌' } as const;

/**
 * Looks at everything that a load with these flags depends on, and writes nothing.
 * @returns done, or the exit status that such a load would end with
 */
export async function doctor(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  const { settings } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: ['environment'],
  });
  const { output } = settings;
  const screen = new Screen(process.stdout, output.color, process.env.TERM);
  const notices = new Screen(process.stderr, output.color, process.env.TERM);
  const shown = (finding: Finding): Finding => ({
    ...finding,
    detail: maskSecrets(finding.detail, settings),
    remedy: withTypedFlags(maskSecrets(finding.remedy, settings)),
  });
  const findings = await examine(
    settings,
    (message) => notices.note(message),
    (finding) => output.json || screen.print(linesOf(shown(finding))),
  );
  const worst = findings.find(({ state }) => state === 'bad');
  if (output.json) {
    const checks = findings.map(shown).map(({ exitStatus: _, ...finding }) => finding);
    process.stdout.write(`${jsonText({ status: worst ? 'failed' : 'good', checks })}\n`);
  } else screen.print(['', worst ? '❌ A load would fail' : '🎯 Ready to load'], worst ? 'bad' : 'good');
  return worst?.exitStatus ?? ExitStatus.done;
}

function linesOf({ subject, state, detail, remedy }: Finding): string[] {
  return [`${MARKS[state]} ${subject}: ${detail}`, ...(remedy === '' ? [] : tree([remedy]))];
}

// `seed-database serve`: keeps the embedded server up.

/**
 * Serves until a signal stops it. The port is free unless `--port` names one: MONGODB_PORT means
 * another server.
 */
export async function serve(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  // Judges the flags; the variables speak of servers to connect to, not of this one.
  const { settings } = readConfiguration({
    flags,
    environment: {},
    directory: process.cwd(),
    unused: [...OF_CONNECTIONS, 'environment'],
  });
  const port = flags.port === undefined ? undefined : Number(flags.port);
  const { serveUntilStopped } = await import('../library/server.js');
  const screen = new Screen(process.stdout, false, process.env.TERM);
  const notice = (message: string) => screen.print([message]);
  const interrupts = listenForInterrupts(
    () => undefined,
    (failure) =>
      new Screen(process.stderr, settings.output.color, process.env.TERM).fail({
        ...failure,
        remedy: 'MongoDB closes its files by itself; its data stay',
      }),
  );
  try {
    await serveUntilStopped({ port, notice }, interrupts.signal);
  } finally {
    interrupts.stop();
  }
  return ExitStatus.done;
}
