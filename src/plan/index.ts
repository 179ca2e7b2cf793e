/** The plan room: window, shards, exact record counts. */
export * from './chunks.js';
export * from './parts.js';
export * from './plan.js';
export * from './queue.js';
export * from './window.js';
