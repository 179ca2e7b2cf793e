/** Response time of one day in milliseconds, by type, load and state. */
import type { Machine, Service } from '../fleet/types.js';
import { DEGRADED, DOWN } from './availability.js';
import { isWeekend, type LocalTime } from './local-time.js';
import { baseCurves, changed, changeOf } from './patterns.js';
import type { Random } from './random.js';

/** At idle, by type. */
const BASE_MS: Readonly<Record<(Machine | Service)['assetType'], number>> = {
  service: 50,
  container: 30,
  vm: 100,
  physical_host: 150,
  proxmox_node: 200,
};

/** The poller gives up after this: what is down takes so long. */
export const TIMEOUT_MS = 30_000;
/** What answers at all answers before the poller gives up. */
export const SLOWEST_MS = TIMEOUT_MS - 1;

/** One minute in twenty is this many times as slow. */
const SLOW_SHARE = 0.05;
const SLOW_FROM = 2;
const SLOW_TO = 10;
const DEGRADED_FROM = 3;
const DEGRADED_TO = 6;

/** Times the base, when idle and under full load. */
interface Range {
  readonly idle: number;
  readonly full: number;
}
const OFFICE: Range = { idle: 1.2, full: 2.5 };
const NIGHT: Range = { idle: 1.1, full: 1.8 };
const OTHERWISE: Range = { idle: 0.9, full: 1.5 };

/** Office hours are 9 to 17 on weekdays, night is 22 to 6. */
function rangeAt(minute: number, weekend: boolean): Range {
  if (!weekend && minute >= 9 * 60 && minute < 17 * 60) return OFFICE;
  return minute >= 22 * 60 || minute < 6 * 60 ? NIGHT : OTHERWISE;
}

/**
 * Fills a day.
 * @param host the asset's machine, whose load makes it slower
 * @param day UTC
 * @param states availability of the asset on that day
 */
export function fillResponseTimes(
  asset: Machine | Service,
  host: Machine,
  day: number,
  local: LocalTime,
  states: Float64Array,
  random: Random,
  column: Float64Array,
): void {
  const base = asset.parameters?.responseTimeMs ?? BASE_MS[asset.assetType];
  const { scale, offset } = changeOf(host.parameters?.cpu);
  for (const { from, to, day: localDay, minute } of local.stretches(day)) {
    const { cpu } = baseCurves(host.pattern, localDay);
    const weekend = isWeekend(localDay);
    fillMinutes(base, cpu, scale, offset, weekend, minute - from, from, to, states, random, column);
  }
}

/**
 * From one minute of the UTC day up to another; the local day's minutes are `shift` ahead. A hot
 * loop: numbers and typed arrays alone, so that the engine compiles it once and keeps it.
 */
function fillMinutes(
  base: number,
  cpu: Float64Array,
  scale: number,
  offset: number,
  weekend: boolean,
  shift: number,
  from: number,
  to: number,
  states: Float64Array,
  random: Random,
  column: Float64Array,
): void {
  for (let minute = from; minute < to; minute++) {
    // Every minute draws the same numbers whatever its state, so that one outage does not change
    // the rest of the day.
    const level = random();
    const luck = random();
    const state = states[minute];
    if (state === DOWN) {
      column[minute] = TIMEOUT_MS;
      continue;
    }
    const { idle, full } = rangeAt(minute + shift, weekend);
    // Half by the machine's load, half by chance: stays between idle and full.
    let ms = base * (idle + (full - idle) * (changed(cpu[minute + shift], scale, offset) / 200 + level / 2));
    if (luck < SLOW_SHARE) ms *= SLOW_FROM + (SLOW_TO - SLOW_FROM) * (luck / SLOW_SHARE);
    if (state === DEGRADED) ms *= DEGRADED_FROM + (DEGRADED_TO - DEGRADED_FROM) * level;
    column[minute] = ms >= SLOWEST_MS ? SLOWEST_MS : Math.round(ms * 100) / 100;
  }
}
