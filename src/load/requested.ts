/** What settings ask for, before anything is known of the target. */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { LoadSettings, Settings } from '../config/settings.js';
import { MODEL_VERSION } from '../model/index.js';
import { resolveWindow } from '../plan/index.js';
import { isLocal } from '../store/local.js';
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

/**
 * Workers for a load of so many records; of an unknown number where it is undefined. Unless the user says otherwise: one a
 * core, but half of the cores are left to a server on this machine. It has several times as much to do with a
 * record as the loader has, and two workers on two cores are slower than one (bench/README.md).
 */
export function workersFor(settings: Settings, records: number | undefined): number {
  return workersAndWhy(settings, records).workers;
}

/** The same, with the reason; undefined where the user has said so. */
export function workersAndWhy(
  { load, connection }: Settings,
  records: number | undefined,
): { readonly workers: number; readonly why: string | undefined } {
  if (load.workers !== undefined) return { workers: load.workers, why: undefined };
  const cores = availableParallelism();
  const local = isLocal(connection.uri);
  const free = Math.max(1, local ? Math.floor(cores / 2) : cores);
  const useful = records === undefined ? free : Math.max(1, Math.ceil(records / RECORDS_PER_WORKER));
  if (useful < free) return { workers: useful, why: `enough for ${records} records` };
  const ofCores = local
    ? `half of the cores (${cores}): the server is on this machine`
    : `all cores (${cores})`;
  return { workers: free, why: ofCores };
}
