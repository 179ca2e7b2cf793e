/** `seed-database fleet`: prints the fleet. */
import { stringify } from 'yaml';
import { ExitStatus } from '../errors.js';
import { DEFAULT_FLEET } from '../fleet/default.js';

export type FleetFormat = 'yaml' | 'json';

/** Prints the default fleet as YAML or JSON. */
export function fleet(format: FleetFormat): ExitStatus {
  const text = format === 'yaml' ? stringify(DEFAULT_FLEET) : `${JSON.stringify(DEFAULT_FLEET, null, 2)}\n`;
  process.stdout.write(text);
  return ExitStatus.done;
}
