/**
 * The collections of runs, and the documents of `seed_runs` and `seed_shards`, checked when they are
 * read: a stored checkpoint is input like any other.
 */
import { type IndexDescription, ObjectId } from 'mongodb';
import * as z from 'zod';
import { MAX_DAYS, MAX_PARTS, MAX_SCALE } from '../config/schema.js';
import { AVAILABILITY_SCALES, LAYOUTS, SECTIONS } from '../config/settings.js';
import type { Books } from '../connect/bookkeeping.js';
import type { Dataset } from '../dataset/dataset.js';
import { ExitStatus, SeedError } from '../errors.js';
import { buildFleet } from '../fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../fleet/default.js';
import type { FleetDefinition } from '../fleet/file.js';
import { complaintsAbout, fleetFile } from '../fleet/schema.js';
import type { Fleet } from '../fleet/types.js';
import { minuteOf } from '../plan/plan.js';
import { FIRST_INSTANT, INTERVALS, isTimezone, LAST_INSTANT, MAX_JITTER_MS } from '../time.js';

// The collections that runs are kept in, and their indexes. No other room reads or writes their
// documents.

/** One document a run. */
export const RUNS = 'seed_runs';
/** One document for each completed shard. */
export const SHARDS = 'seed_shards';
/** One document for each part of a run that several loaders share. */
export const PARTS = 'seed_parts';

/** What keeps two runs from being active at once. */
export const RUN_INDEXES: IndexDescription[] = [
  { key: { active: 1 }, unique: true, partialFilterExpression: { active: true } },
];
export const SHARD_INDEXES: IndexDescription[] = [{ key: { run: 1 } }];

// Documents, as they are read and written.

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;

const counts = z.object({
  metrics: z.number().int().min(0),
  polling: z.number().int().min(0),
  backup: z.number().int().min(0),
});

/** Version of these documents' shape. */
export const RUN_FORMAT = 1;

const instant = z
  .date()
  .refine((date) => date.getTime() % MS_PER_MINUTE === 0, { error: 'not a whole minute' });

/**
 * What the options allow: a stored window that is out of all bounds would take for ever to plan.
 */
const windowDocument = z
  .object({ start: instant, end: instant })
  .refine(({ start, end }) => start < end, { error: 'ends before it starts' })
  .refine(({ start, end }) => start >= FIRST_INSTANT && end <= LAST_INSTANT, {
    error: 'not between 1970 and 9999',
  })
  .refine(({ start, end }) => end.getTime() - start.getTime() <= MAX_DAYS * MS_PER_DAY, {
    error: `longer than ${MAX_DAYS} days`,
  });

/** What the fleet was built from; absent: the default fleet. */
const fleetDocument = z.object({
  /** Absent: the default one. */
  file: fleetFile.refine((file) => complaintsAbout(file).length === 0, { error: 'not a fleet' }).optional(),
  scale: z.number().int().min(1).max(MAX_SCALE),
  timezone: z.string().refine(isTimezone, { error: 'no time zone that is known here' }),
  /** Absent: a minute. */
  interval: z.enum(INTERVALS).optional(),
  /** Absent: none. */
  jitterMs: z.number().int().min(0).max(MAX_JITTER_MS).optional(),
});

/** What loaders of one run must agree on besides the dataset. Absent: the run has one loader. */
const partsDocument = z.object({
  count: z.number().int().min(2).max(MAX_PARTS),
  clustered: z.boolean(),
  ttlDays: z.number().int().optional(),
});

export const runDocument = z.object({
  _id: z.string().min(1),
  format: z.literal(RUN_FORMAT),
  seed: z.number().int().min(0),
  window: windowDocument,
  sections: z.array(z.enum(SECTIONS)).max(SECTIONS.length),
  layout: z.enum(LAYOUTS),
  availabilityScale: z.enum(AVAILABILITY_SCALES),
  environment: z.string().regex(/^[\w.-]{1,64}$/),
  modelVersion: z.number().int(),
  fleetFingerprint: z.string(),
  fleet: fleetDocument.optional(),
  shardDays: z.number().int().min(1).max(MAX_DAYS),
  planned: counts,
  shards: z.number().int().min(0),
  state: z.enum(['loading', 'complete', 'interrupted', 'failed']),
  /** Present while a loader holds the run; a unique index lets one run at most have it. */
  active: z.literal(true).optional(),
  host: z.string(),
  pid: z.number().int(),
  /** Drawn by each loader for itself: two of them may share host and pid. */
  holder: z.string().optional(),
  /** Where `pid` means something: the host's boot and the container. */
  processSpace: z.string().optional(),
  /**
   * True from before `--clean` removes anything until it has removed all: whoever resumes such a
   * run cleans first.
   */
  cleaning: z.literal(true).optional(),
  /** Collections that held others' documents when the run began. */
  beside: z.array(z.string()).optional(),
  /**
   * Present where its records are written as buckets: whoever goes on with it writes the same
   * buckets.
   */
  writer: z.literal('buckets').optional(),
  /** Present where it has written the collection of events as well. */
  events: z.literal(true).optional(),
  /** Id of the run that this one extends; once it is complete the two become one. */
  extends: z.string().optional(),
  /**
   * The window began here before `refresh --keep-days` moved its start; present until the records
   * before it are removed.
   */
  trimmedFrom: instant.optional(),
  parts: partsDocument.optional(),
  /** How often a part has joined. */
  joined: z.number().int().optional(),
  /** By the server's clock. */
  heartbeat: z.date(),
  startedAt: z.date(),
  finishedAt: z.date().optional(),
  version: z.string(),
});
export type RunDocument = z.infer<typeof runDocument>;

/** A part of a run, with its lease. */
export interface PartDocument {
  readonly _id: string;
  readonly run: string;
  readonly part: number;
  readonly state: RunDocument['state'];
  readonly active?: true;
  readonly host: string;
  readonly pid: number;
  readonly holder: string;
  readonly processSpace?: string;
  /** As of a run of one loader: each part has its own. */
  readonly writer?: RunDocument['writer'];
  readonly heartbeat: Date;
  readonly startedAt: Date;
  readonly finishedAt?: Date;
}

const shardDocument = z.object({
  _id: z.string(),
  run: z.string(),
  asset: z.string(),
  from: z.date(),
  to: z.date(),
  records: z.number().int().min(0),
  worker: z.number().int(),
  ms: z.number(),
});
export type ShardDocument = z.infer<typeof shardDocument>;

/** What has to be known of a run with `cleaning` before it is resumed. */
export const STOPPED_CLEANING =
  'was stopped while it removed the data of this database: resuming it removes what is left of them';

/** @throws SeedError naming the document and what is wrong with it. */
export function parseRun(stored: unknown): RunDocument {
  return parseStored(runDocument, stored, 'seed_runs');
}

/** @throws SeedError naming the document and what is wrong with it. */
export function parseShard(stored: unknown): ShardDocument {
  return parseStored(shardDocument, stored, 'seed_shards');
}

function parseStored<T>(schema: z.ZodType<T>, stored: unknown, collection: string): T {
  const parsed = schema.safeParse(stored);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const id = nameOf((stored as { _id?: unknown } | null)?._id);
  const { format } = (stored ?? {}) as { format?: unknown };
  const newer =
    typeof format === 'number' && format > RUN_FORMAT ? ' (written by a newer version of this program)' : '';
  throw new SeedError(
    ExitStatus.failure,
    `document ${id} of ${collection} cannot be used${newer}: ${issue.path.join('.') || 'document'}: ${issue.message}`,
    'use the version that wrote it, or --clean to start again',
  );
}

function nameOf(id: unknown): string {
  if (typeof id === 'string' || typeof id === 'number') return JSON.stringify(id).slice(0, 60);
  return id instanceof ObjectId ? id.toHexString() : 'without a usable _id';
}

// What the stored runs promise, as a text to compare: what was decided by it holds only while it
// stays the same.

/**
 * Changes when a run begins, goes, grows or is trimmed; not with signs of life, nor when a run
 * ends. For runs of any version, and for documents that cannot be used.
 * @param without id of a run that is left out: one's own
 */
export async function runMarks(books: Books, without?: string): Promise<string> {
  const projection = { window: 1, planned: 1, trimmedFrom: 1 };
  const stored = await books.collection(RUNS).find({}, { projection }).sort({ _id: 1 }).toArray();
  return JSON.stringify(stored.filter(({ _id }) => String(_id) !== without));
}

/** The dataset of a stored run. */
export function datasetOf(run: RunDocument): Dataset {
  const { seed, sections, layout, availabilityScale, environment, modelVersion } = run;
  const window = { start: minuteOf(run.window.start), end: minuteOf(run.window.end) };
  return { seed, window, sections, layout, availabilityScale, environment, modelVersion };
}

/** What a run stores of its fleet: nothing for the default one. */
export function storedFleet({ definition }: Fleet): { fleet?: RunDocument['fleet'] } {
  if (definition === DEFAULT_FLEET.definition) return {};
  const { file, ...rest } = definition;
  return { fleet: { ...(file === DEFAULT_FILE ? {} : { file }), ...rest } };
}

/** What a stored run's fleet was made of. */
export function definitionOf({ fleet }: Pick<RunDocument, 'fleet'>): FleetDefinition {
  if (!fleet) return DEFAULT_FLEET.definition;
  return { file: DEFAULT_FILE, ...fleet };
}

/**
 * The fleet of a stored run, as this version builds it: `fleetFingerprint` tells whether that is
 * the same.
 */
export function fleetOf(run: Pick<RunDocument, 'fleet'>): Fleet {
  return run.fleet ? buildFleet(definitionOf(run)) : DEFAULT_FLEET;
}
