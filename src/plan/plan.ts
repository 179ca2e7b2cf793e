/** What a load will do, known before the first insert: its shards and the exact count of every section. */
import type { Part, Section, WindowRequest } from '../config/settings.js';
import { usageError } from '../errors.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { type BackupSchedule, backupSchedule, backupsBetween } from '../model/backups.js';
import { LocalTime } from '../model/local-time.js';
import { minuteSeries } from '../model/telemetry-model.js';

// The period of a load, in whole minutes since the Unix epoch (UTC).
export const MINUTES_PER_DAY = 1440;
const MS_PER_MINUTE = 60_000;

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
 * Without `start` and `end` the window holds the last `days` whole days: up to the current minute, or, when the
 * user named a seed and so wants a dataset that can be repeated, up to 00:00 UTC of the current day.
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

/** Days in a shard unless the user says otherwise; bench/README.md has the measurement behind it. */
export const DEFAULT_SHARD_DAYS = 7;

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
      if (records === 0) continue;
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

/** Cuts at midnights, so that a day is generated once; the first and the last piece may be shorter. */
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
  for (const series of minuteSeries(asset)) {
    if (sections.includes(series.section)) counts[series.section] += to - from;
  }
  if (asset.assetType !== 'service' && sections.includes('backup')) {
    for (const _ of backupsBetween(schedule, local, asset, from, to)) counts.backup++;
  }
  return counts;
}

// A plan cut into the shares of several loaders.

/**
 * The share of one part: a run of neighbouring shards, so that an asset is seldom loaded by two parts. The shares of all
 * parts are disjoint, together they are the plan, and none is further from the mean than one shard's records.
 * Every loader computes them for itself: they follow from the plan and the number of parts alone.
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

// How the assets of a plan are spread over the shards of a cluster before the first record is written. Pure.

/** Neighbouring assets that begin on one shard of the cluster. */
export interface ChunkPlan {
  /** Its first asset; undefined for the first chunk, which begins at the beginning. */
  readonly firstAsset: string | undefined;
  /** All assets in it, in the order of the key. */
  readonly assets: readonly string[];
  readonly records: number;
  /** Name of the shard of the cluster that is to hold it. */
  readonly home: string;
}

/** Enough to even out assets of different size; few enough that moving them, while they are empty, takes seconds. */
const CHUNKS_A_HOME = 16;

/**
 * Cuts the assets, in the order of the shard key, into chunks of about equally many records and gives each to the shard that has
 * least so far, so that neighbouring chunks are mostly on different shards and each shard gets an equal share.
 * @param homes names of the cluster's shards, at least one
 */
export function planChunks(plan: Plan, homes: readonly string[]): ChunkPlan[] {
  const byAsset = new Map<string, number>();
  for (const { assetId, records } of plan.shards) {
    byAsset.set(assetId, (byAsset.get(assetId) ?? 0) + records);
  }
  // The server compares strings by their bytes.
  const assets = [...byAsset.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const wanted = Math.min(assets.length, homes.length * CHUNKS_A_HOME);
  const groups: string[][] = [];
  let before = 0;
  let last = -1;
  for (const asset of assets) {
    const records = byAsset.get(asset) ?? 0;
    const group = Math.floor(((before + records / 2) * wanted) / plan.records);
    before += records;
    if (group === last) groups[groups.length - 1].push(asset);
    else groups.push([asset]);
    last = group;
  }
  const loads = homes.map(() => 0);
  return groups.map((group, index) => {
    const records = group.reduce((sum, asset) => sum + (byAsset.get(asset) ?? 0), 0);
    // The shard with the least so far.
    const home = loads.indexOf(Math.min(...loads));
    loads[home] += records;
    return { firstAsset: index === 0 ? undefined : group[0], assets: group, records, home: homes[home] };
  });
}

/**
 * Orders shards so that the first assets to be loaded are of different chunks, and with them of different shards of the
 * cluster: the first asset of every chunk, then the second of every chunk, and so on.
 */
export function dealtByChunk(shards: readonly Shard[], chunks: readonly ChunkPlan[]): Shard[] {
  const place = new Map<string, number>();
  for (const [column, { assets }] of chunks.entries()) {
    for (const [row, asset] of assets.entries()) place.set(asset, row * chunks.length + column);
  }
  const placeOf = ({ assetId }: Shard) => place.get(assetId) ?? 0;
  return [...shards].sort((a, b) => placeOf(a) - placeOf(b) || a.from - b.from);
}
