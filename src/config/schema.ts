/** What each setting's text may be, and the value it stands for. */
import * as z from 'zod';

import { didYouMean } from '../errors.js';
import { INTERVALS, isInstant, isTimezone, MAX_JITTER_MS, parseInstant } from '../time.js';
import type { SettingName } from './catalog.js';
import { AVAILABILITY_SCALES, COMPRESSORS, LAYOUTS, LOG_LEVELS, WRITERS } from './settings.js';
import { parseHosts, parseUri, uriForms } from './uri.js';

/** A hundred years. */
export const MAX_DAYS = 36_500;
/**
 * Twenty megabytes of flat documents; beyond 5,000 records a batch gains no speed
 * (bench/README.md).
 */
const MAX_BATCH = 100_000;
const MAX_RATE = 1_000_000_000;
/** A server takes at most 2³¹ − 1 seconds. */
const MAX_TTL_DAYS = 24_855;
/** Names of sites have five digits. */
export const MAX_SCALE = 99_999;
/** Far more loaders than a server can serve. */
export const MAX_PARTS = 10_000;
const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * A setting as a text, which flags, variables and files hold, and as the value that a caller of the
 * library gives. Both end in the same value, and the bounds stand in one place. The message of every
 * issue is what is allowed: the reader of a refusal has the value before them already.
 */
interface Setting {
  readonly text: z.ZodType;
  readonly value: z.ZodType;
}

const string = z.string({ error: 'a text' });

const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  const value = z.number({ error: 'a number' }).int({ error }).min(min, { error }).max(max, { error });
  const digits = string.trim().regex(/^\d{1,16}$/, { error });
  return { text: digits.transform(Number).pipe(value), value };
};

/** One of a few words. A caller of the library is told that it is one of them. */
export const oneOf = <const T extends readonly [string, ...string[]]>(values: T) => {
  const meant = (input: unknown) => (typeof input === 'string' ? didYouMean(input, values) : '');
  const among = (intro: string) =>
    z.enum(values, { error: ({ input }) => `${intro}${values.join(', ')}${meant(input)}` });
  return { text: string.trim().toLowerCase().pipe(among('')), value: among('one of ') };
};

const boolean = {
  text: string
    .trim()
    .toLowerCase()
    .pipe(z.stringbool({ error: 'true or false (also 1 or 0, yes or no, on or off)' })),
  value: z.boolean({ error: 'true or false' }),
};

const parsedBy = <T>(allowed: string | ((text: string) => string), parse: (text: string) => T | undefined) =>
  string.trim().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: typeof allowed === 'string' ? allowed : allowed(text) });
    return z.NEVER;
  });

/** What is a text in either case. */
const written = <T extends z.ZodType>(text: T) => ({ text, value: text });

const optional = <T extends z.ZodType, V extends z.ZodType>({ text, value }: { text: T; value: V }) => ({
  text: text.optional(),
  value,
});

const matching = (pattern: RegExp, allowed: string) => string.trim().regex(pattern, { error: allowed });

const instant = {
  text: parsedBy(
    'a date such as 2025-02-09 (00:00 UTC) or a whole minute with its zone such as 2025-02-09T08:30Z, from 1970 to 9999',
    parseInstant,
  ),
  value: z
    .date({ error: 'a Date that is valid' })
    .refine(isInstant, { error: 'a Date of a whole minute from 1970 to 9999' }),
};

const path = string.refine((text) => text.trim() !== '' && !text.includes('\0'), { error: 'a path' });

const MOST_DATABASE_BYTES = 63;

/**
 * Database names: what every server and platform accepts, and none of the server's own. A letter
 * may have more than one byte.
 */
const database = matching(
  /^(?!(?:admin|local|config)$)[^/\\. "$*<>:|?\0\p{Cc}]+$/iu,
  'a name without any of / \\ . " $ * < > : | ? or a blank, and not admin, local or config',
).refine((name) => Buffer.byteLength(name) <= MOST_DATABASE_BYTES, {
  error: ({ input }) =>
    `at most ${MOST_DATABASE_BYTES} bytes long; it has ${Buffer.byteLength(String(input))}`,
});

const printable = (what: string) => matching(/^[^\p{Cc}]{1,255}$/u, what);

const MEMBERS = 'majority, or a number of members from 1 to 50';
const writeConcern = {
  text: parsedBy(MEMBERS, parseWriteConcern),
  value: z
    .union([string, z.number()], { error: '"majority" or a number of members' })
    .transform(String)
    .pipe(parsedBy(MEMBERS, parseWriteConcern)),
};

const COMPRESSOR_LIST = `a list of ${COMPRESSORS.join(', ')}`;
const compressors = {
  text: parsedBy(COMPRESSOR_LIST, parseCompressors),
  value: z
    .array(oneOf(COMPRESSORS).value, { error: COMPRESSOR_LIST })
    .refine((names) => new Set(names).size === names.length, { error: `${COMPRESSOR_LIST}, each once` }),
};

const SETTINGS = {
  days: wholeNumber(1, MAX_DAYS),
  seed: optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  start: optional(instant),
  end: optional(instant),
  fleet: optional(written(path)),
  scale: wholeNumber(1, MAX_SCALE),
  timezone: optional(
    written(
      parsedBy('an IANA time zone such as Europe/Rome', (text) => (isTimezone(text) ? text : undefined)),
    ),
  ),
  interval: optional(oneOf(INTERVALS)),
  jitter: optional(wholeNumber(0, MAX_JITTER_MS)),
  assetsOnly: optional(boolean),
  metricsOnly: optional(boolean),
  pollingOnly: optional(boolean),
  backupOnly: optional(boolean),
  environment: written(
    matching(/^[\w.-]{1,64}$/, 'at most 64 letters, digits, dots, dashes and underscores')
      // However it is spelled, it is guarded.
      .transform((name) => (/^production$/i.test(name) ? 'production' : name)),
  ),
  availabilityScale: oneOf(AVAILABILITY_SCALES),
  events: optional(boolean),
  dryRun: optional(boolean),
  clean: optional(boolean),
  resume: optional(boolean),
  skipCleanup: optional(boolean),
  yes: optional(boolean),
  layout: oneOf(LAYOUTS),
  clustered: boolean,
  ttlDays: optional(wholeNumber(1, MAX_TTL_DAYS)),
  writeConcern: optional(writeConcern),
  shard: optional(boolean),
  parts: optional(wholeNumber(1, MAX_PARTS)),
  part: optional(wholeNumber(1, MAX_PARTS)),
  batchSize: wholeNumber(1, MAX_BATCH),
  rate: optional(wholeNumber(1, MAX_RATE)),
  workers: optional(wholeNumber(1, 256)),
  shardDays: optional(wholeNumber(1, MAX_DAYS)),
  writer: oneOf(WRITERS),
  compressors: optional(compressors),
  uri: optional(written(parsedBy(uriForms, parseUri))),
  uriFile: optional(written(path)),
  host: written(parsedBy('a host name or address, or several separated by commas', parseHosts)),
  port: wholeNumber(1, 65_535),
  database: written(database),
  username: optional(written(printable('a user name'))),
  password: optional(written(string)),
  passwordFile: optional(written(path)),
  authSource: written(printable('a database name, or $external')),
  replicaSet: optional(written(printable('the name of a replica set'))),
  sslEnabled: boolean,
  sslCertPath: optional(written(path)),
  sslKeyPath: optional(written(path)),
  sslCaPath: optional(written(path)),
  maxPoolSize: wholeNumber(1, 10_000),
  minPoolSize: wholeNumber(0, 10_000),
  maxIdleTimeMs: wholeNumber(0, MAX_TIMEOUT_MS),
  connectTimeoutMs: wholeNumber(1, MAX_TIMEOUT_MS),
  serverSelectionTimeoutMs: wholeNumber(1, MAX_TIMEOUT_MS),
  socketTimeoutMs: wholeNumber(0, MAX_TIMEOUT_MS),
  wait: wholeNumber(0, 86_400),
  retrySeconds: wholeNumber(0, 86_400),
  retryWrites: boolean,
  retryReads: boolean,
  envFile: optional(written(path)),
  logLevel: oneOf(LOG_LEVELS),
  logFile: optional(written(path)),
  quiet: optional(boolean),
  json: optional(boolean),
  color: boolean,
  ascii: optional(boolean),
} satisfies Record<SettingName, Setting>;

type ShapeOf<Form extends keyof Setting> = {
  readonly [Name in SettingName]: (typeof SETTINGS)[Name][Form];
};

function shapeOf<Form extends keyof Setting>(form: Form): ShapeOf<Form> {
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([name, setting]) => [name, setting[form]]),
  ) as never;
}

/** Settings as texts; undefined where one was not given and has no default. */
export const VALUES = z.object(shapeOf('text'));

/** The same settings as a caller of the library gives them. */
export const TYPED = shapeOf('value');

/** What validated settings are, by name. */
export type Values = z.output<typeof VALUES>;

function parseWriteConcern(text: string): string | number | undefined {
  if (/^majority$/i.test(text)) return 'majority';
  const members = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return members >= 1 && members <= 50 ? members : undefined;
}

function parseCompressors(text: string): readonly string[] | undefined {
  const names = text.split(',').map((name) => name.trim().toLowerCase());
  const known = names.every((name) => (COMPRESSORS as readonly string[]).includes(name));
  return known && new Set(names).size === names.length ? names : undefined;
}
