/**
 * Availability: 100 up, 50 degraded, 0 down, one state a minute.
 *
 * An asset's own faults are incidents: most minutes of a month are fine, and then something is down
 * for half an hour. What is planned, what memory pressure degrades, and what the host suffers come
 * on top: the worst of them counts.
 */
import type { Machine, Service } from '../fleet/types.js';
import { type LocalTime, MINUTES_PER_DAY } from './local-time.js';
import { isDegradedByMemory } from './machine-metrics.js';
import { stream } from './random.js';

export const UP = 100;
export const DEGRADED = 50;
export const DOWN = 0;

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
export interface Incident {
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
