/** The collections that a dataset lies in. */

export const ASSETS = 'assets';
export const METRICS = 'metrics';

/** Where the server keeps a time-series `metrics`. */
export const METRIC_BUCKETS = `system.buckets.${METRICS}`;
/** Written with `--events`, of a load and of an export. */
export const EVENTS = 'events';
