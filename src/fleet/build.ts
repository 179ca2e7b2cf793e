/**
 * From a fleet's definition to its assets. Pure, and quick: 34,000 assets take some tens of
 * milliseconds.
 */

import type { AssetCounts } from '../output/types.js';
import { DEFAULT_INTERVAL, type Interval, parseInstant } from '../time.js';
import type {
  DisturbanceEntry,
  FleetDefinition,
  FleetFile,
  JobEntry,
  MachineEntry,
  MachineParametersEntry,
  PollingParametersEntry,
  ServiceEntry,
} from './file.js';
import type {
  AssetData,
  BackupJob,
  Disturbance,
  DowntimeWindow,
  Fleet,
  Machine,
  MachineParameters,
  PollingParameters,
  Service,
} from './types.js';

/** So that a site's names are the same whatever the number of sites. */
const SITE_DIGITS = 5;
const MS_PER_MINUTE = 60_000;
export const DEFAULT_TIMEZONE = 'UTC';

/**
 * The fleet of a checked file. With a `scale` above 1 each of that many sites has all assets of the
 * file, under ids of its own (`site-00001-vm-101`), and so with random numbers of its own.
 */
export function buildFleet(definition: FleetDefinition): Fleet {
  const { file, scale, interval = DEFAULT_INTERVAL } = definition;
  const one = assetsOf(file, interval);
  if (scale === 1) return { ...one, definition };
  const ids = new Set([...one.machines, ...one.services, ...one.jobs].map(({ assetId }) => assetId));
  const sites = Array.from({ length: scale }, (_, i) => `site-${String(i + 1).padStart(SITE_DIGITS, '0')}`);
  // Fields that name another asset of the fleet name the one of the same site.
  const dataAt = (site: string, data: AssetData): AssetData =>
    Object.fromEntries(
      Object.entries(data).map(([field, value]) => [field, renamed(value, ids, (id) => `${site}-${id}`)]),
    );
  const at = <T extends Machine | Service | BackupJob>(site: string, asset: T, change: Partial<T>): T => ({
    ...asset,
    assetId: `${site}-${asset.assetId}`,
    data: dataAt(site, asset.data),
    ...change,
  });
  return {
    machines: sites.flatMap((site) =>
      one.machines.map((machine) => at(site, machine, { hostname: `${machine.hostname}.${site}` })),
    ),
    services: sites.flatMap((site) =>
      one.services.map((service) => at(site, service, { hostId: `${site}-${service.hostId}` })),
    ),
    jobs: sites.flatMap((site) =>
      one.jobs.map((job) => at(site, job, { targets: job.targets.map((id) => `${site}-${id}`) })),
    ),
    definition,
  };
}

function renamed(
  value: AssetData[string],
  ids: ReadonlySet<string>,
  rename: (id: string) => string,
): AssetData[string] {
  if (typeof value === 'string') return ids.has(value) ? rename(value) : value;
  if (typeof value !== 'object') return value;
  return value.map((one) => (ids.has(one) ? rename(one) : one));
}

function assetsOf(
  { machines, jobs = [], disturbances = [] }: FleetFile,
  interval: Interval,
): Omit<Fleet, 'definition'> {
  const disturbed = <T extends Machine | Service>(asset: T): T => {
    const own = disturbances.flatMap((entry, place) =>
      (entry.assets?.includes(asset.assetId) ?? true) ? disturbanceOf(entry, place) : [],
    );
    return own.length === 0 ? asset : { ...asset, disturbances: own };
  };
  return {
    machines: machines.map((machine) => disturbed(machineOf(machine, interval))),
    services: machines.flatMap((machine) =>
      (machine.services ?? []).map((service) => disturbed(serviceOf(service, machine, interval))),
    ),
    jobs: jobs.map(jobOf),
  };
}

/** The usual interval is not written: fleets without any are what they always were. */
function ownInterval(interval: Interval): { readonly interval?: Interval } {
  return interval === DEFAULT_INTERVAL ? {} : { interval };
}

/** Of a checked file: every instant can be read. */
function minute(text: string): number {
  return Math.floor((parseInstant(text)?.getTime() ?? 0) / MS_PER_MINUTE);
}

function existenceOf({ from, until }: MachineEntry): { readonly from?: number; readonly until?: number } {
  return {
    ...(from === undefined ? {} : { from: minute(from) }),
    ...(until === undefined ? {} : { until: minute(until) }),
  };
}

function disturbanceOf(
  { kind, metrics, start, end, minutes, per_day: perDay, by, delay_minutes }: DisturbanceEntry,
  place: number,
): Disturbance {
  const from = minute(start ?? '');
  const until = minutes === undefined ? Number.MAX_SAFE_INTEGER : from + minutes;
  return {
    kind,
    ...(metrics ? { metrics } : {}),
    when:
      perDay === undefined
        ? { start: from, end: end === undefined ? until : minute(end) }
        : { perDay, minutes: minutes ?? 1 },
    ...(by === undefined ? {} : { by }),
    ...(delay_minutes === undefined ? {} : { delayMinutes: delay_minutes }),
    place,
  };
}

function machineOf(machine: MachineEntry, ofFleet: Interval): Machine {
  const { id, type, hostname, pattern, parameters, metrics, data, interval, intervals } = machine;
  return {
    assetId: id,
    assetType: type,
    hostname,
    pattern,
    ...ownInterval(interval ?? ofFleet),
    ...(intervals ? { intervals } : {}),
    ...existenceOf(machine),
    ...(parameters ? { parameters: machineParameters(parameters) } : {}),
    ...(metrics ? { metrics } : {}),
    data: { status: 'running', ...data },
  };
}

function serviceOf(service: ServiceEntry, machine: MachineEntry, ofFleet: Interval): Service {
  const { id: hostId, interval: ofHost = ofFleet } = machine;
  const { id, name, type, port, planned_downtime, degrades_with_memory, parameters, data } = service;
  return {
    assetId: id,
    assetType: 'service',
    serviceName: name,
    hostId,
    ...(planned_downtime === undefined ? {} : { plannedDowntime: parseDowntime(planned_downtime) }),
    ...(degrades_with_memory ? { degradesWithMemory: true } : {}),
    ...ownInterval(service.interval ?? ofHost),
    ...(service.intervals ? { intervals: service.intervals } : {}),
    ...existenceOf(machine),
    ...(parameters ? { parameters: pollingParameters(parameters) } : {}),
    data: { parent_asset_id: hostId, status: 'running', service_type: type, port, ...data },
  };
}

function jobOf({ id, name, schedule, type, retention_days, targets, data }: JobEntry): BackupJob {
  return {
    assetId: id,
    assetType: 'acronis_backup_job',
    schedule,
    targets,
    data: {
      job_name: name,
      status: 'running',
      schedule,
      target_assets: targets,
      backup_type: type,
      retention_days,
      ...data,
    },
  };
}

function machineParameters(entry: MachineParametersEntry): MachineParameters {
  const { backup_success, uptime: _, response_time_ms: __, ...same } = entry;
  return {
    ...same,
    ...pollingParameters(entry),
    ...(backup_success === undefined ? {} : { backupSuccess: backup_success }),
  };
}

function pollingParameters({ uptime, response_time_ms }: PollingParametersEntry): PollingParameters {
  return {
    ...(uptime === undefined ? {} : { uptime }),
    ...(response_time_ms === undefined ? {} : { responseTimeMs: response_time_ms }),
  };
}

/** `23:00-01:00`, as the check of fleet files lets it pass. */
export const DOWNTIME = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

function parseDowntime(text: string): DowntimeWindow {
  const [fromHour, fromMinute, toHour, toMinute] = DOWNTIME.exec(text)?.slice(1).map(Number) ?? [];
  return { from: fromHour * 60 + fromMinute, to: toHour * 60 + toMinute };
}

/** How many assets a fleet has, by kind. */
export function countAssets(fleet: Fleet): AssetCounts {
  const machines = fleet.machines.length;
  const services = fleet.services.length;
  const jobs = fleet.jobs.length;
  return { machines, services, jobs, total: machines + services + jobs };
}
