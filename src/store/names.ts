/** The collections this program owns. Nothing else in a database is ever touched. */

export const ASSETS = 'assets';
export const METRICS = 'metrics';
/** One document a run. */
export const RUNS = 'seed_runs';
/** One document for each completed shard. */
export const SHARDS = 'seed_shards';

/**
 * In the order in which `--clean` drops them: checkpoints before the data they vouch for, so that a clean killed half-way
 * never leaves a checkpoint without its records.
 */
export const OWN_COLLECTIONS = [SHARDS, RUNS, METRICS, ASSETS] as const;
