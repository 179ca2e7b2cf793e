/** How much one worker does at the same time; bench/README.md has the measurements behind it. */

/** Batches that a worker has sent and not yet been answered. */
export const BATCHES_IN_FLIGHT = 5;

/** Shards that a worker loads side by side: a service has two series, too few for so many batches. */
export const SHARDS_SIDE_BY_SIDE = 3;
