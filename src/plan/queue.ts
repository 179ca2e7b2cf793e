/** The order in which shards are handed to workers. */
import type { Shard } from './plan.js';

/**
 * Hands out shards so that no two of one asset load side by side while another asset waits: the index and the buckets of a
 * series grow at one edge each, and two writers of one series would make two. Assets with the most records left
 * come first, which also keeps the end of a load even.
 */
export class ShardQueue {
  readonly #waiting = new Map<string, Shard[]>();
  readonly #left = new Map<string, number>();
  readonly #busy = new Map<string, number>();

  constructor(shards: readonly Shard[]) {
    for (const shard of shards) {
      const ofAsset = this.#waiting.get(shard.assetId) ?? [];
      ofAsset.push(shard);
      this.#waiting.set(shard.assetId, ofAsset);
      this.#left.set(shard.assetId, (this.#left.get(shard.assetId) ?? 0) + shard.records);
    }
  }

  /** Shards waiting. */
  get size(): number {
    let size = 0;
    for (const shards of this.#waiting.values()) size += shards.length;
    return size;
  }

  /** The next shard to load, or undefined when all are handed out. */
  next(): Shard | undefined {
    const asset = this.#best((id) => !this.#busy.get(id)) ?? this.#best(() => true);
    if (asset === undefined) return undefined;
    const shards = this.#waiting.get(asset) ?? [];
    const shard = shards.shift();
    if (!shard) return undefined;
    if (shards.length === 0) this.#waiting.delete(asset);
    this.#left.set(asset, (this.#left.get(asset) ?? 0) - shard.records);
    this.#busy.set(asset, (this.#busy.get(asset) ?? 0) + 1);
    return shard;
  }

  /** Says that a shard handed out has left its worker, loaded or not. */
  release(shard: Shard): void {
    this.#busy.set(shard.assetId, (this.#busy.get(shard.assetId) ?? 1) - 1);
  }

  /** Puts a released shard back, to be handed out again. */
  putBack(shard: Shard): void {
    const ofAsset = this.#waiting.get(shard.assetId) ?? [];
    ofAsset.unshift(shard);
    this.#waiting.set(shard.assetId, ofAsset);
    this.#left.set(shard.assetId, (this.#left.get(shard.assetId) ?? 0) + shard.records);
  }

  #best(allowed: (assetId: string) => boolean): string | undefined {
    let best: string | undefined;
    let most = -1;
    for (const assetId of this.#waiting.keys()) {
      const left = this.#left.get(assetId) ?? 0;
      if (left > most && allowed(assetId)) {
        best = assetId;
        most = left;
      }
    }
    return best;
  }
}
