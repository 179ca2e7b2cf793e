/** Sharding of `metrics` on a sharded cluster: the commands, and their execution through a router. */
import { type Db, type Document, MaxKey, MinKey, MongoServerError } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { ExitStatus, SeedError, usageError } from '../errors.js';
import { isRouter, serverIdentity } from './identity.js';
import { METRIC_BUCKETS, METRICS } from './names.js';

/**
 * The shard keys. Flat: the manual's own index, so that the key needs no second one and an asset's queries go to one shard.
 * Time-series: the fields of `meta` that name a series, so that a bucket is never on two shards.
 */
export const SHARD_KEYS: Readonly<Record<Layout, Readonly<Record<string, 1>>>> = {
  flat: { asset_id: 1, metric_name: 1, timestamp: 1 },
  timeseries: { 'meta.asset_id': 1, 'meta.metric_name': 1 },
};

/** A chunk of the collection: from its first asset (undefined: from the beginning) to the next chunk's. */
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
    'name a router with --uri or --host, or leave --shard away',
  );
}

/** Names of the cluster's shards, in their order. */
export async function clusterShards(db: Db): Promise<string[]> {
  const { shards } = await db.client.db('admin').command({ listShards: 1 });
  const names = (shards as readonly { readonly _id: string }[]).map(({ _id }) => _id).sort();
  if (names.length > 0) return names;
  throw new SeedError(ExitStatus.failure, 'the cluster has no shards', 'add one with sh.addShard() first');
}

/** What makes `metrics` of a database a sharded collection whose chunks begin where they are to stay. Pure. */
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
 * Shards `metrics`, which must exist; repeating it, or two at once, changes nothing. With `place` also cuts and places the chunks; what the
 * cluster refuses of that (a chunk that is there already, a balancer at work) is told, and only costs speed.
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
