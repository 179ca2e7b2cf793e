/**
 * What a target is, asked once before anything is written: the server, the user's rights, and the
 * collections that bear this program's names, whoever made them. Facts alone; {@link obstaclesTo}
 * says what they mean for a load.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type Document, MongoServerError } from 'mongodb';
import { isServerLocked } from '../connect/connect.js';
import { PARTS, RUNS, SHARDS } from '../runs/run-document.js';
import { hasEventRuns, holdsForeignRuns } from '../runs/run-history.js';
import { ASSETS, EVENTS, METRIC_BUCKETS, METRICS } from '../store/collections.js';
import { type Rights, rightsOf } from './server.js';

const UNAUTHORIZED = 13;
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 100;

/** Everything of this program's in a database. Nothing else is ever touched. */
export const OWN_COLLECTIONS = [SHARDS, PARTS, RUNS, METRICS, ASSETS] as const;
export type OwnCollection = (typeof OWN_COLLECTIONS)[number];

/** An index, as far as it decides what a collection can hold. */
export interface IndexFacts {
  readonly name: string;
  /** Fields in their order, each with its direction or its kind (`text`, `2dsphere`, `hashed`). */
  readonly key: readonly (readonly [field: string, direction: unknown])[];
  /** It refuses a second document of a key, or is about to be made so (`prepareUnique`). */
  readonly unique: boolean;
  /** Which documents it holds; undefined: all. */
  readonly partialFilter: Document | undefined;
  readonly sparse: boolean;
  readonly hidden: boolean;
  readonly collated: boolean;
  /** Documents expire so many seconds after the first field; undefined: never. */
  readonly expireAfterSeconds: number | undefined;
  /** Of a text index: the field that a document may name its language in. */
  readonly languageField: string | undefined;
}

export type CollectionFacts =
  | { readonly kind: 'absent' }
  | { readonly kind: 'view'; readonly of: string }
  | {
      readonly kind: 'collection';
      readonly empty: boolean;
      readonly capped: boolean;
      /** A validator that refuses documents. */
      readonly validates: boolean;
      /** Locale of the default collation; undefined: texts are compared byte by byte. */
      readonly collation: string | undefined;
      readonly encrypted: boolean;
      readonly indexes: readonly IndexFacts[];
    }
  | {
      readonly kind: 'timeseries';
      readonly empty: boolean;
      readonly timeField: string;
      readonly metaField: string | undefined;
      /** Undefined where the spans were given in seconds. */
      readonly granularity: string | undefined;
      readonly expireAfterSeconds: number | undefined;
      readonly collation: string | undefined;
      readonly indexes: readonly IndexFacts[];
    };

/** What is left of a time-series collection; where it may not be read it counts as not empty. */
export type StrayBuckets = Pick<
  Extract<CollectionFacts, { kind: 'timeseries' }>,
  'empty' | 'timeField' | 'metaField' | 'granularity' | 'expireAfterSeconds' | 'collation'
>;

export interface ServerFacts {
  readonly version: string;
  /** Of a server that speaks MongoDB's protocol and is none; undefined: MongoDB. */
  readonly otherProduct: string | undefined;
  /** Feature compatibility version; undefined where the user may not ask. */
  readonly featureVersion: string | undefined;
  readonly kind: 'standalone' | 'replica set' | 'router';
  /** Members that hold data, of a replica set. */
  readonly members: number;
  /**
   * Why it takes no load at all, where an administrator has seen to that; undefined also where the
   * user may not know.
   */
  readonly closed?: 'locked' | 'write-blocked' | 'without scans' | undefined;
}

export interface TargetFacts {
  readonly database: string;
  readonly server: ServerFacts;
  readonly rights: Rights;
  readonly collections: Readonly<Record<OwnCollection, CollectionFacts>>;
  /** Which a load makes only where it is asked to: others may have one of that name. */
  readonly events: CollectionFacts;
  /** True where a run of this program has written it. */
  readonly ownsEvents: boolean;
  /**
   * Buckets of a time-series `metrics` without that collection: a server died while it made or
   * dropped it.
   */
  readonly strayBuckets: StrayBuckets | undefined;
  /** True where `seed_runs` holds documents that no version of this program has written. */
  readonly foreignRuns: boolean;
  /** A database that is there whose name differs by case only: the server allows no second one. */
  readonly sameName: string | undefined;
}

/** Looks at a target; reads only. @throws the driver's errors */
export async function inspectTarget(db: Db): Promise<TargetFacts> {
  const [server, rights, listed, sameName] = await Promise.all([
    inspectServer(db),
    rightsOf(db),
    listOwn(db),
    differentCase(db),
  ]);
  const collections = absent();
  const eventInfo = listed.find(({ name }) => name === EVENTS);
  const [foreignRuns, strayBuckets, events, ownsEvents] = await Promise.all([
    listed.some(({ name, type }) => name === RUNS && type === 'collection') && holdsForeignRuns(db),
    inspectStrayBuckets(db, listed),
    eventInfo ? inspectCollection(db, eventInfo) : ({ kind: 'absent' } as const),
    eventInfo !== undefined && hasEventRuns(db),
    ...listed
      .filter(({ name }) => name !== METRIC_BUCKETS && name !== EVENTS)
      .map(async (info) => {
        collections[info.name as OwnCollection] = await inspectCollection(db, info);
      }),
  ]);
  return {
    database: db.databaseName,
    server,
    rights,
    collections,
    events,
    ownsEvents,
    strayBuckets,
    foreignRuns,
    sameName,
  };
}

/** Not every server says which databases there are, nor to every user. */
async function differentCase(db: Db): Promise<string | undefined> {
  const { databaseName } = db;
  const filter = { name: { $regex: `^${databaseName.replace(/[^\w]/g, '\\$&')}$`, $options: 'i' } };
  const command = { listDatabases: 1, nameOnly: true, filter };
  const { databases } = await db.client
    .db('admin')
    .command(command)
    .catch(() => ({ databases: [] }));
  const names = (databases as readonly { readonly name: string }[]).map(({ name }) => name);
  return names.includes(databaseName) ? undefined : names[0];
}

function absent(): Record<OwnCollection, CollectionFacts> {
  const entries = OWN_COLLECTIONS.map((name) => [name, { kind: 'absent' }] as const);
  return Object.fromEntries(entries) as Record<OwnCollection, CollectionFacts>;
}

/**
 * A server makes the buckets of a collection before the collection: what looks stray may be another
 * loader's that is being made.
 */
async function listOwn(db: Db): Promise<Document[]> {
  for (let looks = 1; ; looks++) {
    const listed = await listNames(db);
    if (!hasStrayBuckets(listed) || looks === LOOKS) return listed;
    await sleep(BETWEEN_LOOKS_MS);
  }
}

function hasStrayBuckets(listed: readonly Document[]): boolean {
  const isTimeSeries = listed.some(({ name, type }) => name === METRICS && type === 'timeseries');
  return !isTimeSeries && listed.some(({ name }) => name === METRIC_BUCKETS);
}

async function inspectStrayBuckets(db: Db, listed: readonly Document[]): Promise<StrayBuckets | undefined> {
  if (!hasStrayBuckets(listed)) return undefined;
  const options = listed.find(({ name }) => name === METRIC_BUCKETS)?.options ?? {};
  const buckets = db.collection(METRIC_BUCKETS, { readPreference: 'primary' });
  const first = await buckets.findOne({}, { projection: { _id: 1 } }).catch((error: unknown) => {
    if (error instanceof MongoServerError && error.code === UNAUTHORIZED) return 'unknown';
    throw error;
  });
  return { empty: first === null, ...timeSeriesOptions(options) };
}

async function listNames(db: Db): Promise<Document[]> {
  const names = [...OWN_COLLECTIONS, METRIC_BUCKETS, EVENTS];
  return db.listCollections({ name: { $in: names } }, { readPreference: 'primary' }).toArray();
}

async function inspectServer(db: Db): Promise<ServerFacts> {
  const admin = db.client.db('admin');
  const [build, hello, parameters, isLocked, isWriteBlocked] = await Promise.all([
    admin.command({ buildInfo: 1 }),
    admin.command({ hello: 1 }),
    admin.command({ getParameter: 1, featureCompatibilityVersion: 1, notablescan: 1 }).catch(() => undefined),
    isServerLocked(db),
    blocksWrites(db),
  ]);
  const scans = parameters?.notablescan === true ? 'without scans' : undefined;
  return {
    version: build.version,
    otherProduct: otherProduct(build),
    featureVersion: parameters?.featureCompatibilityVersion?.version,
    kind: hello.msg === 'isdbgrid' ? 'router' : hello.setName ? 'replica set' : 'standalone',
    members: (hello.hosts ?? []).length,
    closed: isLocked ? 'locked' : isWriteBlocked ? 'write-blocked' : scans,
  };
}

/**
 * `userWriteBlockMode` of a server that blocks the writes of all users, which 6.0 and later can.
 */
const ALL_WRITES_BLOCKED = 2;
/** All that is not asked for of a server's status takes time. */
const NO_SECTIONS = Object.fromEntries(
  ['metrics', 'wiredTiger', 'locks', 'tcmalloc', 'globalLock', 'opLatencies', 'transactions', 'network'].map(
    (name) => [name, 0],
  ),
);

async function blocksWrites(db: Db): Promise<boolean> {
  const asked = db.client.db('admin').command({ serverStatus: 1, ...NO_SECTIONS });
  return (await asked.catch(() => undefined))?.repl?.userWriteBlockMode === ALL_WRITES_BLOCKED;
}

/** By what such servers say in `buildInfo`. */
export function otherProduct(build: Document): string | undefined {
  const ferret = build.ferretdbVersion ?? build.ferretdb?.version;
  if (ferret !== undefined) return `FerretDB ${String(ferret).replace(/^v/, '')}`;
  return undefined;
}

async function inspectCollection(db: Db, { name, type, options = {} }: Document): Promise<CollectionFacts> {
  if (type === 'view') return { kind: 'view', of: String(options.viewOn) };
  const collection = db.collection(name, { readPreference: 'primary' });
  const [indexes, first] = await Promise.all([
    // Unlike documents these are no secret to whoever may insert; where they are, nothing is known
    // of them.
    collection.listIndexes().toArray(),
    collection.findOne({}, { projection: { _id: 1 } }),
  ]);
  const common = { empty: first === null, indexes: indexes.map(indexFacts) };
  if (type === 'timeseries') {
    return { kind: 'timeseries', ...common, ...timeSeriesOptions(options) };
  }
  return {
    kind: 'collection',
    ...common,
    capped: options.capped === true,
    validates:
      options.validator !== undefined &&
      Object.keys(options.validator).length > 0 &&
      options.validationLevel !== 'off' &&
      options.validationAction !== 'warn',
    collation: options.collation?.locale,
    encrypted: options.encryptedFields !== undefined,
  };
}

function timeSeriesOptions(options: Document): Omit<StrayBuckets, 'empty'> {
  const { timeField, metaField, granularity } = options.timeseries ?? {};
  const expireAfterSeconds = secondsOf(options.expireAfterSeconds);
  return { timeField, metaField, granularity, expireAfterSeconds, collation: options.collation?.locale };
}

function indexFacts(index: Document): IndexFacts {
  return {
    name: index.name,
    key: Object.entries(index.key),
    unique: index.unique === true || index.prepareUnique === true,
    partialFilter: index.partialFilterExpression,
    sparse: index.sparse === true,
    hidden: index.hidden === true,
    collated: index.collation !== undefined,
    expireAfterSeconds: secondsOf(index.expireAfterSeconds),
    languageField: 'textIndexVersion' in index ? (index.language_override ?? 'language') : undefined,
  };
}

function secondsOf(value: unknown): number | undefined {
  return value === undefined || value === null || value === 'off' ? undefined : Number(value);
}
