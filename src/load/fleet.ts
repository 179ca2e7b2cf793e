/** The fleet of a load: the one that is asked for, and the one that a stored run was made with. */
import type { FleetRequest } from '../config/settings.js';
import { usageError } from '../errors.js';
import { buildFleet, DEFAULT_TIMEZONE } from '../fleet/build.js';
import { DEFAULT_FILE, DEFAULT_FLEET } from '../fleet/default.js';
import type { FleetDefinition, FleetFile } from '../fleet/file.js';
import type { Fleet } from '../fleet/types.js';
import type { RunDocument } from './run-document.js';

/** Far more than a server holds the records of; a plan of them takes a gigabyte. */
const MOST_ASSETS = 2_000_000;

/** @throws SeedError (usage) where the file cannot be read or is not a fleet, or where there would be too many assets */
export async function requestedFleet({ source, scale, timezone }: FleetRequest): Promise<Fleet> {
  if (source === undefined) return builtFrom(DEFAULT_FILE, { scale, timezone });
  // What reads and checks files is imported only where there is one.
  const { fleetFileOf } = await import('../fleet/read.js');
  return builtFrom(fleetFileOf(source), { scale, timezone });
}

/** The fleet of a checked file. @throws SeedError (usage) where there would be too many assets */
export function builtFrom(file: FleetFile, { scale, timezone }: Omit<FleetRequest, 'source'>): Fleet {
  const zone = timezone ?? file.timezone ?? DEFAULT_TIMEZONE;
  if (file === DEFAULT_FILE && scale === 1 && zone === DEFAULT_TIMEZONE) return DEFAULT_FLEET;
  const one = buildFleet({ file, scale: 1, timezone: zone });
  const assets = one.machines.length + one.services.length + one.jobs.length;
  if (assets * scale > MOST_ASSETS) {
    throw usageError(
      `--scale ${scale} of ${assets} assets is more than ${MOST_ASSETS.toLocaleString('en')}`,
      `use at most --scale ${Math.floor(MOST_ASSETS / assets)}`,
    );
  }
  return scale === 1 ? one : buildFleet({ file, scale, timezone: zone });
}

/** What a run stores of its fleet: nothing for the default one. */
export function storedFleet({ definition }: Fleet): { fleet?: RunDocument['fleet'] } {
  if (definition === DEFAULT_FLEET.definition) return {};
  const { file, scale, timezone } = definition;
  return { fleet: { ...(file === DEFAULT_FILE ? {} : { file }), scale, timezone } };
}

/** What a stored run's fleet was made of. */
export function definitionOf({ fleet }: Pick<RunDocument, 'fleet'>): FleetDefinition {
  if (!fleet) return DEFAULT_FLEET.definition;
  const { file = DEFAULT_FILE, scale, timezone } = fleet;
  return { file, scale, timezone };
}

/** The fleet of a stored run, as this version builds it: `fleetFingerprint` tells whether that is the same. */
export function fleetOf(run: Pick<RunDocument, 'fleet'>): Fleet {
  return run.fleet ? buildFleet(definitionOf(run)) : DEFAULT_FLEET;
}
