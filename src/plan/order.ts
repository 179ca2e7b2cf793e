/** The order in which shards are handed to workers, and their spread over a cluster. Pure. */
import type { Plan, Shard } from './plan.js';

/** One asset's shards that wait, in the order of time. */
interface Line {
  readonly place: number;
  readonly shards: Shard[];
  left: number;
  /** Shards of it that are with workers. */
  busy: number;
}

/**
 * Hands out shards so that no two of one asset load side by side while another asset waits: the
 * index and the buckets of a series grow at one edge each, and two writers of one series would make
 * two. Assets with the most records left come first, which also keeps the end of a load even.
 */
export class ShardQueue {
  readonly #lines = new Map<string, Line>();
  /**
   * Of assets of which no shard is with a worker, and some wait: a binary heap, the next one first.
   */
  readonly #idle: Line[] = [];
  #size = 0;

  constructor(shards: readonly Shard[]) {
    for (const shard of shards) {
      let line = this.#lines.get(shard.assetId);
      if (!line) {
        line = { place: this.#lines.size, shards: [], left: 0, busy: 0 };
        this.#lines.set(shard.assetId, line);
      }
      line.shards.push(shard);
      line.left += shard.records;
    }
    this.#size = shards.length;
    for (const line of this.#lines.values()) this.#push(line);
  }

  /** Shards waiting. */
  get size(): number {
    return this.#size;
  }

  /** The next shard to load, or undefined when all are handed out. */
  next(): Shard | undefined {
    const line = this.#pop() ?? this.#busyLine();
    const shard = line?.shards.shift();
    if (!line || !shard) return undefined;
    line.left -= shard.records;
    line.busy++;
    this.#size--;
    return shard;
  }

  /** Says that a shard handed out has left its worker, loaded or not. */
  release(shard: Shard): void {
    const line = this.#lineOf(shard);
    line.busy--;
    if (line.busy === 0 && line.shards.length > 0) this.#push(line);
  }

  /** Puts a released shard back, to be handed out again. */
  putBack(shard: Shard): void {
    const line = this.#lineOf(shard);
    line.shards.unshift(shard);
    line.left += shard.records;
    this.#size++;
    // With others of it waiting it stands in the heap already, in a place that was right before.
    if (line.busy > 0) return;
    if (line.shards.length === 1) this.#push(line);
    else this.#rise(this.#idle.indexOf(line));
  }

  /** When no asset is idle any more: few are left, each of them with a worker. */
  #busyLine(): Line | undefined {
    let best: Line | undefined;
    for (const line of this.#lines.values()) {
      if (line.shards.length > 0 && (!best || isBefore(line, best))) best = line;
    }
    return best;
  }

  #lineOf(shard: Shard): Line {
    const line = this.#lines.get(shard.assetId);
    if (!line) throw new Error(`shard ${shard.id} is not of this queue`);
    return line;
  }

  #push(line: Line): void {
    this.#idle.push(line);
    this.#rise(this.#idle.length - 1);
  }

  #pop(): Line | undefined {
    const [first] = this.#idle;
    const last = this.#idle.pop();
    if (!last || last === first) return last;
    this.#idle[0] = last;
    this.#sink();
    return first;
  }

  #rise(from: number): void {
    const heap = this.#idle;
    for (let at = from; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at], heap[parent])) return;
      [heap[at], heap[parent]] = [heap[parent], heap[at]];
      at = parent;
    }
  }

  #sink(): void {
    const heap = this.#idle;
    for (let at = 0; ; ) {
      let first = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child], heap[first])) first = child;
      }
      if (first === at) return;
      [heap[at], heap[first]] = [heap[first], heap[at]];
      at = first;
    }
  }
}

/** The most records left first; of equally many the asset that comes first in the plan. */
function isBefore(one: Line, other: Line): boolean {
  return one.left > other.left || (one.left === other.left && one.place < other.place);
}

// How the assets of a plan are spread over the shards of a cluster before the first record is
// written.

/** Neighbouring assets that begin on one shard of the cluster. */
interface ChunkPlan {
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
