/** Collections and indexes of both layouts. */
import type { CreateCollectionOptions, Db, IndexDescription } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { isAtLeast } from './connect.js';
import { ASSETS, METRICS, OWN_COLLECTIONS } from './names.js';

export interface SchemaOptions {
  readonly layout: Layout;
  /** Flat layout: cluster `metrics` by `_id` where the server can (5.3 and later). */
  readonly clustered: boolean;
  /** Time-series layout: delete records this many days after their timestamp. */
  readonly ttlDays: number | undefined;
}

const SECONDS_PER_DAY = 86_400;

const ASSET_INDEXES: IndexDescription[] = [
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

/**
 * Makes what is missing; what is there stays.
 * @throws SeedError where the server cannot hold the layout, or `metrics` has the other one.
 */
export async function ensureCollections(db: Db, serverVersion: string, options: SchemaOptions): Promise<void> {
  if (options.layout === 'timeseries' && !isAtLeast(serverVersion, 5, 0)) {
    throw new SeedError(
      ExitStatus.failure,
      `MongoDB ${serverVersion} has no time-series collections (5.0 and later have)`,
      'use --layout flat, or a newer server',
    );
  }
  const existing = await existingLayout(db);
  if (existing && existing !== options.layout) {
    throw new SeedError(
      ExitStatus.targetNotReady,
      `collection ${METRICS} of database ${db.databaseName} has the ${existing} layout, not ${options.layout}`,
      `use --layout ${existing}, another --database, or --clean to replace it`,
    );
  }
  if (!existing) await db.createCollection(METRICS, collectionOptions(serverVersion, options));
  await db.collection(ASSETS).createIndexes(ASSET_INDEXES);
  await db.collection(METRICS).createIndexes(METRIC_INDEXES[options.layout]);
}

function collectionOptions(serverVersion: string, options: SchemaOptions): CreateCollectionOptions {
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

/** Drops this program's collections, checkpoints first. Returns the names of those that were there. */
export async function dropOwnCollections(db: Db): Promise<string[]> {
  const present = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map((c) => c.name));
  const dropped: string[] = [];
  for (const name of OWN_COLLECTIONS) {
    if (!present.has(name)) continue;
    await db.collection(name).drop();
    dropped.push(name);
  }
  return dropped;
}

/** Names of this program's data collections that hold at least one document. */
export async function collectionsWithData(db: Db): Promise<string[]> {
  const holding: string[] = [];
  for (const name of [ASSETS, METRICS]) {
    if (await db.collection(name).findOne({}, { projection: { _id: 1 } })) holding.push(name);
  }
  return holding;
}
