/** What tells two fleets apart. */
import { createHash } from 'node:crypto';
import { buildFleet, DEFAULT_TIMEZONE } from './build.js';
import type { Fleet } from './types.js';

/**
 * SHA-256 of everything that makes the fleet's records and assets, as 16 hexadecimal digits. Equal
 * for equal fleets in whatever order their fields are. A fleet of many sites is known by one of
 * them and their number.
 */
export function fleetFingerprint(fleet: Fleet): string {
  const { definition } = fleet;
  const { scale, timezone, jitterMs = 0 } = definition;
  const { machines, services, jobs } = scale === 1 ? fleet : buildFleet({ ...definition, scale: 1 });
  const beyond = scale === 1 && timezone === DEFAULT_TIMEZONE ? [] : [{ scale, timezone }];
  // Intervals are among the assets' fields.
  const moved = jitterMs === 0 ? [] : [{ jitterMs }];
  const text = JSON.stringify([machines, services, jobs, ...beyond, ...moved], (_key, value: unknown) =>
    sortFields(value),
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function sortFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
