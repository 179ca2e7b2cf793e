/** The load room: coordinator, pool, checkpoints, writers, retry. */
export { runLoad } from './load.js';
