/**
 * What a load will do, known before the first insert: its shards and the exact count of every
 * section.
 */
import type { Part, Section, WindowRequest } from '../config/settings.js';
import { usageError } from '../errors.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { type BackupSchedule, backupSchedule, backupsBetween } from '../model/backups.js';
import { doubledSpans, hasDisturbances, sampledSpans } from '../model/disturbances.js';
import { LocalTime } from '../model/local-time.js';
import { sampleCount } from '../model/sampling.js';
import { type SeriesDefinition, sampledSeries } from '../model/telemetry-model.js';

// The period of a load, in whole minutes since the Unix epoch (UTC).
export const MINUTES_PER_DAY = 1440;
const MS_PER_MINUTE = 60_000;
const SECONDS_PER_MINUTE = 60;

/** Half open: `start` is the first minute of the dataset, `end` the first one after it. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** The whole minute that holds an instant. */
export function minuteOf(instant: Date): number {
  return Math.floor(instant.getTime() / MS_PER_MINUTE);
}

/** The instant at which a minute begins. */
export function instantOf(minute: number): Date {
  return new Date(minute * MS_PER_MINUTE);
}

/**
 * Turns the period asked for into a window.
 *
 * Without `start` and `end` the window holds the last `days` whole days: up to the current minute,
 * or, when the user named a seed and so wants a dataset that can be repeated, up to 00:00 UTC of
 * the current day.
 */
export function resolveWindow(request: WindowRequest, seedGiven: boolean, now: Date): Window {
  const length = request.days * MINUTES_PER_DAY;
  if (request.start && request.end) {
    const window = { start: minuteOf(request.start), end: minuteOf(request.end) };
    if (window.start >= window.end) {
      throw usageError('--start must be before --end', 'give an earlier --start or a later --end');
    }
    return window;
  }
  if (request.start) {
    const start = minuteOf(request.start);
    return { start, end: start + length };
  }
  let end = minuteOf(request.end ?? now);
  if (!request.end && seedGiven) end -= end % MINUTES_PER_DAY;
  return { start: end - length, end };
}

/** Records by section. */
export type SectionCounts = Record<Section, number>;

/** One asset over one piece of the window: the unit of work, of checkpoints and of resuming. */
export interface Shard {
  /** Stable within a run: `<asset>:<first minute>`. */
  readonly id: string;
  /** Position in {@link loadedAssets}. */
  readonly assetIndex: number;
  readonly assetId: string;
  /** Minutes since the epoch, half open. */
  readonly from: number;
  readonly to: number;
  readonly counts: Readonly<SectionCounts>;
  readonly records: number;
}

export interface Plan {
  readonly window: Window;
  readonly sections: readonly Section[];
  readonly shardDays: number;
  readonly shards: readonly Shard[];
  readonly counts: Readonly<SectionCounts>;
  readonly records: number;
}

/** bench/README.md has the measurement behind them. */
const SHARD_DAYS = 7;
/** Longer periods have shards enough for any number of workers, and larger ones cost less. */
const LONG_PERIOD_DAYS = 28;

/** Of series with several samples a minute a day is as much as a week of others. */
const DENSE_SHARD_DAYS = 1;

/** Days in a shard unless the user says otherwise. */
export function shardDaysFor({ start, end }: Window, fleet: Fleet): number {
  if (seriesWhere(fleet, ({ interval }) => interval < SECONDS_PER_MINUTE)) return DENSE_SHARD_DAYS;
  return end - start > LONG_PERIOD_DAYS * MINUTES_PER_DAY ? LONG_PERIOD_DAYS : SHARD_DAYS;
}

const loaded = new WeakMap<Fleet, readonly (Machine | Service)[]>();

/** The assets that have records: machines, then services, in the fleet's order. */
export function loadedAssets(fleet: Fleet): readonly (Machine | Service)[] {
  let assets = loaded.get(fleet);
  if (!assets) {
    assets = [...fleet.machines, ...fleet.services];
    loaded.set(fleet, assets);
  }
  return assets;
}

/** The first sampled series of a fleet that is as asked for, and its asset. */
export function seriesWhere(
  fleet: Fleet,
  is: (definition: SeriesDefinition) => boolean,
): (SeriesDefinition & { readonly assetId: string }) | undefined {
  for (const asset of loadedAssets(fleet)) {
    const found = sampledSeries(asset).find(is);
    if (found) return { ...found, assetId: asset.assetId };
  }
  return undefined;
}

/** The plan of a load. Cheap: it counts, it generates nothing. */
export function planLoad(
  fleet: Fleet,
  window: Window,
  sections: readonly Section[],
  shardDays: number,
): Plan {
  const shards: Shard[] = [];
  const totals = noRecords();
  const schedule = backupSchedule(fleet);
  const local = new LocalTime(fleet.definition.timezone);
  for (const [assetIndex, asset] of loadedAssets(fleet).entries()) {
    for (const [from, to] of cutAtDays(window, shardDays)) {
      const counts = countRecords(asset, from, to, sections, schedule, local);
      const records = counts.metrics + counts.polling + counts.backup;
      // Where nothing is planned, but could have been, verify looks for what should not be there.
      if (records === 0 && !hasDisturbances(asset)) continue;
      for (const section of sections) totals[section] += counts[section];
      shards.push({
        id: `${asset.assetId}:${from}`,
        assetIndex,
        assetId: asset.assetId,
        from,
        to,
        counts,
        records,
      });
    }
  }
  const records = totals.metrics + totals.polling + totals.backup;
  return { window, sections, shardDays, shards, counts: totals, records };
}

function noRecords(): SectionCounts {
  return { metrics: 0, polling: 0, backup: 0 };
}

/**
 * Cuts at midnights, so that a day is generated once; the first and the last piece may be shorter.
 */
function* cutAtDays(window: Window, shardDays: number): Generator<[number, number]> {
  const length = shardDays * MINUTES_PER_DAY;
  let from = window.start;
  while (from < window.end) {
    const midnight = from - (from % MINUTES_PER_DAY);
    const to = Math.min(midnight + length, window.end);
    yield [from, to];
    from = to;
  }
}

function countRecords(
  asset: Machine | Service,
  from: number,
  to: number,
  sections: readonly Section[],
  schedule: BackupSchedule,
  local: LocalTime,
): SectionCounts {
  const counts = noRecords();
  for (const series of sampledSeries(asset)) {
    if (sections.includes(series.section)) counts[series.section] += recordCount(asset, series, from, to);
  }
  if (asset.assetType !== 'service' && sections.includes('backup')) {
    for (const _ of backupsBetween(schedule, local, asset, from, to)) counts.backup++;
  }
  return counts;
}

/** Records of a sampled series in [from, to), those that are there twice counted so. */
export function recordCount(
  asset: Machine | Service,
  { metricName, interval }: SeriesDefinition,
  from: number,
  to: number,
): number {
  if (!hasDisturbances(asset)) return sampleCount(interval, from, to);
  const window = { start: from, end: to };
  const count = (spans: readonly Window[]) =>
    spans.reduce((sum, { start, end }) => sum + sampleCount(interval, start, end), 0);
  return count(sampledSpans(asset, metricName, window)) + count(doubledSpans(asset, metricName, window));
}

// A plan cut into the shares of several loaders.

/**
 * The share of one part: a run of neighbouring shards, so that an asset is seldom loaded by two
 * parts. The shares of all parts are disjoint, together they are the plan, and none is further from
 * the mean than one shard's records. Every loader computes them for itself: they follow from the
 * plan and the number of parts alone.
 */
export function partOfPlan(plan: Plan, part: Part | undefined): Plan {
  if (part === undefined || part.of === 1) return plan;
  const shards: Shard[] = [];
  let before = 0;
  for (const shard of plan.shards) {
    // The part that holds the middle of the shard, were all records laid out in one line.
    const middle = before + shard.records / 2;
    before += shard.records;
    if (Math.floor((middle * part.of) / plan.records) === part.number - 1) shards.push(shard);
  }
  const counts: SectionCounts = { metrics: 0, polling: 0, backup: 0 };
  for (const shard of shards) {
    for (const section of plan.sections) counts[section] += shard.counts[section];
  }
  return { ...plan, shards, counts, records: counts.metrics + counts.polling + counts.backup };
}
