/** `seed-database fleet`: prints the fleet. */
import { stringify } from 'yaml';
import { ExitStatus, usageError } from '../errors.js';
import { DEFAULT_FLEET } from '../fleet/default.js';

/** Prints the default fleet as YAML or JSON. */
export function fleet(format: string): ExitStatus {
  if (format !== 'yaml' && format !== 'json') throw usageError(`--format ${format}: must be yaml or json`);
  const text = format === 'yaml' ? stringify(DEFAULT_FLEET) : `${JSON.stringify(DEFAULT_FLEET, null, 2)}\n`;
  process.stdout.write(text);
  return ExitStatus.done;
}
