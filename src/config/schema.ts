/** What each setting's text may be, and the value it stands for. */
import * as z from 'zod';

import { didYouMean } from '../nearest.js';
import { INTERVALS, isTimezone, MAX_JITTER_MS, parseInstant } from '../time.js';
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
 * The message of every issue is what is allowed: the reader of a refusal has the value before them
 * already.
 */
const wholeNumber = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,16}$/, { error })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
};

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z
    .string()
    .trim()
    .toLowerCase()
    .pipe(z.enum(values, { error: ({ input }) => values.join(', ') + didYouMean(String(input), values) }));

const boolean = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.stringbool({ error: 'true or false (also 1 or 0, yes or no, on or off)' }));

const parsedBy = <T>(allowed: string | ((text: string) => string), parse: (text: string) => T | undefined) =>
  z
    .string()
    .trim()
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue({ code: 'custom', message: typeof allowed === 'string' ? allowed : allowed(text) });
      return z.NEVER;
    });

const matching = (pattern: RegExp, allowed: string) => z.string().trim().regex(pattern, { error: allowed });

const instant = parsedBy(
  'a date such as 2025-02-09 (00:00 UTC) or a whole minute with its zone such as 2025-02-09T08:30Z, from 1970 to 9999',
  parseInstant,
);

const path = z.string().refine((text) => text.trim() !== '' && !text.includes('\0'), { error: 'a path' });

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

/** What a validated setting is, by name; undefined where it was not given and has no default. */
export const VALUES = z.object({
  days: wholeNumber(1, MAX_DAYS),
  seed: wholeNumber(0, Number.MAX_SAFE_INTEGER).optional(),
  start: instant.optional(),
  end: instant.optional(),
  fleet: path.optional(),
  scale: wholeNumber(1, MAX_SCALE),
  timezone: parsedBy('an IANA time zone such as Europe/Rome', (text) =>
    isTimezone(text) ? text : undefined,
  ).optional(),
  interval: oneOf(INTERVALS).optional(),
  jitter: wholeNumber(0, MAX_JITTER_MS).optional(),
  assetsOnly: boolean.optional(),
  metricsOnly: boolean.optional(),
  pollingOnly: boolean.optional(),
  backupOnly: boolean.optional(),
  environment: matching(/^[\w.-]{1,64}$/, 'at most 64 letters, digits, dots, dashes and underscores')
    // However it is spelled, it is guarded.
    .transform((name) => (/^production$/i.test(name) ? 'production' : name)),
  availabilityScale: oneOf(AVAILABILITY_SCALES),
  events: boolean.optional(),
  dryRun: boolean.optional(),
  clean: boolean.optional(),
  resume: boolean.optional(),
  skipCleanup: boolean.optional(),
  yes: boolean.optional(),
  layout: oneOf(LAYOUTS),
  clustered: boolean,
  ttlDays: wholeNumber(1, MAX_TTL_DAYS).optional(),
  writeConcern: parsedBy('majority, or a number of members from 1 to 50', parseWriteConcern).optional(),
  shard: boolean.optional(),
  parts: wholeNumber(1, MAX_PARTS).optional(),
  part: wholeNumber(1, MAX_PARTS).optional(),
  batchSize: wholeNumber(1, MAX_BATCH),
  rate: wholeNumber(1, MAX_RATE).optional(),
  workers: wholeNumber(1, 256).optional(),
  shardDays: wholeNumber(1, MAX_DAYS).optional(),
  writer: oneOf(WRITERS),
  compressors: parsedBy(`a list of ${COMPRESSORS.join(', ')}`, parseCompressors).optional(),
  uri: parsedBy(uriForms, parseUri).optional(),
  uriFile: path.optional(),
  host: parsedBy('a host name or address, or several separated by commas', parseHosts),
  port: wholeNumber(1, 65_535),
  database,
  username: printable('a user name').optional(),
  password: z.string().optional(),
  passwordFile: path.optional(),
  authSource: printable('a database name, or $external'),
  replicaSet: printable('the name of a replica set').optional(),
  sslEnabled: boolean,
  sslCertPath: path.optional(),
  sslKeyPath: path.optional(),
  sslCaPath: path.optional(),
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
  envFile: path.optional(),
  logLevel: oneOf(LOG_LEVELS),
  logFile: path.optional(),
  quiet: boolean.optional(),
  json: boolean.optional(),
  color: boolean,
  ascii: boolean.optional(),
} satisfies Record<SettingName, z.ZodType>);

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
