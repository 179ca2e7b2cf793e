/** Keeps a worker from writing while its loader may have lost its hold on the database. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Counters } from './counters.js';

const PAUSE_MS = 50;

/** Nothing was written, because the lease might be over. It passes: the lease is renewed, or found to be lost. */
export class NotHeld extends Error {
  constructor() {
    super('the hold on the database is not renewed yet');
  }
}

/**
 * A loader that was stopped for a while (a suspended machine, a debugger) may have been taken for dead and replaced. Undefined where
 * it is known that it was not; else resolves when that is known.
 * @throws Error where the loader is told to stop before that
 */
export function untilHeld(counters: Counters): Promise<void> | undefined {
  return counters.held ? undefined : waitUntilHeld(counters);
}

async function waitUntilHeld(counters: Counters): Promise<void> {
  while (!counters.held) {
    if (counters.stopping) throw new Error('the run is not held any more');
    await sleep(PAUSE_MS);
  }
}
