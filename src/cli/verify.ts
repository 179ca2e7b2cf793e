/** `seed-database verify`: compares a database with the dataset that it should hold. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { ExitStatus } from '../errors.js';
import { type NextStep, verifyDatabase } from '../library/verify.js';
import { Screen } from '../output/screen.js';
import { shellWord } from '../output/shell.js';
import { STOPPED_CLEANING } from '../output/status-text.js';
import { jsonText } from '../output/width.js';
import { commandHints, flagText } from './commands.js';
import { CONNECTION_SETTINGS, VERIFY_SETTINGS } from './options.js';
import { askForName, Progress } from './terminal.js';
import { type NextCommand, repairLines, reportLines, selectionLines, verifyResult } from './verify-text.js';

type Flags = Partial<Record<SettingName, string>>;

export interface VerifyOptions {
  readonly repair: boolean;
  /** Id of the run to verify; undefined: the newest one. */
  readonly run: string | undefined;
}

/** @returns done where database and dataset are equal, failure where they differ. */
export async function verify(flags: Flags, { repair, run }: VerifyOptions): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  const { output, connection } = settings;
  const { database } = connection;
  const screen = new Screen(output.json ? process.stderr : process.stdout, output.color, process.env.TERM);
  const errors = new Screen(process.stderr, output.color, process.env.TERM);
  const say = (lines: readonly string[]) => output.quiet || screen.print(lines);
  const progress = new Progress(output.quiet ? undefined : screen);
  const verified = await verifyDatabase(settings, {
    run,
    repair,
    inform: (message) => say([message]),
    warn: (message) => errors.print([`⚠️  ${message}`], 'warning'),
    onSelected: (selection) => say(selectionLines(selection, database)),
    onProgress: (compared, planned) => progress.show(compared, planned),
    onRepair: (plan, report) => {
      progress.end();
      say(reportLines(report));
      say(repairLines(plan));
    },
    confirm: async () => askForName('This changes the production database', database) ?? false,
  }).finally(() => progress.end());
  const { report, selection, repaired } = verified;
  const next = nextCommand(verified.next, flags, run);
  if (output.quiet) screen.print(output.json ? [] : reportLines(report).slice(0, 1));
  else say(reportLines(report, next));
  if (output.json) {
    process.stdout.write(`${jsonText(verifyResult(report, selection, database, repaired, next))}\n`);
  }
  return report.status === 'equal' ? ExitStatus.done : ExitStatus.failure;
}

/** Flags of `verify` that say what is compared, and how. */
const COMPARING = VERIFY_SETTINGS.filter((name) => name !== 'quiet' && !CONNECTION_SETTINGS.includes(name));

/** @param run as typed: `--run` */
function nextCommand(next: NextStep, flags: Flags, run: string | undefined): NextCommand | undefined {
  const { program, connectionFlags, beside } = commandHints(flags);
  const command = (text: string) => `${program} ${text}${connectionFlags}`;
  switch (next) {
    case 'wait for the loader':
      return { what: `A loader is at work; see when it is done${beside}`, command: command('status') };
    case 'look at open runs':
      return { what: `Not finished; see what is open${beside}`, command: command('status') };
    case 'resume the cleaning':
      return { what: `Not finished: it ${STOPPED_CLEANING}${beside}`, command: command('--resume') };
    case 'resume':
      return { what: `Not finished; continue with${beside}`, command: command('--resume') };
    case 'repair': {
      const which = run === undefined ? '' : ` --run ${shellWord(run)}`;
      const same = flagText(flags, COMPARING);
      return { what: `Repair with${beside}`, command: command(`verify --repair${which}${same}`) };
    }
    case 'clean':
      return { what: 'What is too much only --clean, or you, can remove', command: undefined };
    case 'nothing':
      return undefined;
  }
}
