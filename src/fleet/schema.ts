/**
 * What a fleet file may hold. The one description: files are checked against it, and the published JSON Schema is made from it.
 * An issue's message is what is allowed.
 */
import * as z from 'zod';
import { DOWNTIME } from './build.js';
import type { FleetFile } from './file.js';
import { BACKUP_SCHEDULES, MACHINE_TYPES, METRIC_PATTERN_NAMES, PATTERN_NAMES } from './types.js';

/** Names that the model's own series have. */
export const OWN_METRICS = [
  'cpu_usage',
  'memory_usage',
  'io_wait',
  'availability_status',
  'response_time_ms',
  'backup_status',
];

const matching = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });
const text = (most: number) =>
  z
    .string({ error: 'a text' })
    .min(1, { error: 'a text that is not empty' })
    .max(most, { error: `at most ${most} characters` });
const number = (min: number, max: number) => {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
};
const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
const list = <T extends z.ZodType>(entry: T, error: string) => z.array(entry, { error });

const id = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  'an id: letters, digits, dots, dashes and underscores, at most 100',
);

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
    machines: list(machine, 'a list of machines').min(1, { error: 'a list of at least one machine' }),
    jobs: list(job, 'a list of backup jobs').optional(),
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
