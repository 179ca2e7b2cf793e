/** What a fleet file may have wrong whatever its shape: names that are twice there, or nowhere. */
import { didYouMean } from '../nearest.js';
import { isTimezone } from '../timezone.js';
import { DOWNTIME } from './build.js';
import { OWN_METRICS } from './schema.js';

/** What is wrong with a field. */
export interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

/** A near name is looked for among all names: of a long file's many complaints nobody reads the later ones. */
const MOST_NEAR_NAMES = 20;

/** In the order of the file. What is not of the right shape is passed over: the schema has that to complain about. */
export function complaintsAbout(file: unknown): Complaint[] {
  const complaints: Complaint[] = [];
  const complain = (path: readonly PropertyKey[], what: string) => complaints.push({ path, what });
  const ids = new Map<string, string>();
  const claim = (asset: unknown, path: readonly PropertyKey[], kind: string) => {
    const id = textAt(asset, 'id');
    if (id === undefined) return;
    const other = ids.get(id);
    if (other) complain([...path, 'id'], `"${id}" is the id of another ${other} already`);
    ids.set(id, kind);
  };

  const timezone = textAt(file, 'timezone');
  if (timezone !== undefined && !isTimezone(timezone)) {
    complain(['timezone'], `"${timezone}" must be an IANA time zone such as Europe/Rome`);
  }
  const machines = listAt(file, 'machines');
  for (const [m, machine] of machines.entries()) {
    const path = ['machines', m];
    claim(machine, path, 'machine');
    const names = new Set(OWN_METRICS);
    for (const [i, metric] of listAt(machine, 'metrics').entries()) {
      const name = textAt(metric, 'name');
      if (name !== undefined && names.has(name)) {
        complain([...path, 'metrics', i, 'name'], `"${name}" is there already`);
      }
      if (name !== undefined) names.add(name);
      const [least, most, ...rest] = listAt(metric, 'range');
      if (typeof least === 'number' && typeof most === 'number' && rest.length === 0 && least >= most) {
        complain([...path, 'metrics', i, 'range'], `[${least}, ${most}] must go from less to more`);
      }
    }
    for (const [s, service] of listAt(machine, 'services').entries()) {
      claim(service, [...path, 'services', s], 'service');
      const downtime = textAt(service, 'planned_downtime') ?? '';
      const [from, to] = downtime.split('-');
      if (DOWNTIME.test(downtime) && from === to) {
        complain([...path, 'services', s, 'planned_downtime'], `"${downtime}" is no time at all`);
      }
    }
  }
  const known = new Set(machines.map((machine) => textAt(machine, 'id')).filter((id) => id !== undefined));
  for (const [j, job] of listAt(file, 'jobs').entries()) {
    claim(job, ['jobs', j], 'job');
    for (const [t, target] of listAt(job, 'targets').entries()) {
      if (typeof target === 'string' && !known.has(target)) {
        const near = complaints.length < MOST_NEAR_NAMES ? didYouMean(target, known) : '';
        complain(['jobs', j, 'targets', t], `"${target}" is no machine of the fleet${near}`);
      }
    }
  }
  return complaints;
}

function fieldAt(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function listAt(value: unknown, name: string): readonly unknown[] {
  const field = fieldAt(value, name);
  return Array.isArray(field) ? field : [];
}

function textAt(value: unknown, name: string): string | undefined {
  const field = fieldAt(value, name);
  return typeof field === 'string' ? field : undefined;
}
