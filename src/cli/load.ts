/** `seed-database load`: one load, from flags to exit status. */
import type { SettingName } from '../config/catalog.js';
import { maskSecrets, readConfiguration } from '../config/index.js';
import { ExitStatus, SeedError } from '../errors.js';
import { confirmClean } from './confirm.js';
import { listenForInterrupts } from './interrupt.js';
import { exitStatusOf } from './run.js';

/** Loads a dataset as the flags ask, or previews it with `--dry-run`. */
export async function load(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  const configured = readConfiguration({ flags, environment: process.env, directory: process.cwd() });
  if (configured.settings.load.dryRun) {
    const { printPreview } = await import('./preview.js');
    printPreview(configured.settings);
    return ExitStatus.done;
  }
  const settings = await confirmClean(configured.settings);
  const [{ createReporter }, { runLoad }] = await Promise.all([
    import('../report/index.js'),
    import('../load/index.js'),
  ]);
  const reporter = createReporter(settings.output);
  const interrupts = listenForInterrupts((message) =>
    reporter.on({ type: 'notice', level: 'warning', message }),
  );
  try {
    const summary = await runLoad(settings, reporter, interrupts.signal);
    reporter.finish(summary);
    return summary.status === 'interrupted' ? ExitStatus.interrupted : ExitStatus.done;
  } catch (error) {
    reporter.fail(asSeedError(error, (text) => maskSecrets(text, settings)));
    if (settings.output.logLevel === 'debug' && error instanceof Error) {
      process.stderr.write(`${maskSecrets(error.stack ?? '', settings)}\n`);
    }
    return exitStatusOf(error);
  } finally {
    interrupts.stop();
    await reporter.close();
  }
}

/** Any failure as one that can be shown: expected ones as they are, others named unexpected, both without secrets. */
function asSeedError(error: unknown, mask: (text: string) => string): SeedError {
  if (error instanceof SeedError) {
    return new SeedError(error.exitStatus, mask(error.message), mask(error.remedy), { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new SeedError(ExitStatus.failure, mask(`unexpected error: ${message.replace(/\s+/g, ' ')}`), '', {
    cause: error,
  });
}
