/**
 * The collections that runs are kept in, and their indexes. No other room reads or writes their
 * documents.
 */
import type { IndexDescription } from 'mongodb';

/** One document a run. */
export const RUNS = 'seed_runs';
/** One document for each completed shard. */
export const SHARDS = 'seed_shards';
/** One document for each part of a run that several loaders share. */
export const PARTS = 'seed_parts';

/** What keeps two runs from being active at once. */
export const RUN_INDEXES: IndexDescription[] = [
  { key: { active: 1 }, unique: true, partialFilterExpression: { active: true } },
];
export const SHARD_INDEXES: IndexDescription[] = [{ key: { run: 1 } }];
