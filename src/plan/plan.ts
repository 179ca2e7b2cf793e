/** What a load will do, known before the first insert: its shards and the exact count of every section. */
import type { Section } from '../config/settings.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import {
  type BackupSchedule,
  backupSchedule,
  backupsBetween,
  LocalTime,
  minuteSeries,
} from '../model/index.js';
import { MINUTES_PER_DAY, type Window } from './window.js';

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
