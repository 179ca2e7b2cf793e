/** Tells fleets apart: a stored run can only be resumed or verified with the fleet it was made with. */
import { createHash } from 'node:crypto';
import type { Fleet } from './types.js';

/** SHA-256 of everything in the fleet, as 16 hexadecimal digits. Equal for equal fleets in whatever order their fields are. */
export function fleetFingerprint({ machines, services, jobs }: Fleet): string {
  const text = JSON.stringify([machines, services, jobs], (_key, value: unknown) => sortFields(value));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function sortFields(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
