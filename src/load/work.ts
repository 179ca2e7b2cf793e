/** What the steps of a load share. */
import type { Settings } from '../config/settings.js';
import type { Fleet } from '../fleet/types.js';
import type { Reporter } from '../report/types.js';
import type { TargetFacts } from '../store/inspect.js';
import type { Target } from '../store/target.js';
import type { Confirm } from './ask-foreign.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { LoadPool } from './load-pool.js';
import type { PartStore } from './part-store.js';
import type { Expiry } from './prepare.js';
import type { RetryOptions } from './retry.js';
import type { RetryLog } from './retry-log.js';
import type { Dataset } from './run.js';
import type { RunStore } from './run-store.js';
import type { Start } from './start.js';

export interface LoadInput {
  readonly target: Target;
  readonly pool: LoadPool;
  /** This loader's name; see `drawLoader`. */
  readonly loader: string;
  readonly settings: Settings;
  /** The fleet asked for. */
  readonly fleet: Fleet;
  readonly requested: Dataset;
  readonly reporter: Reporter;
  readonly interrupt: AbortSignal;
  readonly confirm?: Confirm;
}

/** What all steps need. */
export interface Work extends LoadInput {
  readonly store: RunStore;
  readonly checkpoints: CheckpointStore;
  /** Where several loaders share the run. */
  readonly parts: PartStore | undefined;
  readonly retries: RetryLog;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

/** Once the target has been looked at. */
export interface HeldWork extends Work {
  readonly facts: TargetFacts;
  readonly expiry: Expiry;
}

/** A start after which there is something to load. */
export type Begun = Extract<Start, { kind: 'fresh' | 'resume' | 'join' }>;

/** Whether records of the run, or others, may be there before it loads any. */
export function mayHold(start: Begun): boolean {
  return start.kind === 'resume' || start.mayHoldRecords;
}
