/** What a fleet file of the right shape may still have wrong: names that are twice there, or nowhere. */
import { didYouMean } from '../nearest.js';
import { isTimezone } from '../timezone.js';
import type { FleetFile } from './file.js';
import { OWN_METRICS } from './schema.js';

/** What is wrong with a field. */
export interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

/** In the order of the file. */
export function complaintsAbout({ timezone, machines, jobs = [] }: FleetFile): Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (path: readonly PropertyKey[], what: string) => complaints.push({ path, what });
  const ids = new Map<string, string>();
  const claim = (id: string, path: readonly PropertyKey[], kind: string) => {
    const other = ids.get(id);
    if (other) complain([...path, 'id'], `"${id}" is the id of another ${other} already`);
    ids.set(id, kind);
  };

  if (timezone !== undefined && !isTimezone(timezone)) {
    complain(['timezone'], `"${timezone}" must be an IANA time zone such as Europe/Rome`);
  }
  for (const [m, machine] of machines.entries()) {
    const path = ['machines', m];
    claim(machine.id, path, 'machine');
    const names = new Set(OWN_METRICS);
    for (const [i, { name, range }] of (machine.metrics ?? []).entries()) {
      if (names.has(name)) complain([...path, 'metrics', i, 'name'], `"${name}" is there already`);
      names.add(name);
      if (range[0] >= range[1]) {
        complain([...path, 'metrics', i, 'range'], `[${range.join(', ')}] must go from less to more`);
      }
    }
    for (const [s, service] of (machine.services ?? []).entries()) {
      claim(service.id, [...path, 'services', s], 'service');
      const [from, to] = service.planned_downtime?.split('-') ?? [];
      if (from !== undefined && from === to) {
        complain([...path, 'services', s, 'planned_downtime'], `"${from}-${to}" is no time at all`);
      }
    }
  }
  const known = new Set(machines.map(({ id }) => id));
  for (const [j, job] of jobs.entries()) {
    claim(job.id, ['jobs', j], 'job');
    for (const [t, target] of job.targets.entries()) {
      if (!known.has(target)) {
        complain(
          ['jobs', j, 'targets', t],
          `"${target}" is no machine of the fleet${didYouMean(target, known)}`,
        );
      }
    }
  }
  return complaints;
}
