/**
 * What a fleet file may hold. The one description: files are checked against it, and the published
 * JSON Schema is made from it. An issue's message is what is allowed.
 */
import * as z from 'zod';
import { didYouMean } from '../errors.js';
import { INTERVALS, isTimezone, MAX_JITTER_MS, parseInstant } from '../time.js';
import { DOWNTIME } from './build.js';
import {
  type Complaint,
  complaintsAboutDisturbances,
  disturbance,
  id,
  instant,
  list,
  listAt,
  matching,
  number,
  text,
  textAt,
  wholeNumber,
} from './fields.js';
import type { FleetFile } from './file.js';
import {
  BACKUP_SCHEDULES,
  MACHINE_TYPES,
  METRIC_PATTERN_NAMES,
  PATTERN_NAMES,
  SERIES_NAMES,
} from './types.js';

/** Names that the model's own series have. */
export const OWN_METRICS = [
  'cpu_usage',
  'memory_usage',
  'io_wait',
  'availability_status',
  'response_time_ms',
  'backup_status',
];

const data = z
  .record(
    matching(/^[A-Za-z_]\w{0,99}$/, 'a field name: letters, digits and underscores'),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.string())], {
      error: 'a text, a number, true or false, or a list of texts',
    }),
    { error: 'fields with their values' },
  )
  .describe('Further fields of the asset document: data.cpu_cores and so on.');

const change = z.strictObject(
  {
    scale: number(0, 100).optional().describe('Times the pattern: 0.5 is half of it. Default 1.'),
    offset: number(-100, 100).optional().describe('Points of per cent on top. Default 0.'),
    variation: number(0, 100).optional().describe('Times the noise of the pattern. Default 1.'),
  },
  { error: 'fields: scale, offset, variation' },
);

const polling = {
  uptime: number(90, 100)
    .optional()
    .describe('Per cent of time without faults of its own. Default 99.9 for machines, 99.5 for services.'),
  response_time_ms: number(0.01, 10_000)
    .optional()
    .describe('Response time when idle, in milliseconds. Default by type: 30 to 200.'),
};

const interval = (whose: string) =>
  z.enum(INTERVALS).optional().describe(`How far apart the samples are. Default: ${whose}.`);

const intervals = (names: readonly [string, ...string[]]) =>
  z
    .partialRecord(z.enum(names, { error: `one of ${names.join(', ')}` }), z.enum(INTERVALS))
    .optional()
    .describe('Intervals of single metrics.');
const POLLED = ['availability_status', 'response_time_ms'] as const;

const metric = z.strictObject(
  {
    name: matching(/^[a-z][a-z0-9_]{0,63}$/, 'a metric name: small letters, digits and underscores').describe(
      'metric_name of its records, such as disk_usage.',
    ),
    unit: text(40).describe('Such as percentage or mbps.'),
    range: z
      .tuple([number(-1e12, 1e12), number(-1e12, 1e12)], { error: 'two numbers: [least, most]' })
      .describe('Least and most, in the unit.'),
    pattern: z.enum(METRIC_PATTERN_NAMES).describe('What it follows between the two.'),
    interval: interval("the machine's"),
  },
  { error: 'a metric: name, unit, range, pattern' },
);

const service = z.strictObject(
  {
    id,
    name: text(200).describe('service_name of its document.'),
    type: text(60).describe('Such as web or database.'),
    port: wholeNumber(1, 65_535),
    planned_downtime: matching(DOWNTIME, 'a time of day such as 23:00-01:00')
      .optional()
      .describe('Down every day on purpose, local time; may cross midnight.'),
    degrades_with_memory: z
      .boolean({ error: 'true or false' })
      .optional()
      .describe('Degraded while its memory_leak_pattern machine runs out of memory.'),
    interval: interval("the machine's"),
    intervals: intervals([...POLLED]),
    parameters: z.strictObject(polling, { error: 'fields: uptime, response_time_ms' }).optional(),
    data: data.optional(),
  },
  { error: 'a service: id, name, type, port' },
);

const machine = z.strictObject(
  {
    id,
    type: z.enum(MACHINE_TYPES),
    hostname: text(200),
    pattern: z.enum(PATTERN_NAMES).describe('What its load looks like; see docs/fleets.md.'),
    interval: interval("the fleet's"),
    intervals: intervals([...SERIES_NAMES]),
    from: instant.optional().describe('It is there from then on. Default: always.'),
    until: instant.optional().describe('It is not there any more from then on. Default: always.'),
    parameters: z
      .strictObject(
        {
          cpu: change.optional(),
          memory: change.optional(),
          io: change.optional(),
          bursts: number(0, 100).optional().describe('Times as many bursts a day. Default 1.'),
          ...polling,
          backup_success: number(0, 100)
            .optional()
            .describe('Per cent of backups that succeed. Default by type: 92 to 98.'),
        },
        { error: 'fields: cpu, memory, io, bursts, uptime, response_time_ms, backup_success' },
      )
      .optional()
      .describe('How it departs from its pattern and type.'),
    metrics: list(metric, 'a list of metrics')
      .max(50, { error: 'at most 50 metrics' })
      .optional()
      .describe('Metrics beside CPU, memory and I/O.'),
    data: data.optional(),
    services: list(service, 'a list of services').optional().describe('What runs on it.'),
  },
  { error: 'a machine: id, type, hostname, pattern' },
);

const job = z.strictObject(
  {
    id,
    name: text(200),
    schedule: z.enum(BACKUP_SCHEDULES),
    type: text(60).describe('Such as full or incremental.'),
    retention_days: wholeNumber(1, 36_500),
    targets: list(id, 'a list of ids of machines').describe('Ids of machines.'),
    data: data.optional(),
  },
  { error: 'a job: id, name, schedule, type, retention_days, targets' },
);

export const fleetFile: z.ZodType<FleetFile> = z.strictObject(
  {
    timezone: text(100)
      .optional()
      .describe('IANA time zone in which office hours and nights are meant. Default UTC; --timezone wins.'),
    interval: interval('1m; --interval wins'),
    jitter_ms: wholeNumber(0, MAX_JITTER_MS)
      .optional()
      .describe('Most milliseconds that a sample comes after its time. Default 0; --jitter wins.'),
    machines: list(machine, 'a list of machines').min(1, { error: 'a list of at least one machine' }),
    jobs: list(job, 'a list of backup jobs').optional(),
    disturbances: list(disturbance, 'a list of disturbances')
      .max(1_000, { error: 'at most 1000 disturbances' })
      .optional()
      .describe('What goes wrong with measuring.'),
  },
  { error: 'a fleet: machines, and jobs' },
);

/** The JSON Schema of fleet files, for editors. */
export function fleetJsonSchema(): unknown {
  const { $schema, ...rest } = z.toJSONSchema(fleetFile, { target: 'draft-7', io: 'input' });
  return {
    $schema,
    title: 'Fleet of seed-database',
    description: 'Machines with their load patterns and services, and backup jobs. See docs/fleets.md.',
    ...rest,
  };
}

// What a fleet file may have wrong whatever its shape: names that are twice there, or nowhere.

/**
 * A near name is looked for among all names: of a long file's many complaints nobody reads the
 * later ones.
 */
const MOST_NEAR_NAMES = 20;

/**
 * In the order of the file. What is not of the right shape is passed over: the schema has that to
 * complain about.
 */
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
    const [from, until] = [textAt(machine, 'from'), textAt(machine, 'until')].map(
      (at) => at && parseInstant(at),
    );
    if (from && until && from >= until) complain([...path, 'until'], 'must be after from');
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
  complaints.push(...complaintsAboutDisturbances(file));
  return complaints;
}

// How many bytes of a stored run a fleet takes: a document has 16 MB at most.

/** What MongoDB stores in one document, without what a run's has besides the fleet. */
export const MOST_STORED_BYTES = 16 * 1024 * 1024 - 64 * 1024;
/** Of a list or of fields: a length before, a zero behind. */
export const FRAME_BYTES = 5;

/** Type, name and the zero behind it. */
export function nameBytes(name: string): number {
  return 2 + Buffer.byteLength(name);
}

/** Of a value that holds no others, as BSON. */
export function plainBytes(value: unknown): number {
  if (typeof value === 'string') return 5 + Buffer.byteLength(value);
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? 4 : 8;
  return typeof value === 'boolean' ? 1 : 0;
}

/** Of any value, as BSON. */
export function storedBytes(value: unknown): number {
  if (typeof value !== 'object' || value === null) return plainBytes(value);
  let bytes = FRAME_BYTES;
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) bytes += nameBytes(name) + storedBytes(field);
  }
  return bytes;
}

/** `34.4 GB`. */
export function sizeText(bytes: number): string {
  const units = ['MB', 'GB', 'TB'];
  let amount = bytes / 2 ** 20;
  let unit = 0;
  for (; amount >= 1000 && unit < units.length - 1; unit++) amount /= 1024;
  return amount < 1e6 ? `${amount.toFixed(1)} ${units[unit]}` : `${amount.toExponential(1)} ${units[unit]}`;
}
