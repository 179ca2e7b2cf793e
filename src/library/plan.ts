/** {@link planLoad} for callers whose arguments nobody has looked at. */
import * as z from 'zod';
import { SECTIONS, type Section } from '../config/settings.js';
import { usageError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { type Plan, planLoad as planChecked, type Window } from '../plan/index.js';

const minute = z.int({ error: 'whole minutes since 1970' }).min(0, { error: 'whole minutes since 1970' });
const days = z.int({ error: 'a whole number from 1' }).min(1, { error: 'a whole number from 1' });
const assets = z.array(z.unknown(), { error: 'a list of assets' });

/** In their order, so that the first one that is wrong is named. */
const ARGUMENTS = z.object({
  fleet: z.object({ machines: assets, services: assets, jobs: assets }, { error: 'a fleet' }),
  window: z.object({ start: minute, end: minute }, { error: 'a window of start and end' }),
  sections: z.array(z.enum(SECTIONS, { error: `one of ${SECTIONS.join(', ')}` }), {
    error: `a list of ${SECTIONS.join(', ')}`,
  }),
  shardDays: days,
});

/**
 * The plan of a load. Cheap: it counts, it generates nothing.
 * @throws SeedError (usage) for an argument that cannot be used
 */
export function planLoad(
  fleet: Fleet,
  window: Window,
  sections: readonly Section[],
  shardDays: number,
): Plan {
  const [issue] = ARGUMENTS.safeParse({ fleet, window, sections, shardDays }).error?.issues ?? [];
  if (issue) throw usageError(`${issue.path.join('.')}: must be ${issue.message}`);
  return planChecked(fleet, window, sections, shardDays);
}
