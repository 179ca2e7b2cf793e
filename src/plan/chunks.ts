/**
 * How the assets of a plan are spread over the shards of a cluster before the first record is
 * written. Pure.
 */
import type { Plan, Shard } from './plan.js';

/** Neighbouring assets that begin on one shard of the cluster. */
export interface ChunkPlan {
  /** Its first asset; undefined for the first chunk, which begins at the beginning. */
  readonly firstAsset: string | undefined;
  /** All assets in it, in the order of the key. */
  readonly assets: readonly string[];
  readonly records: number;
  /** Name of the shard of the cluster that is to hold it. */
  readonly home: string;
}

/**
 * Enough to even out assets of different size; few enough that moving them, while they are empty,
 * takes seconds.
 */
const CHUNKS_A_HOME = 16;

/**
 * Cuts the assets, in the order of the shard key, into chunks of about equally many records and
 * gives each to the shard that has least so far, so that neighbouring chunks are mostly on
 * different shards and each shard gets an equal share.
 * @param homes names of the cluster's shards, at least one
 */
export function planChunks(plan: Plan, homes: readonly string[]): ChunkPlan[] {
  const byAsset = new Map<string, number>();
  for (const { assetId, records } of plan.shards) {
    byAsset.set(assetId, (byAsset.get(assetId) ?? 0) + records);
  }
  // The server compares strings by their bytes.
  const assets = [...byAsset.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const wanted = Math.min(assets.length, homes.length * CHUNKS_A_HOME);
  const groups: string[][] = [];
  let before = 0;
  let last = -1;
  for (const asset of assets) {
    const records = byAsset.get(asset) ?? 0;
    const group = Math.floor(((before + records / 2) * wanted) / plan.records);
    before += records;
    if (group === last) groups[groups.length - 1].push(asset);
    else groups.push([asset]);
    last = group;
  }
  const loads = homes.map(() => 0);
  return groups.map((group, index) => {
    const records = group.reduce((sum, asset) => sum + (byAsset.get(asset) ?? 0), 0);
    // The shard with the least so far.
    const home = loads.indexOf(Math.min(...loads));
    loads[home] += records;
    return { firstAsset: index === 0 ? undefined : group[0], assets: group, records, home: homes[home] };
  });
}

/**
 * Orders shards so that the first assets to be loaded are of different chunks, and with them of
 * different shards of the cluster: the first asset of every chunk, then the second of every chunk,
 * and so on.
 */
export function dealtByChunk(shards: readonly Shard[], chunks: readonly ChunkPlan[]): Shard[] {
  const place = new Map<string, number>();
  for (const [column, { assets }] of chunks.entries()) {
    for (const [row, asset] of assets.entries()) place.set(asset, row * chunks.length + column);
  }
  const placeOf = ({ assetId }: Shard) => place.get(assetId) ?? 0;
  return [...shards].sort((a, b) => placeOf(a) - placeOf(b) || a.from - b.from);
}
