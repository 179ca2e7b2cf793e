/**
 * The edge of the library: what a caller gave is what it says it is, or is refused by name. Callers
 * without types, and those whose options come from elsewhere, would otherwise load something else
 * than they meant.
 */
import * as z from 'zod';
import { SETTING_NAMES, settingEntry } from '../config/catalog.js';
import {
  AVAILABILITY_SCALES,
  COMPRESSORS,
  EXPORT_FORMATS,
  LAYOUTS,
  PARQUET_COMPRESSIONS,
  SECTIONS,
  type Section,
  WRITERS,
} from '../config/settings.js';
import { SeedError, usageError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { didYouMean } from '../nearest.js';
import { type Plan, planLoad as planChecked, type Window } from '../plan/plan.js';
import { INTERVALS } from '../time.js';

export const EXISTING = ['refuse', 'clean', 'keep', 'resume'] as const;

/** The message of every issue is what is allowed. */
const text = z.string({ error: 'a text' });
const number = z.number({ error: 'a number' });
const flag = z.boolean({ error: 'true or false' });
const instant = z.date({ error: 'a Date that is valid' });
const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, {
    error: ({ input }) =>
      `one of ${values.join(', ')}${typeof input === 'string' ? didYouMean(input, values) : ''}`,
  });
const listOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.array(oneOf(values), { error: `a list of ${values.join(', ')}` });
const object = z.custom<object>((value) => typeof value === 'object' && value !== null);

const DATASET = {
  seed: number,
  days: number,
  start: instant,
  end: instant,
  assetsOnly: flag,
  sections: listOf(SECTIONS).min(1, {
    error: `a list of at least one of ${SECTIONS.join(', ')}; assetsOnly: true is for the assets alone`,
  }),
  fleet: z.union([text, object], { error: 'the path of a fleet file, or what such a file holds' }),
  scale: number,
  timezone: text,
  interval: oneOf(INTERVALS),
  jitter: number,
  layout: oneOf(LAYOUTS),
  availabilityScale: oneOf(AVAILABILITY_SCALES),
  environment: text,
};
const SHARDS = { shardDays: number, batchSize: number };
const TARGET = { uri: text, database: text, workers: number };

const SHAPES = {
  load: {
    ...DATASET,
    ...SHARDS,
    ...TARGET,
    events: flag,
    existing: oneOf(EXISTING),
    rate: number,
    yes: flag,
    writer: oneOf(WRITERS),
    writeConcern: z.union([text, number], { error: '"majority" or a number of members' }),
    clustered: flag,
    ttlDays: number,
    compressors: listOf(COMPRESSORS),
    retrySeconds: number,
  },
  plan: { ...DATASET, ...SHARDS },
  generate: { ...DATASET, ...SHARDS },
  generateBatches: { ...DATASET, ...SHARDS },
  answers: { ...DATASET, ...SHARDS },
  events: { ...DATASET, ...SHARDS },
  verify: { ...DATASET, ...TARGET, run: text },
  repair: { ...DATASET, ...TARGET, run: text, yes: flag },
  refresh: {
    ...TARGET,
    end: instant,
    batchSize: number,
    rate: number,
    writer: oneOf(WRITERS),
    writeConcern: z.union([text, number], { error: '"majority" or a number of members' }),
    compressors: listOf(COMPRESSORS),
    retrySeconds: number,
    keepDays: z.int({ error: 'a whole number from 1 to 36500' }).min(1).max(36_500),
  },
  exportDataset: {
    ...DATASET,
    ...SHARDS,
    out: text,
    format: oneOf(EXPORT_FORMATS),
    gzip: flag,
    compression: oneOf(PARQUET_COMPRESSIONS),
    oneFile: flag,
    events: flag,
    clean: flag,
    database: text,
    workers: number,
  },
  preview: DATASET,
  report: { uri: text, database: text, days: number, start: instant, end: instant },
  status: { uri: text, database: text },
  observer: {
    onEvent: z.custom<unknown>((value) => typeof value === 'function', { error: 'a function' }),
    signal: z.custom<AbortSignal>(isSignal, { error: 'an AbortSignal' }),
  },
} satisfies Record<string, Record<string, z.ZodType>>;

const CHECKS = Object.fromEntries(
  Object.entries(SHAPES).map(([name, shape]) => [name, z.strictObject(shape).partial()]),
);

/**
 * @param name whose options they are: of the function, or `observer`
 * @throws SeedError (usage) that names the option which is not known, or not what it has to be
 */
export function checkOptions(name: keyof typeof SHAPES, options: unknown): void {
  const result = CHECKS[name].safeParse(options);
  if (result.success) {
    const { assetsOnly, sections } = result.data as { assetsOnly?: boolean; sections?: unknown };
    if (assetsOnly && sections)
      throw usageError('assetsOnly and sections exclude each other: give one of them');
    return;
  }
  const complaints = result.error.issues.flatMap((issue) => complaintsOf(issue, name, options));
  throw usageError(complaints.join('; '));
}

function complaintsOf(issue: z.core.$ZodIssue, name: keyof typeof SHAPES, options: unknown): string[] {
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

/**
 * How a refusal of the configuration names what a caller of the library has given by another name,
 * or as a value.
 */
const NAMES = new Map<string, string>(
  SETTING_NAMES.flatMap((name) => {
    const { flag } = settingEntry(name);
    return flag === undefined ? [] : [[flag, name]];
  }),
);
for (const [given, name] of [
  ['--clean', "existing: 'clean'"],
  ['--resume', "existing: 'resume'"],
  ['--skip-cleanup', "existing: 'keep'"],
  ['--no-clustered', 'clustered: false'],
  ['--metrics-only', "sections: ['metrics']"],
  ['--polling-only', "sections: ['polling']"],
  ['--backup-only', "sections: ['backup']"],
] as const) {
  NAMES.set(given, name);
}

/** A refusal that speaks of flags, in the names of the options. Other errors pass unchanged. */
export function inOptionNames(error: unknown): unknown {
  if (!(error instanceof SeedError)) return error;
  const renamed = (message: string) =>
    message.replace(/--[a-z][a-z-]*[a-z]/g, (flag) => NAMES.get(flag) ?? flag);
  return new SeedError(error.exitStatus, renamed(error.message), renamed(error.remedy), {
    cause: error.cause,
  });
}

// {@link planLoad} for callers whose arguments nobody has looked at.

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

// A load that a caller's own function watches.
