/** `seed-database serve`: keeps the embedded server up. */
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/index.js';
import { ExitStatus } from '../errors.js';

/** Serves until a signal stops it. The port is free unless `--port` names one: MONGODB_PORT means another server. */
export async function serve(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  // Judges the flags; the variables speak of servers to connect to, not of this one.
  readConfiguration({ flags, environment: {}, directory: process.cwd() });
  const port = flags.port === undefined ? undefined : Number(flags.port);
  const { serveUntilStopped } = await import('../store/embedded/index.js');
  await serveUntilStopped({ port, notice: (message) => process.stdout.write(`${message}\n`) });
  return ExitStatus.done;
}
