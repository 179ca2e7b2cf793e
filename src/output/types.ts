/**
 * What a load tells the world: events while it runs, one summary at its end. Types only, so any
 * front end can be written against them.
 */
import type { AvailabilityScale, Layout, Part, Section } from '../config/settings.js';

export interface ServerInfo {
  readonly version: string;
  readonly embedded: boolean;
  /** Masked. */
  readonly uri: string;
}

/** Counts by section. */
export type SectionCounts = Readonly<Record<Section, number>>;

export interface AssetCounts {
  readonly machines: number;
  readonly services: number;
  readonly jobs: number;
  readonly total: number;
}

export interface LoadStarted {
  readonly type: 'started';
  readonly runId: string;
  readonly seed: number;
  /** False where the program drew the seed itself. */
  readonly seedGiven: boolean;
  readonly layout: Layout;
  readonly availabilityScale: AvailabilityScale;
  readonly sections: readonly Section[];
  readonly window: { readonly start: Date; readonly end: Date };
  readonly days: number;
  readonly assets: AssetCounts;
  readonly workers: number;
  readonly batchSize: number;
  /** Records a second at most; undefined: as fast as it goes. */
  readonly rate: number | undefined;
  readonly planned: SectionCounts;
  readonly shards: { readonly total: number; readonly skipped: number };
  /** Records of the skipped shards, already there before this session. */
  readonly recordsBefore: number;
  readonly resumed: boolean;
}

/** Sent about five times a second while shards load. */
export interface LoadProgress {
  readonly type: 'progress';
  /** Records acknowledged by the server, those of skipped shards included. */
  readonly acknowledged: number;
  readonly planned: number;
  /** Over the last few seconds, records per second. */
  readonly rate: number;
  /** Mean time from sending a batch to its acknowledgement over the last interval, milliseconds. */
  readonly batchMs: number;
  readonly shardsDone: number;
  readonly shardsTotal: number;
  /** What one of the workers is loading now. */
  readonly current:
    | { readonly assetId: string; readonly name: string; readonly metric: string; readonly until: Date }
    | undefined;
  readonly elapsedMs: number;
  readonly remainingMs: number | undefined;
}

export type LoadEvent =
  | {
      readonly type: 'notice';
      readonly level: 'debug' | 'info' | 'warning' | 'error';
      readonly message: string;
    }
  | { readonly type: 'connected'; readonly server: ServerInfo; readonly database: string }
  | { readonly type: 'cleaned'; readonly collections: readonly string[] }
  | LoadStarted
  | { readonly type: 'assetsWritten'; readonly assets: AssetCounts }
  | LoadProgress
  | { readonly type: 'indexing'; readonly message: string };

/** How a part of a shared run stands. */
export interface PartState {
  readonly part: number;
  readonly state: 'complete' | 'loading' | 'interrupted' | 'failed' | 'not begun';
}

/** A stored run that was kept beside the one that was loaded. */
export interface RunBeside {
  readonly runId: string;
  readonly seed: number;
  readonly state: string;
  readonly window: { readonly start: Date; readonly end: Date };
}

/** How the records were written, and why not in a faster way. */
export interface WriterUsed {
  readonly kind: string;
  readonly reason?: string | null | undefined;
}

/** How long insert commands took, from sending one to its answer, in milliseconds. */
export interface InsertLatency {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How a load ended. */
export interface LoadSummary {
  /** `part complete`: this part of a shared run is, others are not yet. */
  readonly status: 'complete' | 'part complete' | 'already complete' | 'interrupted' | 'nothing to resume';
  readonly runId: string;
  readonly seed: number;
  readonly layout: Layout;
  readonly window: { readonly start: Date; readonly end: Date };
  readonly assets: AssetCounts;
  readonly records: {
    readonly planned: number;
    readonly inserted: number;
    readonly metrics: number;
    readonly polling: number;
    readonly backup: number;
  };
  readonly plannedBySection: SectionCounts;
  readonly shards: { readonly total: number; readonly done: number; readonly skipped: number };
  /** Where this load was one part of a shared run. */
  readonly part?: Part;
  /** How the parts of that run stood at the end of this one. */
  readonly parts?: readonly PartState[];
  /**
   * Records that were older than `metrics` keeps them, so that the server removes them: not among
   * those that are missing.
   */
  readonly expired?: number;
  /** What `--skip-cleanup` has kept: runs that were there before. */
  readonly beside?: readonly RunBeside[];
  readonly resumed: boolean;
  readonly retries: number;
  readonly elapsedMs: number;
  readonly recordsPerSecond: number;
  /** Absent where nothing was sent. */
  readonly inserts?: InsertLatency;
  readonly loader: {
    readonly cpuMs: number;
    readonly maxRssMb: number;
    readonly workers: number;
    readonly writer: WriterUsed;
  };
  readonly database: {
    readonly name: string;
    readonly collections: Readonly<Record<string, number>>;
    readonly dataSizeBytes: number;
    readonly storageSizeBytes: number;
    readonly indexSizeBytes: number;
  };
  readonly server: ServerInfo;
}

/** A load, or any command, that came to nothing. Without secrets. */
export interface Failure {
  readonly exitStatus: number;
  /** The cause. */
  readonly message: string;
  /** Where more than one thing is wrong: a line for each further one. */
  readonly details?: readonly string[];
  /** The way out; empty where there is none to name. */
  readonly remedy: string;
  /** Where in the program it happened, for `--log-level debug`. */
  readonly trace?: string;
}

/** The `--json` object of a failure. */
export interface FailureResult {
  readonly status: 'failed';
  readonly exitStatus: number;
  readonly error: string;
  /** Absent where one thing is wrong. */
  readonly details?: readonly string[];
  readonly remedy: string;
}

/**
 * The `--json` object of a load that did not fail: the summary's fields that are promised, dates as
 * ISO strings.
 */
export interface LoadResult
  extends Pick<
    LoadSummary,
    | 'status'
    | 'runId'
    | 'seed'
    | 'layout'
    | 'assets'
    | 'records'
    | 'shards'
    | 'part'
    | 'parts'
    | 'expired'
    | 'resumed'
    | 'elapsedMs'
    | 'recordsPerSecond'
    | 'inserts'
    | 'loader'
    | 'database'
    | 'server'
  > {
  readonly window: { readonly start: string; readonly end: string };
  readonly beside?: readonly (Omit<RunBeside, 'window'> & { readonly window: LoadResult['window'] })[];
}

/** Is told what happens in a load. */
export interface LoadObserver {
  on(event: LoadEvent): void;
}

/** Receives everything a load says. */
export interface Reporter extends LoadObserver {
  /** The last word: prints the summary (or the JSON object). */
  finish(summary: LoadSummary): void;
  /** A failure: one line with the cause, one with the way out. */
  fail(failure: Failure): void;
  /** Resolves when everything said is written. */
  close(): Promise<void>;
}
