/** `seed-database config`: the effective settings and where each comes from. */
import { type SettingName, settingEntry } from '../config/catalog.js';
import { maskUri, readConfiguration } from '../config/index.js';
import { ExitStatus } from '../errors.js';
import { jsonText } from '../report/harmless.js';
import { Screen } from '../report/screen.js';
import { inEffect } from './derived.js';

/**
 * Prints every setting as it takes effect, as a table or as JSON with `--json`. Secrets are masked.
 * @throws SeedError where a setting, or the fleet, cannot be used
 */
export async function config(flags: Partial<Record<SettingName, string>>): Promise<ExitStatus> {
  const { settings, effective: given } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
  });
  const effective = await inEffect(given, settings, new Date());
  const { uri, database } = settings.connection;
  const connection = { uri: maskUri(uri), database };
  if (settings.output.json) {
    process.stdout.write(`${jsonText({ settings: effective, connection }, 2)}\n`);
    return ExitStatus.done;
  }
  const rows = effective.map(({ name, flag, variable, value, source }) => [
    // The value of a switch that turns something off is that of the setting, not of the switch.
    settingEntry(name).switchTo === 'false' ? name : (variable ?? flag ?? name),
    value ?? '-',
    source,
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map(
    ([name, value, source]) => `${name.padEnd(widths[0])}  ${value.padEnd(widths[1])}  ${source}`,
  );
  const otherwise =
    settings.connection.origin === 'default' ? ', or to a server of its own if nothing answers there' : '';
  const connects = `connects to ${connection.uri}, database ${database}${otherwise}`;
  new Screen(process.stdout, false, process.env.TERM).print([...lines, '', connects]);
  return ExitStatus.done;
}
