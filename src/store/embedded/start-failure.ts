/** Why the embedded server's mongod did not start, and what to do. */
import { readFile } from 'node:fs/promises';
import { ExitStatus, SeedError } from '../../errors.js';
import type { ObtainedBinary } from './binary.js';
import type { StartFailure } from './instance.js';
import type { EmbeddedLocations } from './locations.js';

/** Why mongod did not start, in one line of its own words, and the way out. */
export async function explainStart(
  failure: StartFailure,
  binary: ObtainedBinary,
  locations: EmbeddedLocations,
): Promise<SeedError> {
  const { dataDirectory, versionFile } = locations;
  const message = `the embedded MongoDB ${binary.version} did not start: ${failure.log.cause() ?? withoutWords(failure)}`;
  const refusal = (remedy: string, status: ExitStatus = ExitStatus.failure) =>
    new SeedError(status, message, remedy, { cause: failure });
  if (failure.log.has(/No space left on device/i)) {
    return refusal(`free space on the disk of ${dataDirectory}`, ExitStatus.outOfSpace);
  }
  if (failure.log.has(/DBPathInUse/)) {
    return refusal(
      `another mongod uses ${dataDirectory}: stop it, or set SEED_DATABASE_HOME to another folder`,
    );
  }
  const last = await readFile(versionFile, 'utf8').then(
    (text) => text.trim(),
    () => binary.version,
  );
  if (last !== binary.version) {
    return refusal(
      `the data were last used by MongoDB ${last}: set MONGOMS_SYSTEM_BINARY to such a mongod, or move ${dataDirectory} away`,
    );
  }
  return refusal(`move ${dataDirectory} away to begin with an empty one, or set MONGODB_URI`);
}

/** It ended before it said anything, or was not even started. */
function withoutWords({ cause }: StartFailure): string {
  return cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : 'it said nothing';
}
