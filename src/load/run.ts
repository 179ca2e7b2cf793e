/** A run: one dataset being loaded, as `seed_runs` and `seed_shards` keep it and as workers receive it. */
import type {
  AvailabilityScale,
  ConnectionSettings,
  Layout,
  Section,
  WriterName,
} from '../config/settings.js';
import type { ExitStatus } from '../errors.js';
import type { FleetDefinition } from '../fleet/file.js';

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

/** Everything a worker needs besides its shard. Plain data: it crosses the thread boundary. */
export interface WorkerContext {
  readonly runId: string;
  readonly dataset: Dataset;
  readonly fleet: FleetDefinition;
  readonly connection: ConnectionSettings;
  readonly writer: WriterName;
  readonly writeConcern: string | number | undefined;
  readonly compressors: readonly string[];
  readonly batchSize: number;
  /** Set for a repair: a record that is there stays, whatever it holds. */
  readonly keepsOthers?: true;
  /** See `drawLoader`. */
  readonly loader: string;
  /** How long to go on trying one operation, in milliseconds. */
  readonly retryMs: number;
}

/** A shard whose records the server has all acknowledged. */
export interface LoadedShard {
  readonly state: 'loaded';
  /** Records this worker sent that were new, and those the server already held. */
  readonly inserted: number;
  readonly alreadyThere: number;
  readonly ms: number;
  readonly worker: number;
  /** The server that took the shard's first batch, as `serverIdentity` names it; empty where there is none. */
  readonly serverIdentity: string;
  /** The writer used; after an automatic fallback, with the reason for it. */
  readonly writer: string;
}

/** How a worker left a shard. A failure crosses the thread boundary as data: an error object would lose its class. */
export type ShardResult =
  | LoadedShard
  | { readonly state: 'interrupted' }
  | {
      readonly state: 'failed';
      readonly exitStatus: ExitStatus;
      readonly message: string;
      readonly remedy: string;
    };
