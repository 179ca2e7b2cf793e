/**
 * Availability: 100 up, 50 degraded, 0 down, one state a minute.
 *
 * An asset's own faults are incidents: most minutes of a month are fine, and then something is down for half an hour. What
 * is planned, what memory pressure degrades, and what the host suffers come on top: the worst of them counts.
 */
import type { Machine, Service } from '../fleet/types.js';
import { MINUTES_PER_DAY } from './calendar.js';
import { isDegradedByMemory } from './leak.js';
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

/** Longer than any incident may be: one of yesterday can reach into today, one of the day before cannot. */
const LONGEST = 8 * 60;
/** Minutes after an outage in which the asset is back, but slow. */
const RECOVERY = 4;

/**
 * Chosen so that uptime is the manual's: 99.9 % for machines, 99.5 % for services. Down and recovering minutes are 0.053 × 27 of 1440 a
 * day, that is 0.1 %, and 0.211 × 34 of 1440, that is 0.5 %.
 */
const MACHINE_FAULTS: FaultRate = { perDay: 0.053, shortest: 5, beyond: 18 };
const SERVICE_FAULTS: FaultRate = { perDay: 0.211, shortest: 5, beyond: 25 };

/** An outage of one asset, in minutes of the day it begins on; `end` may lie in the next day. */
export interface Incident {
  readonly start: number;
  readonly end: number;
}

/** The incident that begins on a day, if there is one. */
export function incidentOf(seed: number, asset: Machine | Service, day: number): Incident | undefined {
  const { perDay, shortest, beyond } = asset.assetType === 'service' ? SERVICE_FAULTS : MACHINE_FAULTS;
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

/** Fills a day of a service whose host's states of that day are known: it is never better than its host. */
export function fillServiceAvailability(
  seed: number,
  service: Service,
  day: number,
  hostStates: Float64Array,
  states: Float64Array,
): void {
  fillOwnFaults(seed, service, day, states);
  const { plannedDowntime: planned, degradesWithMemory } = service;
  if (planned) {
    const { from, to } = planned;
    if (from < to) lower(states, from, to, DOWN);
    else {
      lower(states, 0, to, DOWN);
      lower(states, from, MINUTES_PER_DAY, DOWN);
    }
  }
  for (let minute = 0; minute < MINUTES_PER_DAY; minute++) {
    if (hostStates[minute] < states[minute]) states[minute] = hostStates[minute];
    if (degradesWithMemory && states[minute] > DEGRADED && isDegradedByMemory(day, minute))
      states[minute] = DEGRADED;
  }
}

/** Makes the states in [from, to), as far as it lies in the day, at most `state`. */
function lower(states: Float64Array, from: number, to: number, state: number): void {
  for (let minute = Math.max(0, from); minute < Math.min(to, MINUTES_PER_DAY); minute++) {
    if (states[minute] > state) states[minute] = state;
  }
}
