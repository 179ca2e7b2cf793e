/** The plan room: window, shards, exact record counts. */
export * from './plan.js';
export * from './queue.js';
export * from './window.js';
