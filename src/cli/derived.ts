/** Settings that nobody has given and that have no default: what takes effect follows from others. */
import type { SettingName } from '../config/catalog.js';
import type { EffectiveSetting, Settings } from '../config/index.js';
import { requestedFleet } from '../load/fleet.js';
import { requestedDataset, workersAndWhy } from '../load/requested.js';
import { DEFAULT_SHARD_DAYS, instantOf, partOfPlan, planLoad } from '../plan/index.js';
import { defaultLogFile } from '../report/log-file.js';

type Derived = Readonly<Partial<Record<SettingName, readonly [value: string, why: string]>>>;

/**
 * Settings as they take effect: those that are unset get the value that a load would use, and why.
 * @throws SeedError where the fleet cannot be read
 */
export async function inEffect(
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
  const { window } = requestedDataset(load, now);
  const [start, end] = [window.start, window.end].map((minute) => instantOf(minute).toISOString());
  const shardDays = load.shardDays ?? DEFAULT_SHARD_DAYS;
  // One site says all: a plan of tens of thousands takes seconds.
  const site = await requestedFleet({ ...load.fleet, scale: 1 });
  const plan = partOfPlan(planLoad(site, window, load.sections, shardDays), load.part);
  const records = load.existing === 'resume' ? undefined : plan.records * load.fleet.scale;
  const { workers, why = '' } = workersAndWhy(settings, records);
  const anyway: Derived = {
    workers: [String(workers), why],
    logFile: [output.logFile ?? defaultLogFile(now), 'when it starts, local time'],
  };
  const seeded = load.seed !== undefined;
  if (load.existing === 'resume') {
    const stored = ['of the run', 'with --resume'] as const;
    const names = ['start', 'end', 'seed', 'fleet', 'timezone', 'shardDays'] as const;
    return { ...Object.fromEntries(names.map((name) => [name, stored])), ...anyway };
  }
  return {
    ...anyway,
    start: [start, `--end less ${load.window.days} days`],
    end: [end, load.window.start ? '--start and --days' : seeded ? '00:00 UTC of today, with --seed' : 'now'],
    ...(load.window.start && load.window.end
      ? { days: [String(load.window.days), 'from --start to --end'] as const }
      : {}),
    seed: ['drawn', 'each load draws one, and prints it'],
    fleet: ['default', 'what "seed-database fleet" prints'],
    timezone: [
      site.definition.timezone,
      typeof load.fleet.source === 'string' ? 'of the fleet' : 'of the default fleet',
    ],
    shardDays: [String(shardDays), 'the default of a plan'],
  };
}
