/** `seed-database config` and `fleet`: what a load would use. */
import { type SettingName, settingEntry } from '../config/catalog.js';
import { type EffectiveSetting, readConfiguration } from '../config/configuration.js';
import type { Settings } from '../config/settings.js';
import { maskUri } from '../config/uri.js';
import { ExitStatus } from '../errors.js';
import { derivedSettings, fleetFile, fleetJsonSchema, plannedLoad } from '../library/plan.js';
import { defaultLogFile } from '../output/log-file.js';
import { Screen } from '../output/screen.js';
import { dryRunLines } from '../output/tree-text.js';
import { escaped, isHarmful, jsonText } from '../output/width.js';

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

// Settings that nobody has given and that have no default: what takes effect follows from others.

type Derived = Readonly<Partial<Record<SettingName, readonly [value: string, why: string]>>>;

/**
 * Settings as they take effect: those that are unset get the value that a load would use, and why.
 * @throws SeedError where the fleet cannot be read
 */
async function inEffect(
  effective: readonly EffectiveSetting[],
  settings: Settings,
  now: Date,
): Promise<EffectiveSetting[]> {
  const derived = await derivedFrom(settings, now);
  return effective.map((setting) => {
    const [value, why] = derived[setting.name] ?? [];
    const isOpen = setting.source === 'unset' || setting.name === 'days';
    return value === undefined || !isOpen ? setting : { ...setting, value, source: `derived: ${why}` };
  });
}

async function derivedFrom(settings: Settings, now: Date): Promise<Derived> {
  const { load, output } = settings;
  const { window, workers, whyWorkers = '', shardDays, ...fleet } = await derivedSettings(settings, now);
  const anyway: Derived = {
    workers: [String(workers), whyWorkers],
    logFile: [output.logFile ?? defaultLogFile(now), 'when it starts, local time'],
  };
  const seeded = load.seed !== undefined;
  const ofFleet = typeof load.fleet.source === 'string' ? 'of the fleet' : 'of the default fleet';
  if (load.existing === 'resume') {
    const stored = ['of the run', 'with --resume'] as const;
    const names = ['start', 'end', 'seed', 'fleet', 'timezone', 'interval', 'jitter', 'shardDays'] as const;
    return { ...Object.fromEntries(names.map((name) => [name, stored])), ...anyway };
  }
  return {
    ...anyway,
    start: [window.start.toISOString(), `--end less ${load.window.days} days`],
    end: [
      window.end.toISOString(),
      load.window.start ? '--start and --days' : seeded ? '00:00 UTC of today, with --seed' : 'now',
    ],
    ...(load.window.start && load.window.end
      ? { days: [String(load.window.days), 'from --start to --end'] as const }
      : {}),
    seed: ['drawn', 'each load draws one, and prints it'],
    fleet: ['default', 'what "seed-database fleet" prints'],
    timezone: [fleet.timezone, ofFleet],
    interval: [fleet.interval, ofFleet],
    jitter: [String(fleet.jitterMs), ofFleet],
    shardDays: [String(shardDays), 'the default of a plan'],
  };
}

// `seed-database load --dry-run`: what a load would do.

/**
 * Prints the plan, its exact counts and its size; connects to nothing. With `--quiet` the final
 * line alone.
 */
export async function printDryRun({ load, output }: Settings): Promise<void> {
  const preview = await plannedLoad(load);
  if (output.json) {
    const { metrics, polling, backup } = preview.records;
    const records = { planned: metrics + polling + backup, ...preview.records };
    const shards = { total: preview.shards, days: preview.shardDays };
    const { seed = null, layout, window, assets, size } = preview;
    const plan = { status: 'dry run', seed, layout, window, assets, records, shards, size };
    const { expired = 0 } = preview;
    const result = expired > 0 ? { ...plan, expired } : plan;
    process.stdout.write(`${jsonText(result)}\n`);
    return;
  }
  const screen = new Screen(process.stdout, output.color, process.env.TERM);
  const [heading, ...lines] = dryRunLines(preview);
  const last = lines.pop() ?? '';
  if (!output.quiet) {
    screen.print([heading], 'heading');
    screen.print(lines);
  }
  screen.print([last], 'good');
}

// `seed-database fleet`: a fleet file.

export type FleetFormat = 'yaml' | 'json';

/**
 * Prints the default fleet, or the one of `--fleet` once it is found to be right, as a fleet file.
 */
export async function fleet(
  flags: Partial<Record<SettingName, string>>,
  format: FleetFormat,
): Promise<ExitStatus> {
  const { settings } = readConfiguration({ flags, environment: {} });
  const definition = await fleetFile(settings);
  if (format === 'json') printJson(definition);
  else process.stdout.write(await yamlText(definition));
  return ExitStatus.done;
}

/** Prints the JSON Schema of fleet files. */
export function fleetSchema(): ExitStatus {
  printJson(fleetJsonSchema());
  return ExitStatus.done;
}

function printJson(value: unknown): void {
  process.stdout.write(`${jsonText(value, 2)}\n`);
}

/** What a terminal would obey is in double quotes, where YAML has escapes for it. */
async function yamlText(value: unknown): Promise<string> {
  // The other commands here do without it.
  const { Document, isScalar, visit } = await import('yaml');
  const document = new Document(value);
  visit(document, {
    Scalar: (_key, node) => {
      if (isScalar(node) && typeof node.value === 'string' && isHarmful(node.value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return escaped(document.toString());
}
