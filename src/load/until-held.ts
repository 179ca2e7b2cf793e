/** Keeps a worker from writing while its loader may have lost its hold on the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counters } from './counters.js';

const PAUSE_MS = 50;

/**
 * A loader that was stopped for a while (a suspended machine, a debugger) may have been taken for dead and replaced. Resolves
 * when it knows that it was not, or when it is told to stop.
 */
export async function untilHeld(counters: Counters): Promise<void> {
  while (!counters.held) {
    if (counters.stopping) throw new Error('the run is not held any more');
    await sleep(PAUSE_MS);
  }
}
