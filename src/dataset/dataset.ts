/**
 * A run: one dataset being loaded, as `seed_runs` and `seed_shards` keep it and as workers receive
 * it.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Histogram } from 'node:perf_hooks';
import { isDeepStrictEqual } from 'node:util';
import type {
  AvailabilityScale,
  ConnectionSettings,
  FleetRequest,
  Layout,
  LoadSettings,
  Section,
  Settings,
  WriterKind,
} from '../config/settings.js';
import { isLocal } from '../config/uri.js';
import { type ExitStatus, usageError } from '../errors.js';
import { buildFleet, DEFAULT_TIMEZONE } from '../fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../fleet/default.js';
import type { FleetDefinition, FleetFile } from '../fleet/file.js';
import type { Fleet } from '../fleet/types.js';
import { MODEL_VERSION } from '../model/telemetry-model.js';
import { ShardQueue } from '../plan/order.js';
import { type Plan, planLoad, resolveWindow, type Shard, seriesWhere, shardDaysFor } from '../plan/plan.js';
import { DEFAULT_INTERVAL } from '../time.js';

const MS_PER_SECOND = 1000;
const SECONDS_PER_MINUTE = 60;

/** What makes a dataset: two runs that agree on all of this hold the same records. */
export interface Dataset {
  readonly seed: number;
  /** Minutes since the epoch, half open. */
  readonly window: { readonly start: number; readonly end: number };
  readonly sections: readonly Section[];
  readonly layout: Layout;
  readonly availabilityScale: AvailabilityScale;
  readonly environment: string;
  readonly modelVersion: number;
}

/** How the records were written. */
export interface Writer {
  readonly kind: WriterKind;
  /** Why not in a faster way; undefined where there is none, or another one was asked for. */
  readonly reason?: string | undefined;
}

/** Everything a worker needs besides its shard. Plain data: it crosses the thread boundary. */
export interface WorkerContext {
  readonly runId: string;
  readonly dataset: Dataset;
  readonly fleet: FleetDefinition;
  readonly connection: ConnectionSettings;
  readonly writer: WriterKind;
  readonly writeConcern: string | number | undefined;
  readonly compressors: readonly string[];
  readonly batchSize: number;
  /** Records a second at most, of all workers together; undefined: as fast as it goes. */
  readonly rate: number | undefined;
  /** Set for a repair: a record that is there stays, whatever it holds. */
  readonly keepsOthers?: true;
  /** See `drawLoader`. */
  readonly loader: string;
  /** How long to go on trying one operation, in milliseconds. */
  readonly retryMs: number;
}

/** What can be generated before the target is known. Plain data as well. */
export interface AheadContext extends Pick<WorkerContext, 'dataset' | 'fleet' | 'batchSize' | 'rate'> {
  readonly shards: readonly Shard[];
  readonly asBuckets: boolean;
}

/**
 * As much as a thread generates while a target is prepared, and more: the values are 4 MB, and each
 * shard has some 40 kB besides.
 */
const MOST_AHEAD = { shards: 100, records: 500_000 };

/** The shards that are handed out first. */
export function firstShards({ shards }: Plan): readonly Shard[] {
  const queue = new ShardQueue(shards);
  const first: Shard[] = [];
  let records = 0;
  for (let shard = queue.next(); shard; shard = queue.next()) {
    records += shard.records;
    if (records > MOST_AHEAD.records || first.length === MOST_AHEAD.shards) break;
    first.push(shard);
  }
  return first;
}

/** A shard whose records the server has all acknowledged. */
export interface LoadedShard {
  readonly state: 'loaded';
  /** Records this worker sent that were new, and those the server already held. */
  readonly inserted: number;
  readonly alreadyThere: number;
  readonly ms: number;
  readonly worker: number;
  /**
   * Of all inserts of this thread: microseconds from sending one to its answer. Its first shard
   * brings it; what is recorded later is in it too, since threads share it.
   */
  readonly latencies?: Histogram;
  /**
   * The server that took the shard's first batch, as `serverIdentity` names it; empty where there
   * is none.
   */
  readonly serverIdentity: string;
  readonly writer: Writer;
}

/**
 * How a worker left a shard. A failure crosses the thread boundary as data: an error object would
 * lose its class.
 */
export type ShardResult =
  | LoadedShard
  | { readonly state: 'interrupted' }
  | {
      readonly state: 'failed';
      readonly exitStatus: ExitStatus;
      readonly message: string;
      readonly remedy: string;
    };

// What settings ask for, before anything is known of the target.

/**
 * What a thread loads in the time it takes to start: fewer records are loaded sooner by fewer
 * threads.
 */
const RECORDS_PER_WORKER = 100_000;

/** The dataset that settings ask for. Without a seed one is drawn that is easy to type again. */
export function requestedDataset(load: LoadSettings, now: Date): Dataset {
  return {
    seed: load.seed ?? randomInt(1, 2 ** 31),
    window: resolveWindow(load.window, load.seed !== undefined, now),
    sections: load.sections,
    layout: load.layout,
    availabilityScale: load.availabilityScale,
    environment: load.environment,
    modelVersion: MODEL_VERSION,
  };
}

/** What settings ask for, as a whole: before a stored run, or a part of it, says otherwise. */
export interface RequestedLoad {
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
}

/** @throws SeedError (usage) as {@link requestedFleet} */
export async function requestedLoad(load: LoadSettings, now: Date): Promise<RequestedLoad> {
  return loadOf(await requestedFleet(load.fleet), load, now);
}

/**
 * The same of a fleet that is there already.
 * @throws SeedError (usage) for seconds that no `_id` holds
 */
export function loadOf(fleet: Fleet, load: LoadSettings, now: Date): RequestedLoad {
  const dataset = requestedDataset(load, now);
  refuseLateSeconds(fleet, dataset.window.end);
  const shardDays = load.shardDays ?? shardDaysFor(dataset.window, fleet);
  return { fleet, dataset, plan: planLoad(fleet, dataset.window, dataset.sections, shardDays) };
}

/**
 * Workers for a load of so many records; of an unknown number where it is undefined. Unless the
 * user says otherwise: one a core, but half of the cores are left to a server on this machine. It
 * has several times as much to do with a record as the loader has, and two workers on two cores are
 * slower than one (bench/README.md).
 */
export function workersFor(settings: Settings, records: number | undefined): number {
  return workersAndWhy(settings, records).workers;
}

/** The same, with the reason; undefined where the user has said so. */
export function workersAndWhy(
  { load, connection }: Settings,
  records: number | undefined,
): { readonly workers: number; readonly why: string | undefined } {
  if (load.workers !== undefined) return { workers: load.workers, why: undefined };
  const cores = availableParallelism();
  const local = isLocal(connection.uri);
  const free = Math.max(1, local ? Math.floor(cores / 2) : cores);
  const useful = records === undefined ? free : Math.max(1, Math.ceil(records / RECORDS_PER_WORKER));
  if (useful < free) return { workers: useful, why: `enough for ${records} records` };
  const ofCores = local
    ? `half of the cores (${cores}): the server is on this machine`
    : `all cores (${cores})`;
  return { workers: free, why: ofCores };
}

// The fleet of a load: the one that is asked for, and the one that a stored run was made with.

/** Far more than a server holds the records of; a plan of them takes a gigabyte. */
const MOST_ASSETS = 2_000_000;

/**
 * @throws SeedError (usage) where the file cannot be read or is not a fleet, or where there would
 * be too many assets
 */
export async function requestedFleet({ source, ...asked }: FleetRequest): Promise<Fleet> {
  if (source === undefined) return builtFrom(DEFAULT_FILE, asked);
  // What reads and checks files is imported only where there is one.
  const { fleetFileOf } = await import('../fleet/read.js');
  return builtFrom(fleetFileOf(source), asked);
}

/**
 * The fleet of a checked file.
 * @throws SeedError (usage) where there would be too many assets, or where a sample could come after
 *   the next one
 */
export function builtFrom(file: FleetFile, asked: Omit<FleetRequest, 'source'>): Fleet {
  const { scale } = asked;
  const interval = asked.interval ?? file.interval ?? DEFAULT_INTERVAL;
  const jitterMs = asked.jitterMs ?? file.jitter_ms ?? 0;
  const definition: FleetDefinition = {
    file,
    scale: 1,
    timezone: asked.timezone ?? file.timezone ?? DEFAULT_TIMEZONE,
    ...(interval === DEFAULT_INTERVAL ? {} : { interval }),
    ...(jitterMs === 0 ? {} : { jitterMs }),
  };
  if (scale === 1 && isDeepStrictEqual(definition, DEFAULT_FLEET.definition)) return DEFAULT_FLEET;
  const one = buildFleet(definition);
  refuseLongJitter(one);
  const assets = one.machines.length + one.services.length + one.jobs.length;
  if (assets * scale > MOST_ASSETS) {
    throw usageError(
      `--scale ${scale} of ${assets} assets is more than ${MOST_ASSETS.toLocaleString('en')}`,
      `use at most --scale ${Math.floor(MOST_ASSETS / assets)}`,
    );
  }
  return scale === 1 ? one : buildFleet({ ...definition, scale });
}

/** Seconds since the epoch have 31 bits in an `_id`: beyond them minutes have to do. */
const LAST_MINUTE_OF_SECONDS = Math.floor((2 ** 31 - 1) / 60);

function refuseLateSeconds(fleet: Fleet, end: number): void {
  if (end <= LAST_MINUTE_OF_SECONDS) return;
  const found = seriesWhere(fleet, ({ interval }) => interval < SECONDS_PER_MINUTE);
  if (!found) return;
  const { assetId, metricName, interval } = found;
  throw usageError(
    `${assetId} ${metricName} has a sample every ${interval} s, and the period ends after January 2038`,
    'use --interval 1m or a longer one, or an earlier --end',
  );
}

function refuseLongJitter(fleet: Fleet): void {
  const { jitterMs = 0 } = fleet.definition;
  if (jitterMs === 0) return;
  const found = seriesWhere(fleet, ({ interval }) => jitterMs >= interval * MS_PER_SECOND);
  if (!found) return;
  const { assetId, metricName, interval } = found;
  throw usageError(
    `--jitter ${jitterMs} is as long as the interval of ${assetId} ${metricName}: samples would change places`,
    `use at most --jitter ${interval * MS_PER_SECOND - 1}`,
  );
}
