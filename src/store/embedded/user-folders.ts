/**
 * Folders of the user's that can be written. A container that runs as any user may know no home, or one that nobody may
 * write to: then a private folder in the temporary one serves.
 */
import { accessSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExitStatus, SeedError } from '../../errors.js';

/** The home folder; undefined where the system knows none for this user. */
export function homeFolder(): string | undefined {
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

/** Makes a folder where it is missing. @returns whether files can be made in it */
export function isUsable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * A folder in the temporary one that this user alone can enter. Its name can be guessed, so whose it is is looked at.
 * @throws SeedError where it cannot be made or is somebody else's
 */
export function temporaryFolder(): string {
  const uid = process.getuid?.();
  const folder = join(tmpdir(), uid === undefined ? 'seed-database' : `seed-database-${uid}`);
  const refusal = (why: string) =>
    new SeedError(
      ExitStatus.failure,
      `there is no folder for the embedded server: no home that can be written, and ${why}`,
      'set SEED_DATABASE_HOME to a folder that can be written, or set MONGODB_URI',
    );
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw refusal((error as Error).message);
  }
  const found = lstatSync(folder);
  const isMine =
    found.isDirectory() && (uid === undefined || (found.uid === uid && (found.mode & 0o077) === 0));
  if (!isMine) throw refusal(`${folder} is not this user's alone`);
  return folder;
}
