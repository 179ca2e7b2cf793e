/** `seed-database config`: the effective settings and where each comes from. */
import { type SettingName, settingEntry } from '../config/catalog.js';
import { maskUri, readConfiguration } from '../config/index.js';
import { ExitStatus } from '../errors.js';

/** Prints every setting as a table, or as JSON with `--json`. Secrets are masked. */
export function config(flags: Partial<Record<SettingName, string>>): ExitStatus {
  const { settings, effective } = readConfiguration({
    flags,
    environment: process.env,
    directory: process.cwd(),
  });
  const { uri, database } = settings.connection;
  const connection = { uri: maskUri(uri), database };
  if (settings.output.json) {
    process.stdout.write(`${JSON.stringify({ settings: effective, connection }, null, 2)}\n`);
    return ExitStatus.done;
  }
  const rows = effective.map(({ name, flag, variable, value, source }) => [
    // The value of a switch that turns something off is that of the setting, not of the switch.
    settingEntry(name).switchTo === 'false' ? name : (variable ?? flag ?? name),
    value ?? '-',
    source,
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  for (const [name, value, source] of rows) {
    process.stdout.write(`${name.padEnd(widths[0])}  ${value.padEnd(widths[1])}  ${source}\n`);
  }
  const otherwise =
    settings.connection.origin === 'default' ? ', or to a server of its own if nothing answers there' : '';
  process.stdout.write(`\nconnects to ${connection.uri}, database ${database}${otherwise}\n`);
  return ExitStatus.done;
}
