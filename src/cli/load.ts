/** `seed-database load`: one load, from flags to exit status. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { maskSecrets } from '../config/uri.js';
import { ExitStatus } from '../errors.js';
import { refuseNoLogFile } from '../output/log-file.js';
import { VERSION } from '../version.js';
import { commandHints, exitStatusOf, failureOf, resumeFlags } from './commands.js';
import { OF_CONNECTIONS } from './options.js';
import { askToRemove, confirmClean, listenForInterrupts } from './terminal.js';

type Flags = Partial<Record<SettingName, string>>;

/** Loads a dataset as the flags ask, or previews it with `--dry-run`. */
export async function load(flags: Flags): Promise<ExitStatus> {
  const configured = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
    unused: flags.dryRun === 'true' ? OF_CONNECTIONS : [],
  });
  if (configured.settings.load.dryRun) {
    const { printDryRun } = await import('./config.js');
    await printDryRun(configured.settings);
    return ExitStatus.done;
  }
  const settings = await confirmClean(configured.settings);
  refuseNoLogFile(settings.output.logFile);
  const [{ createReporter }, { runLoad }] = await Promise.all([
    import('../output/reporter.js'),
    import('../library/load.js'),
  ]);
  const mask = (text: string) => maskSecrets(text, settings);
  const reporter = createReporter(settings.output, {
    ...commandHints(flags, settings),
    resumeFlags: resumeFlags(flags, settings.load),
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
    const summary = await runLoad(settings, reporter, interrupts.signal, askToRemove(settings));
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
