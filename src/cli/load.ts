/** `seed-database load`: one load, from flags to exit status. */
import { type SettingName, settingEntry } from '../config/catalog.js';
import { maskSecrets, maskUris, readConfiguration } from '../config/index.js';
import type { Part } from '../config/settings.js';
import { ExitStatus } from '../errors.js';
import { refuseNoLogFile } from '../report/open-log.js';
import { VERSION } from '../version.js';
import { confirmClean } from './confirm.js';
import { exitStatusOf, failureOf } from './failure.js';
import { listenForInterrupts } from './interrupt.js';

type Flags = Partial<Record<SettingName, string>>;

/** Flags that say which database is meant. */
const CONNECTION_FLAGS: readonly SettingName[] = ['uri', 'host', 'port', 'database', 'username', 'envFile'];

/** Loads a dataset as the flags ask, or previews it with `--dry-run`. */
export async function load(flags: Flags): Promise<ExitStatus> {
  const configured = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  if (configured.settings.load.dryRun) {
    const { printPreview } = await import('./preview.js');
    await printPreview(configured.settings);
    return ExitStatus.done;
  }
  const settings = await confirmClean(configured.settings);
  refuseNoLogFile(settings.output.logFile);
  const [{ createReporter }, { runLoad }] = await Promise.all([
    import('../report/index.js'),
    import('../load/index.js'),
  ]);
  const mask = (text: string) => maskSecrets(text, settings);
  const reporter = createReporter(settings.output, {
    connectionFlags: connectionFlags(flags),
    resumeFlags: partFlags(settings.load.part),
    mask,
  });
  const notice = (level: 'debug' | 'warning', message: string) =>
    reporter.on({ type: 'notice', level, message });
  const interrupts = listenForInterrupts(
    (message) => notice('warning', message),
    (failure) => reporter.fail(failure),
  );
  try {
    const { given, writer } = settings.load;
    notice('debug', `seed-database ${VERSION}, Node ${process.version}, ${process.platform} ${process.arch}`);
    notice('debug', `flags given: ${given.join(' ') || 'none'}; writer asked for: ${writer}`);
    const summary = await runLoad(settings, reporter, interrupts.signal);
    reporter.finish(summary);
    return summary.status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
  } catch (error) {
    reporter.fail(failureOf(error, settings.output.logLevel === 'debug', mask));
    return exitStatusOf(error);
  } finally {
    interrupts.stop();
    await reporter.close();
  }
}

/** The flags, as a shell takes them, that make another command of this program reach the same database. */
function connectionFlags(flags: Flags): string {
  return CONNECTION_FLAGS.map((name) => {
    const text = flags[name];
    return text === undefined ? '' : ` ${settingEntry(name).flag} ${shellWord(maskUris(text))}`;
  }).join('');
}

/** A part of a shared run is resumed as that part. */
function partFlags(part: Part | undefined): string {
  return part ? ` --parts ${part.of} --part ${part.number}` : '';
}

function shellWord(text: string): string {
  return /^[\w.,:/=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
