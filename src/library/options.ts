/**
 * The edge of the library: what a caller gave is what it says it is, or is refused by name. Callers
 * without types, and those whose options come from elsewhere, would otherwise load something else
 * than they meant.
 */
import * as z from 'zod';
import { oneOf, TYPED } from '../config/schema.js';
import { EXPORT_FORMATS, PARQUET_COMPRESSIONS, SECTIONS, type Section } from '../config/settings.js';
import { didYouMean, usageError } from '../errors.js';
import type { FleetFile } from '../fleet/file.js';
import type { Fleet } from '../fleet/types.js';
import { type Plan, planLoad as planChecked, type Window } from '../plan/plan.js';

const EXISTING = ['refuse', 'clean', 'keep', 'resume'] as const;

/** The message of every issue is what is allowed. */
const text = z.string({ error: 'a text' });
const flag = z.boolean({ error: 'true or false' });
const sections = z.array(oneOf(SECTIONS).value, { error: `a list of ${SECTIONS.join(', ')}` }).min(1, {
  error: `a list of at least one of ${SECTIONS.join(', ')}; assetsOnly: true is for the assets alone`,
});
const fleet = z.union(
  [TYPED.fleet, z.custom<FleetFile>((value) => typeof value === 'object' && value !== null)],
  {
    error: 'the path of a fleet file, or what such a file holds',
  },
);

const { seed, days, start, end, assetsOnly, scale, timezone, interval, jitter } = TYPED;
const { layout, availabilityScale, environment, shardDays, batchSize } = TYPED;
const { uri, database, workers, events, yes, rate, writer, writeConcern } = TYPED;
const { clustered, ttlDays, compressors, retrySeconds } = TYPED;

const WINDOW = { days, start, end };
const SERIES = { sections, assetsOnly, fleet, scale, timezone, interval, jitter };
const DATASET = { seed, ...WINDOW, ...SERIES, layout, availabilityScale, environment };
const SHARDS = { shardDays, batchSize };
const TARGET = { uri, database, workers };
const WRITING = { rate, writer, writeConcern, compressors, retrySeconds };

const SHAPES = {
  load: {
    ...DATASET,
    ...SHARDS,
    ...TARGET,
    ...WRITING,
    events,
    existing: oneOf(EXISTING).value,
    yes,
    clustered,
    ttlDays,
  },
  plan: { ...DATASET, ...SHARDS },
  generate: { ...DATASET, ...SHARDS },
  generateBatches: { ...DATASET, ...SHARDS },
  answers: { ...DATASET, ...SHARDS },
  events: { ...DATASET, ...SHARDS },
  verify: { ...DATASET, ...TARGET, run: text },
  repair: { ...DATASET, ...TARGET, run: text, yes },
  refresh: {
    ...TARGET,
    ...WRITING,
    end,
    batchSize,
    keepDays: days,
  },
  exportDataset: {
    ...DATASET,
    ...SHARDS,
    out: text,
    format: oneOf(EXPORT_FORMATS).value,
    gzip: flag,
    compression: oneOf(PARQUET_COMPRESSIONS).value,
    oneFile: flag,
    events,
    clean: flag,
    database,
    workers,
  },
  preview: DATASET,
  report: { uri, database, ...WINDOW },
  status: { uri, database },
  connectReader: { uri, database },
  observer: {
    onEvent: z.custom<unknown>((value) => typeof value === 'function', { error: 'a function' }),
    signal: z.custom<AbortSignal>(isSignal, { error: 'an AbortSignal' }),
  },
} satisfies Record<string, Record<string, z.ZodType>>;

/** Whose options they are: a function's, or an observer. */
export type OptionsOf = keyof typeof SHAPES;

/** Options that have been checked, as the values that they stand for. */
export type Checked<Name extends OptionsOf> = {
  readonly [Option in keyof (typeof SHAPES)[Name]]?: (typeof SHAPES)[Name][Option] extends z.ZodType
    ? z.output<(typeof SHAPES)[Name][Option]>
    : never;
};

const CHECKS = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => [name, z.strictObject(shape).partial()]),
);

/**
 * @throws SeedError (usage) that names the option which is not known, or not what it has to be
 */
export function checkOptions<Name extends OptionsOf>(name: Name, options: unknown): Checked<Name> {
  const result = CHECKS[name].safeParse(options);
  if (!result.success) {
    const complaints = result.error.issues.flatMap((issue) => complaintsOf(issue, name, options));
    throw usageError(complaints.join('; '));
  }
  const checked = result.data as Checked<'load'>;
  if (checked.assetsOnly && checked.sections)
    throw usageError('assetsOnly and sections exclude each other: give one of them');
  return result.data as Checked<Name>;
}

function complaintsOf(issue: z.core.$ZodIssue, name: OptionsOf, options: unknown): string[] {
  const known = Object.keys(SHAPES[name]);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${key} is no option of ${name}${didYouMean(key, known)}`);
  }
  const [option] = issue.path;
  if (option === undefined) return [`${name} takes an object with options, not ${shown(options)}`];
  const given = (options as Record<PropertyKey, unknown>)[option];
  // A connection string may hold a password.
  return [`${String(option)}${option === 'uri' ? '' : ` ${shown(given)}`}: must be ${issue.message}`];
}

const LONGEST_VALUE = 60;

/** A value as its writer knows it, in one line. */
export function shown(value: unknown): string {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    return typeof value;
  if (value instanceof Date && Number.isNaN(value.getTime())) return 'Invalid Date';
  if (typeof value === 'number' || value === undefined) return String(value);
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, LONGEST_VALUE);
  } catch {
    return typeof value;
  }
}

function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'aborted' in value && 'addEventListener' in value && typeof value.addEventListener === 'function';
}

// {@link planLoad} for callers whose arguments nobody has looked at.

const minute = z.int({ error: 'whole minutes since 1970' }).min(0, { error: 'whole minutes since 1970' });
const positive = z.int({ error: 'a whole number from 1' }).min(1, { error: 'a whole number from 1' });
const assets = z.array(z.unknown(), { error: 'a list of assets' });

/** In their order, so that the first one that is wrong is named. */
const ARGUMENTS = z.object({
  fleet: z.object({ machines: assets, services: assets, jobs: assets }, { error: 'a fleet' }),
  window: z.object({ start: minute, end: minute }, { error: 'a window of start and end' }),
  sections: z.array(z.enum(SECTIONS, { error: `one of ${SECTIONS.join(', ')}` }), {
    error: `a list of ${SECTIONS.join(', ')}`,
  }),
  shardDays: positive,
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
