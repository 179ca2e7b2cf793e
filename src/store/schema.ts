/** Collections and indexes of both layouts. */
import { type CreateCollectionOptions, type Db, type IndexDescription, MongoServerError } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { isAtLeast } from './connect.js';
import { type Guard, unguarded, type WriteLimit } from './guard.js';
import { makeIndexes } from './indexes.js';
import { ASSETS, METRIC_BUCKETS, METRICS, PARTS, SHARDS } from './names.js';

export interface SchemaOptions {
  readonly layout: Layout;
  /** Flat layout: cluster `metrics` by `_id` where the server can (5.3 and later). */
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

export const ASSET_INDEXES: IndexDescription[] = [
  { key: { asset_type: 1 } },
  { key: { hostname: 1 } },
  { key: { 'data.parent_asset_id': 1 } },
  { key: { last_updated: 1 } },
];

/** Indexes of `metrics`: the manual's for the flat layout; those of existing dashboards for time-series. */
export const METRIC_INDEXES: Readonly<Record<Layout, IndexDescription[]>> = {
  flat: [{ key: { asset_id: 1, metric_name: 1, timestamp: 1 } }],
  timeseries: [
    { key: { 'meta.asset_id': 1, timestamp: 1 } },
    { key: { 'meta.metric_name': 1, timestamp: 1 } },
  ],
};

/** The layout that `metrics` has in this database; undefined where there is no such collection. */
export async function existingLayout(db: Db): Promise<Layout | undefined> {
  const [info] = await db.listCollections({ name: METRICS }).toArray();
  if (!info) return undefined;
  return 'type' in info && info.type === 'timeseries' ? 'timeseries' : 'flat';
}

/** @throws SeedError where the server cannot hold the layout at all. */
export function refuseUnknownLayout(serverVersion: string, layout: Layout): void {
  if (layout !== 'timeseries' || isAtLeast(serverVersion, 5, 0)) return;
  throw new SeedError(
    ExitStatus.targetNotReady,
    `MongoDB ${serverVersion} has no time-series collections (5.0 and later have)`,
    'use --layout flat, or a newer server',
  );
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
 * @throws SeedError where `metrics` has the other layout.
 */
export async function ensureCollections(
  db: Db,
  serverVersion: string,
  options: SchemaOptions,
  guard: Guard = unguarded,
): Promise<void> {
  const existing = await refuseOtherLayout(db, options.layout);
  // Side by side: the server makes a file for each collection and index, and waits for the disk.
  await Promise.all([
    guard(() => makeIndexes(db.collection(ASSETS), ASSET_INDEXES)),
    (async () => {
      if (!existing) {
        const wanted = collectionOptions(serverVersion, options);
        await guard((limit) => createCollection(db, { ...wanted, ...limit }));
      }
      // Without a limit: where records are there already it takes as long as it takes, and does no harm late.
      await guard(() => makeIndexes(db.collection(METRICS), METRIC_INDEXES[options.layout]));
    })(),
  ]);
}

/** Tolerates one that appears meanwhile: an earlier attempt, whose reply was lost, may just have come through. */
async function createCollection(db: Db, options: CreateCollectionOptions): Promise<void> {
  try {
    await db.createCollection(METRICS, options);
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
  }
}

/** How a server of some version is asked for `metrics`. */
export function collectionOptions(serverVersion: string, options: SchemaOptions): CreateCollectionOptions {
  if (options.layout === 'timeseries') {
    return {
      timeseries: { timeField: 'timestamp', metaField: 'meta', granularity: 'minutes' },
      ...(options.ttlDays === undefined ? {} : { expireAfterSeconds: options.ttlDays * SECONDS_PER_DAY }),
    };
  }
  if (options.clustered && isAtLeast(serverVersion, 5, 3)) {
    return { clusteredIndex: { key: { _id: 1 }, unique: true } };
  }
  return {};
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
