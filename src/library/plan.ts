/**
 * What a load would do, before it does anything: its plan, its size, and the settings that follow
 * from others.
 */
import type { LoadSettings, Settings } from '../config/settings.js';
import { requestedFleet, requestedLoad, workersAndWhy } from '../dataset/dataset.js';
import { countAssets } from '../fleet/build.js';
import type { FleetFile } from '../fleet/file.js';
import { chosenLife, refuseExpired } from '../load/expiry.js';
import type { PlannedLoad } from '../output/tree-text.js';
import { instantOf, MINUTES_PER_DAY, partOfPlan } from '../plan/plan.js';
import { DEFAULT_INTERVAL, type Interval } from '../time.js';

/** The plan of a load, its exact counts and its size; connects to nothing. */
export async function plannedLoad(load: LoadSettings): Promise<PlannedLoad> {
  // Sizes need the encoder, which the other functions here do without.
  const { estimateSize } = await import('../dataset/generate.js');
  const requested = await requestedLoad(load, new Date());
  const { fleet } = requested;
  const plan = partOfPlan(requested.plan, load.part);
  const { start, end } = plan.window;
  const notices: string[] = [];
  const expired = refuseExpired(requested, chosenLife(load.ttlDays), (message) => notices.push(message));
  return {
    notices,
    expired,
    seed: load.seed,
    layout: load.layout,
    window: { start: instantOf(start), end: instantOf(end) },
    days: (end - start) / MINUTES_PER_DAY,
    assets: countAssets(fleet),
    records: plan.counts,
    shards: plan.shards.length,
    shardDays: plan.shardDays,
    batchSize: load.batchSize,
    size: estimateSize(fleet, plan, load),
  };
}

/** What takes effect where nobody has said anything else. */
export interface Derived {
  readonly window: { readonly start: Date; readonly end: Date };
  readonly workers: number;
  /** Why so many; undefined where somebody has said so. */
  readonly whyWorkers: string | undefined;
  readonly shardDays: number;
  readonly timezone: string;
  readonly interval: Interval;
  readonly jitterMs: number;
}

/** @throws SeedError where the fleet cannot be read */
export async function derivedSettings(settings: Settings, now: Date): Promise<Derived> {
  const { load } = settings;
  // One site says all: a plan of tens of thousands takes seconds.
  const site = await requestedLoad({ ...load, fleet: { ...load.fleet, scale: 1 } }, now);
  const plan = partOfPlan(site.plan, load.part);
  const { window } = plan;
  const records = load.existing === 'resume' ? undefined : plan.records * load.fleet.scale;
  const { workers, why } = workersAndWhy(settings, records);
  return {
    window: { start: instantOf(window.start), end: instantOf(window.end) },
    workers,
    whyWorkers: why,
    shardDays: plan.shardDays,
    timezone: site.fleet.definition.timezone,
    interval: site.fleet.definition.interval ?? DEFAULT_INTERVAL,
    jitterMs: site.fleet.definition.jitterMs ?? 0,
  };
}

// Fleets as files.

export { fleetJsonSchema } from '../fleet/schema.js';

/**
 * The fleet that the settings name, once it is found to be right; without one the default fleet.
 */
export async function fleetFile({ load }: Settings): Promise<FleetFile> {
  const { definition } = await requestedFleet(load.fleet);
  return definition.file;
}
