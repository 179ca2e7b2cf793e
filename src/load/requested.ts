/** What settings ask for, before anything is known of the target. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { LoadSettings } from '../config/settings.js';
import { MODEL_VERSION } from '../model/index.js';
import { resolveWindow } from '../plan/index.js';
import type { Dataset } from './run.js';

/** What a thread loads in the time it takes to start: fewer records are loaded sooner by fewer threads. */
const RECORDS_PER_WORKER = 100_000;

/** The dataset that settings ask for. Without a seed one is drawn that is easy to type again. */
export function requestedDataset(load: LoadSettings, now: Date): Dataset {
  return {
    seed: load.seed ?? randomInt(1, 2 ** 31),
    window: resolveWindow(load.window, load.seed !== undefined, now),
    sections: load.sections,
    layout: load.layout,
    availabilityScale: load.availabilityScale,
    environment: load.environment,
    modelVersion: MODEL_VERSION,
  };
}

/** Workers unless the user says otherwise: one a core, but one core is left to a server of our own. */
export function defaultWorkers(embedded: boolean): number {
  return Math.max(1, availableParallelism() - (embedded ? 1 : 0));
}

/** Workers for a load of so many records; of an unknown number where it is undefined. */
export function workersFor(load: LoadSettings, records: number | undefined, embedded: boolean): number {
  const useful = records === undefined ? Number.POSITIVE_INFINITY : Math.ceil(records / RECORDS_PER_WORKER);
  return load.workers ?? Math.max(1, Math.min(defaultWorkers(embedded), useful));
}
