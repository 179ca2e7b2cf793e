/** Collections and indexes of both layouts. */
import {
  type CreateCollectionOptions,
  type Db,
  type Document,
  MaxKey,
  MinKey,
  MongoServerError,
} from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import {
  ASSET_INDEXES,
  ASSETS,
  METRIC_BUCKETS,
  METRIC_INDEXES,
  METRICS,
  makeIndexes,
} from './collections.js';
import { isRouter, serverIdentity } from './server.js';

// How writes are kept from a loader that may do them no longer. The store makes them; whether they
// may be made, its caller knows.

/**
 * Options of the driver for a write that must not reach the server later than so many milliseconds
 * from now.
 */
export interface WriteLimit {
  readonly timeoutMS?: number;
}

/** Does a write if it may be done now, and rejects instead where it may not. */
export type Guard = <T>(write: (limit: WriteLimit) => Promise<T>) => Promise<T>;

/** For databases that nobody else loads. */
const unguarded: Guard = (write) => write({});

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
/** A kind of collection that the server, or its compatibility version, does not have. */
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
 * @throws SeedError where `metrics` has the other layout; UnsupportedCollection where the server
 *   has no such collections
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
  // Side by side: the server makes a file for each collection and index, and waits for the disk.
  // Without a limit: where records are there already it takes as long as it takes, and does no harm
  // late.
  await Promise.all([
    guard(() => makeIndexes(db.collection(ASSETS), ASSET_INDEXES)),
    guard(() => makeIndexes(db.collection(METRICS), METRIC_INDEXES[options.layout])),
  ]);
}

/**
 * Not every user may ask for the feature compatibility version. Then what cannot be had shows here.
 */
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

/**
 * Tolerates one that appears meanwhile: an earlier attempt, whose reply was lost, may just have
 * come through.
 */
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
 * Drops collections of this program in the order of their names. Returns the names of those that
 * were there. A server that died while it dropped a time-series collection may have kept the
 * buckets without their collection: they go too, or their records would come back with the next
 * collection of that name.
 */
export async function dropDataset(db: Db, names: readonly string[], guard: Guard): Promise<string[]> {
  const present = new Map((await db.listCollections().toArray()).map((found) => [found.name, found]));
  const dropped: string[] = [];
  for (const name of names) {
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
 * Drops the very collection that was listed, where the server can tell (6.0 and later): what
 * another loader has made since under the same name stays.
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

// Sharding of `metrics` on a sharded cluster: the commands, and their execution through a router.

/**
 * The shard keys. Flat: the manual's own index, so that the key needs no second one and an asset's
 * queries go to one shard. Time-series: the fields of `meta` that name a series, so that a bucket
 * is never on two shards.
 */
const SHARD_KEYS: Readonly<Record<Layout, Readonly<Record<string, 1>>>> = {
  flat: { asset_id: 1, metric_name: 1, timestamp: 1 },
  timeseries: { 'meta.asset_id': 1, 'meta.metric_name': 1 },
};

/**
 * A chunk of the collection: from its first asset (undefined: from the beginning) to the next
 * chunk's.
 */
export interface Placement {
  readonly firstAsset: string | undefined;
  readonly home: string;
}

/** Commands for the database `admin` of a router. */
export interface ShardingCommands {
  /** Must succeed. */
  readonly collection: readonly Document[];
  /** Where data begins: speed depends on it, nothing else. */
  readonly chunks: readonly Document[];
}

const ALREADY_INITIALIZED = 23;

/** @throws SeedError (usage) unless the server is a router of a sharded cluster. */
export async function refuseUnlessRouter(db: Db, uri: string): Promise<void> {
  if (isRouter(await serverIdentity(db))) return;
  throw usageError(
    `--shard needs a sharded cluster, and ${uri} is no router (mongos) of one`,
    'name a router with --uri or --host, or omit --shard',
  );
}

/** Names of the cluster's shards, in their order. */
export async function clusterShards(db: Db): Promise<string[]> {
  const { shards } = await db.client.db('admin').command({ listShards: 1 });
  const names = (shards as readonly { readonly _id: string }[]).map(({ _id }) => _id).sort();
  if (names.length > 0) return names;
  throw new SeedError(ExitStatus.failure, 'the cluster has no shards', 'add one with sh.addShard() first');
}

/**
 * What makes `metrics` of a database a sharded collection whose chunks begin where they are to
 * stay. Pure.
 */
export function shardingCommands(
  database: string,
  layout: Layout,
  chunks: readonly Placement[],
): ShardingCommands {
  // The chunks of a time-series collection are those of its buckets.
  const namespace = `${database}.${layout === 'flat' ? METRICS : METRIC_BUCKETS}`;
  const [assetField, ...rest] = Object.keys(SHARD_KEYS[layout]);
  const bound = (asset: unknown, other: unknown) =>
    Object.fromEntries([[assetField, asset], ...rest.map((field) => [field, other])]);
  const lower = ({ firstAsset }: Placement) => bound(firstAsset ?? new MinKey(), new MinKey());
  const upper = (next: Placement | undefined) => (next ? lower(next) : bound(new MaxKey(), new MaxKey()));
  return {
    collection: [
      { enableSharding: database },
      { shardCollection: `${database}.${METRICS}`, key: SHARD_KEYS[layout] },
    ],
    chunks: [
      ...chunks
        .filter(({ firstAsset }) => firstAsset !== undefined)
        .map((chunk) => ({ split: namespace, middle: lower(chunk) })),
      ...chunks.map((chunk, index) => ({
        moveChunk: namespace,
        bounds: [lower(chunk), upper(chunks[index + 1])],
        to: chunk.home,
      })),
    ],
  };
}

/**
 * Shards `metrics`, which must exist; repeating it, or two at once, changes nothing. With `place`
 * also cuts and places the chunks; what the cluster refuses of that (a chunk that is there already,
 * a balancer at work) is told, and only costs speed.
 */
export async function shardMetrics(
  db: Db,
  { collection, chunks }: ShardingCommands,
  place: boolean,
  notice: (message: string) => void,
): Promise<void> {
  const admin = db.client.db('admin');
  for (const command of collection) {
    try {
      await admin.command(command);
    } catch (error) {
      if (!(error instanceof MongoServerError && error.code === ALREADY_INITIALIZED)) throw error;
    }
  }
  if (!place) return;
  for (const command of chunks) {
    try {
      await admin.command(command);
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
      notice(`the cluster did not ${Object.keys(command)[0]} a chunk: ${error.message}`);
    }
  }
}
