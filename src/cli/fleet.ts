/** `seed-database fleet`: prints a fleet as a file, and what such a file may hold. */
import { Document, isScalar, visit } from 'yaml';
import type { SettingName } from '../config/catalog.js';
import { readConfiguration } from '../config/configuration.js';
import { ExitStatus } from '../errors.js';
import { fleetFile, fleetJsonSchema } from '../library/plan.js';
import { escaped, isHarmful, jsonText } from '../output/width.js';

export type FleetFormat = 'yaml' | 'json';

/**
 * Prints the default fleet, or the one of `--fleet` once it is found to be right, as a fleet file.
 */
export async function fleet(
  flags: Partial<Record<SettingName, string>>,
  format: FleetFormat,
): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: {} });
  print(await fleetFile(settings), format);
  return ExitStatus.done;
}

/** Prints the JSON Schema of fleet files. */
export function fleetSchema(): ExitStatus {
  print(fleetJsonSchema(), 'json');
  return ExitStatus.done;
}

function print(value: unknown, format: FleetFormat): void {
  process.stdout.write(format === 'yaml' ? yamlText(value) : `${jsonText(value, 2)}\n`);
}

/** What a terminal would obey is in double quotes, where YAML has escapes for it. */
function yamlText(value: unknown): string {
  const document = new Document(value);
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string' && isHarmful(node.value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return escaped(document.toString());
}
