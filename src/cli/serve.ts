/** `seed-database serve`: keeps the embedded server up. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { ExitStatus } from '../errors.js';
import { Screen } from '../output/screen.js';
import { OF_CONNECTIONS } from './options.js';
import { listenForInterrupts } from './terminal.js';

/** Serves until a signal stops it. The port is free unless `--port` names one: MONGODB_PORT means another server. */
export async function serve(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  // Judges the flags; the variables speak of servers to connect to, not of this one.
  const { settings } = readConfiguration({
    flags,
    environment: {},
    directory: process.cwd(),
    unused: [...OF_CONNECTIONS, 'environment'],
  });
  const port = flags.port === undefined ? undefined : Number(flags.port);
  const { serveUntilStopped } = await import('../library/serve.js');
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
