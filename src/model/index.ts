/** The model room: what the numbers look like. Pure: no clock, no I/O, no database. */
export * from './availability.js';
export * from './backups.js';
export { LocalTime } from './local-time.js';
export { TIMEOUT_MS } from './response-time.js';
export * from './series.js';
export * from './telemetry-model.js';
