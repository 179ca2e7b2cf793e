/** The collections this program owns. Nothing else in a database is ever touched. */

export const ASSETS = 'assets';
export const METRICS = 'metrics';
/** One document a run. */
export const RUNS = 'seed_runs';
/** One document for each completed shard. */
export const SHARDS = 'seed_shards';
/** One document for each part of a run that several loaders share. */
export const PARTS = 'seed_parts';

/** Where the server keeps a time-series `metrics`. */
export const METRIC_BUCKETS = `system.buckets.${METRICS}`;

export const OWN_COLLECTIONS = [SHARDS, PARTS, RUNS, METRICS, ASSETS] as const;
