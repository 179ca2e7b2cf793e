/**
 * What polls find.
 *
 * Availability: 100 up, 50 degraded, 0 down, one state a minute. An asset's own faults are
 * incidents: most minutes of a month are fine, and then something is down for half an hour. What is
 * planned, what memory pressure degrades, and what the host suffers come on top: the worst of them
 * counts.
 *
 * Response time: milliseconds, by type, load and state.
 */
import type { Machine, Service } from '../fleet/types.js';
import { isWeekend, type LocalTime, MINUTES_PER_DAY } from './local-time.js';
import { isDegradedByMemory } from './machine-metrics.js';
import { baseCurves, changed, changeOf, type Random, stream } from './patterns.js';

export const UP = 100;
export const DEGRADED = 50;
const DOWN = 0;

interface FaultRate {
  /** Probability of an incident on a day. */
  readonly perDay: number;
  readonly shortest: number;
  /** Mean beyond the shortest, exponentially distributed, in minutes. */
  readonly beyond: number;
}

/**
 * Longer than any incident may be: one of yesterday can reach into today, one of the day before
 * cannot.
 */
const LONGEST = 8 * 60;
/** Minutes after an outage in which the asset is back, but slow. */
export const RECOVERY = 4;

/**
 * Chosen so that uptime is the manual's: 99.9 % for machines, 99.5 % for services. Down and
 * recovering minutes are 0.053 × 27 of 1440 a day, that is 0.1 %, and 0.211 × 34 of 1440, that is
 * 0.5 %.
 */
const MACHINE_FAULTS: FaultRate = { perDay: 0.053, shortest: 5, beyond: 18 };
const SERVICE_FAULTS: FaultRate = { perDay: 0.211, shortest: 5, beyond: 25 };
const MACHINE_UPTIME = 99.9;
const SERVICE_UPTIME = 99.5;
/** An asset has one incident a day at most: where that is too few they last longer. */
const MOST_PER_DAY = 0.9;

/** The faults of an asset, whose uptime may be its own. */
function faultsOf({ assetType, parameters }: Machine | Service): FaultRate {
  const service = assetType === 'service';
  const usual = service ? SERVICE_FAULTS : MACHINE_FAULTS;
  if (parameters?.uptime === undefined) return usual;
  const wanted = (100 - parameters.uptime) / (100 - (service ? SERVICE_UPTIME : MACHINE_UPTIME));
  const perDay = Math.min(MOST_PER_DAY, usual.perDay * wanted);
  const mean = usual.shortest + usual.beyond + RECOVERY;
  const longer = perDay === 0 ? 1 : (usual.perDay * wanted) / perDay;
  return { perDay, shortest: usual.shortest, beyond: mean * longer - usual.shortest - RECOVERY };
}

/** An outage of one asset, in minutes of the day it begins on; `end` may lie in the next day. */
interface Incident {
  readonly start: number;
  readonly end: number;
}

/** The incident that begins on a day, if there is one. */
export function incidentOf(seed: number, asset: Machine | Service, day: number): Incident | undefined {
  const { perDay, shortest, beyond } = faultsOf(asset);
  const random = stream(seed, asset.assetId, 'incident', day);
  if (random() >= perDay) return undefined;
  const start = Math.floor(random() * MINUTES_PER_DAY);
  const length = Math.round(shortest - beyond * Math.log(1 - random()));
  return { start, end: start + Math.min(LONGEST, length) };
}

/** Fills a day with an asset's own faults alone. */
export function fillOwnFaults(
  seed: number,
  asset: Machine | Service,
  day: number,
  states: Float64Array,
): void {
  states.fill(UP);
  for (const daysAgo of [1, 0]) {
    const incident = incidentOf(seed, asset, day - daysAgo);
    if (!incident) continue;
    const start = incident.start - daysAgo * MINUTES_PER_DAY;
    const end = incident.end - daysAgo * MINUTES_PER_DAY;
    lower(states, end, end + RECOVERY, DEGRADED);
    lower(states, start, end, DOWN);
  }
}

/** Fills a day of a machine. */
export function fillMachineAvailability(
  seed: number,
  machine: Machine,
  day: number,
  states: Float64Array,
): void {
  fillOwnFaults(seed, machine, day, states);
}

/**
 * Fills a day of a service whose host's states of that day are known: it is never better than its
 * host.
 */
export function fillServiceAvailability(
  seed: number,
  service: Service,
  day: number,
  local: LocalTime,
  hostStates: Float64Array,
  states: Float64Array,
): void {
  fillOwnFaults(seed, service, day, states);
  const { plannedDowntime: planned, degradesWithMemory } = service;
  for (const stretch of local.stretches(day)) {
    const { from, to, day: localDay } = stretch;
    const shift = stretch.minute - from;
    /** In minutes of the local day. */
    const down = (first: number, end: number) =>
      lower(states, Math.max(from, first - shift), Math.min(to, end - shift), DOWN);
    if (planned && planned.from < planned.to) down(planned.from, planned.to);
    else if (planned) {
      down(0, planned.to);
      down(planned.from, MINUTES_PER_DAY);
    }
    lowerToHost(states, hostStates, from, to);
    if (degradesWithMemory) lowerByMemory(states, from, to, localDay, shift);
  }
}

function lowerToHost(states: Float64Array, hostStates: Float64Array, from: number, to: number): void {
  for (let minute = from; minute < to; minute++) {
    if (hostStates[minute] < states[minute]) states[minute] = hostStates[minute];
  }
}

/** `shift` is how far the minutes of the local day are ahead. */
function lowerByMemory(
  states: Float64Array,
  from: number,
  to: number,
  localDay: number,
  shift: number,
): void {
  for (let minute = from; minute < to; minute++) {
    if (states[minute] > DEGRADED && isDegradedByMemory(localDay, minute + shift)) states[minute] = DEGRADED;
  }
}

/** Makes the states in [from, to), as far as it lies in the day, at most `state`. */
function lower(states: Float64Array, from: number, to: number, state: number): void {
  for (let minute = Math.max(0, from); minute < Math.min(to, MINUTES_PER_DAY); minute++) {
    if (states[minute] > state) states[minute] = state;
  }
}

// Response time of one day in milliseconds, by type, load and state.

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
