/** Collections and indexes of both layouts. */
import { type CreateCollectionOptions, type Db, MongoServerError } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { type Guard, unguarded, type WriteLimit } from './guard.js';
import { ASSET_INDEXES, METRIC_INDEXES, makeIndexes } from './indexes.js';
import { ASSETS, METRIC_BUCKETS, METRICS, PARTS, SHARDS } from './names.js';

/** The server has no such collections: nothing was made. */
export class UnsupportedCollection extends SeedError {}

export interface SchemaOptions {
  readonly layout: Layout;
  /** Flat layout: cluster `metrics` by `_id`, which servers from 5.3 on can. */
  readonly clustered: boolean;
  /** Time-series layout: delete records this many days after their timestamp. */
  readonly ttlDays: number | undefined;
}

const SECONDS_PER_DAY = 86_400;
const NAMESPACE_EXISTS = 48;
/** No collection of that name, or another one. */
const NOT_THERE = [26, 361];
/** How servers before 6.0 refuse a parameter that they do not know. */
const NO_SUCH_PARAMETER = [40415, 72];
/** How a server refuses a kind of collection that it, or the version that it stays compatible with, does not have. */
const NO_SUCH_COLLECTION = [2, 9, 72, 40415];

/** The layout that `metrics` has in this database; undefined where there is no such collection. */
export async function existingLayout(db: Db): Promise<Layout | undefined> {
  const [info] = await db.listCollections({ name: METRICS }).toArray();
  if (!info) return undefined;
  return 'type' in info && info.type === 'timeseries' ? 'timeseries' : 'flat';
}

/**
 * Whether `metrics` is there.
 * @throws SeedError where it has the other layout.
 */
export async function refuseOtherLayout(db: Db, layout: Layout): Promise<boolean> {
  const existing = await existingLayout(db);
  if (!existing || existing === layout) return existing !== undefined;
  throw new SeedError(
    ExitStatus.targetNotReady,
    `collection ${METRICS} of database ${db.databaseName} has the ${existing} layout, not ${layout}`,
    `use --layout ${existing}, another --database, or --clean to replace it`,
  );
}

/**
 * Makes what is missing; what is there stays.
 * @param notice told where an ordinary collection has to do in place of a clustered one
 * @throws SeedError where `metrics` has the other layout; UnsupportedCollection where the server has no such collections
 */
export async function ensureCollections(
  db: Db,
  options: SchemaOptions,
  notice: (message: string) => void,
  guard: Guard = unguarded,
): Promise<void> {
  const existing = await refuseOtherLayout(db, options.layout);
  // First, since it may turn out that the server has no such collections.
  if (!existing) await createMetrics(db, options, notice, guard);
  // Side by side: the server makes a file for each collection and index, and waits for the disk. Without a limit: where records are
  // there already it takes as long as it takes, and does no harm late.
  await Promise.all([
    guard(() => makeIndexes(db.collection(ASSETS), ASSET_INDEXES)),
    guard(() => makeIndexes(db.collection(METRICS), METRIC_INDEXES[options.layout])),
  ]);
}

/** Not every user may ask for the feature compatibility version. Then what cannot be had shows here. */
async function createMetrics(
  db: Db,
  options: SchemaOptions,
  notice: (message: string) => void,
  guard: Guard,
): Promise<void> {
  const wanted = collectionOptions(options);
  try {
    await guard((limit) => createCollection(db, { ...wanted, ...limit }));
  } catch (error) {
    const unknown = error instanceof MongoServerError && NO_SUCH_COLLECTION.includes(Number(error.code));
    if (!unknown || (!wanted.clusteredIndex && !wanted.timeseries)) throw error;
    if (wanted.timeseries) {
      throw new UnsupportedCollection(
        ExitStatus.targetNotReady,
        `the server has no time-series collections: ${error.message}`,
        'use --layout flat, or have an administrator raise its feature compatibility version',
        { cause: error },
      );
    }
    await guard((limit) => createCollection(db, limit));
    notice(`the server has no clustered collections, so ${METRICS} is an ordinary one: ${error.message}`);
  }
}

/** Tolerates one that appears meanwhile: an earlier attempt, whose reply was lost, may just have come through. */
async function createCollection(db: Db, options: CreateCollectionOptions): Promise<void> {
  try {
    await db.createCollection(METRICS, options);
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
  }
}

/** How a server is asked for `metrics`. */
export function collectionOptions({ layout, clustered, ttlDays }: SchemaOptions): CreateCollectionOptions {
  if (layout === 'timeseries') {
    return {
      timeseries: { timeField: 'timestamp', metaField: 'meta', granularity: 'minutes' },
      ...(ttlDays === undefined ? {} : { expireAfterSeconds: ttlDays * SECONDS_PER_DAY }),
    };
  }
  return clustered ? { clusteredIndex: { key: { _id: 1 }, unique: true } } : {};
}

/**
 * Drops this program's collections but for the runs, checkpoints first. Returns the names of those that were there.
 * A server that died while it dropped a time-series collection may have kept the buckets without their collection: they go too, or
 * their records would come back with the next collection of that name.
 */
export async function dropDataset(db: Db, guard: Guard): Promise<string[]> {
  const present = new Map((await db.listCollections().toArray()).map((found) => [found.name, found]));
  const dropped: string[] = [];
  // Parts last: while records are there, whoever takes a part again must learn that it was begun before.
  for (const name of [SHARDS, METRICS, ASSETS, PARTS]) {
    const found = present.get(name);
    if (!found) continue;
    await guard((limit) => dropCollection(db, found, limit));
    dropped.push(name);
  }
  if (present.has(METRIC_BUCKETS) && !dropped.includes(METRICS)) {
    await guard((limit) => dropCollection(db, { name: METRIC_BUCKETS }, limit));
    dropped.push(METRICS);
  }
  return dropped;
}

/** A collection as the server lists it. */
interface Listed {
  readonly name: string;
  readonly type?: string;
  readonly info?: { readonly uuid?: unknown };
}

/**
 * Drops the very collection that was listed, where the server can tell (6.0 and later): what another loader has made since under the
 * same name stays.
 */
async function dropCollection(db: Db, { name, type, info }: Listed, limit: WriteLimit): Promise<void> {
  const uuid = type === 'timeseries' ? undefined : info?.uuid;
  try {
    await db.command({ drop: name, ...(uuid ? { collectionUUID: uuid } : {}) }, limit);
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
    const code = Number(error.code);
    if (uuid && NO_SUCH_PARAMETER.includes(code)) await dropCollection(db, { name, type }, limit);
    else if (!NOT_THERE.includes(code)) throw error;
  }
}

/** Names of this program's data collections that hold at least one document. */
export async function collectionsWithData(db: Db): Promise<string[]> {
  const holding: string[] = [];
  for (const name of [ASSETS, METRICS]) {
    if (await db.collection(name).findOne({}, { projection: { _id: 1 } })) holding.push(name);
  }
  return holding;
}
