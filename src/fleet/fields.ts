/**
 * Kinds of fields of a fleet file, how a field is read from a file that may be anything, and the
 * fields of disturbances.
 */
import * as z from 'zod';
import { didYouMean } from '../errors.js';
import { parseInstant } from '../time.js';
import { DISTURBANCE_KINDS, SERIES_NAMES } from './types.js';

export const matching = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });
export const text = (most: number) =>
  z
    .string({ error: 'a text' })
    .min(1, { error: 'a text that is not empty' })
    .max(most, { error: `at most ${most} characters` });
export const number = (min: number, max: number) => {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
};
export const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
};
export const list = <T extends z.ZodType>(entry: T, error: string) => z.array(entry, { error });

export const id = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
  'an id: letters, digits, dots, dashes and underscores, at most 100',
);

/** What is wrong with a field. */
export interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly what: string;
}

function fieldAt(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

export function listAt(value: unknown, name: string): readonly unknown[] {
  const field = fieldAt(value, name);
  return Array.isArray(field) ? field : [];
}

export function textAt(value: unknown, name: string): string | undefined {
  const field = fieldAt(value, name);
  return typeof field === 'string' ? field : undefined;
}

// Disturbances: what they may hold, and what is wrong with them.

const INSTANT = 'a date or a whole minute with its zone, such as 2025-02-03T10:00Z';
export const instant = z
  .string({ error: INSTANT })
  .refine((text) => parseInstant(text) !== undefined, { error: INSTANT });

const MINUTES_PER_DAY = 1440;
const MOST_MINUTES = 10_000_000;

export const disturbance = z.strictObject(
  {
    kind: z.enum(DISTURBANCE_KINDS),
    assets: list(id, 'a list of ids of machines and services')
      .optional()
      .describe('Ids of machines and services. Default: all.'),
    metrics: list(matching(/^[a-z][a-z0-9_]{0,63}$/, 'a metric name'), 'a list of names of metrics')
      .optional()
      .describe('Names of metrics. Default: all; where values change, all but those of polling.'),
    start: instant.optional().describe('When it begins.'),
    end: instant.optional().describe('When it is over.'),
    minutes: wholeNumber(1, MOST_MINUTES).optional().describe('How long it lasts, in place of end.'),
    per_day: number(0.0001, 1_000)
      .optional()
      .describe('So many a day, drawn for each asset, in place of start; at most a day long.'),
    by: number(-1e12, 1e12).optional().describe('Of spike, drift and level_shift: how much, in the unit.'),
    delay_minutes: wholeNumber(1, MOST_MINUTES).optional().describe('Of late: how much later.'),
  },
  { error: 'a disturbance: kind, and start or per_day' },
);

/** A level shift may last. */
const ENDLESS = ['level_shift', 'flatline'];
const WITH_BY = ['spike', 'drift', 'level_shift'];

/** What is wrong with a file's disturbances besides their shape. */
export function complaintsAboutDisturbances(file: unknown): Complaint[] {
  const known = namesIn(file);
  return listAt(file, 'disturbances').flatMap((entry, i) =>
    complaintsAbout(entry, known).map(({ path, what }) => ({ path: ['disturbances', i, ...path], what })),
  );
}

interface Names {
  readonly assets: ReadonlySet<string>;
  readonly metrics: ReadonlySet<string>;
}

function namesIn(file: unknown): Names {
  const assets = new Set<string>();
  const metrics = new Set<string>(SERIES_NAMES);
  const add = (to: Set<string>, name: string | undefined) => name !== undefined && to.add(name);
  for (const machine of listAt(file, 'machines')) {
    add(assets, textAt(machine, 'id'));
    for (const service of listAt(machine, 'services')) add(assets, textAt(service, 'id'));
    for (const metric of listAt(machine, 'metrics')) add(metrics, textAt(metric, 'name'));
  }
  return { assets, metrics };
}

function complaintsAbout(entry: unknown, known: Names): Complaint[] {
  const found: Complaint[] = [];
  const complain = (field: string, what: string) => found.push({ path: [field], what });
  const has = (field: string) => fieldAt(entry, field) !== undefined;
  const kind = textAt(entry, 'kind') ?? '';
  if (!(DISTURBANCE_KINDS as readonly string[]).includes(kind)) return found;
  for (const [field, names] of [
    ['assets', known.assets],
    ['metrics', known.metrics],
  ] as const) {
    for (const [i, name] of listAt(entry, field).entries()) {
      if (typeof name !== 'string' || names.has(name)) continue;
      const what = field === 'assets' ? 'is no machine or service of the fleet' : 'is no metric of the fleet';
      found.push({ path: [field, i], what: `"${name}" ${what}${didYouMean(name, names)}` });
    }
  }
  if (has('start') === has('per_day')) complain('start', 'must be there, or per_day, and not both');
  if (has('per_day')) {
    if (has('end')) complain('end', 'has no meaning beside per_day: minutes says how long each lasts');
    if (!has('minutes')) complain('minutes', 'must be there beside per_day');
    if (Number(fieldAt(entry, 'minutes')) > MINUTES_PER_DAY)
      complain('minutes', `must be at most ${MINUTES_PER_DAY} beside per_day`);
  } else if (has('end') && has('minutes')) complain('end', 'and minutes exclude each other');
  else if (!has('end') && !has('minutes') && !ENDLESS.includes(kind))
    complain('end', 'must be there, or minutes');
  const [start, end] = [textAt(entry, 'start'), textAt(entry, 'end')].map(
    (text) => text && parseInstant(text),
  );
  if (start && end && start >= end) complain('end', 'must be after start');
  if (WITH_BY.includes(kind) && !has('by')) complain('by', 'must be there: how much');
  if (!WITH_BY.includes(kind) && has('by')) complain('by', `has no meaning for ${kind}`);
  if ((kind === 'late') !== has('delay_minutes'))
    complain(
      'delay_minutes',
      kind === 'late' ? 'must be there: how much later' : `has no meaning for ${kind}`,
    );
  const states = listAt(entry, 'metrics').indexOf('availability_status');
  if (states >= 0 && (WITH_BY.includes(kind) || kind === 'flatline'))
    found.push({
      path: ['metrics', states],
      what: '"availability_status" is a state, not a value that is wrong',
    });
  return found;
}
