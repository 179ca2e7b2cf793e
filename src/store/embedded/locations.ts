/** Where the embedded server's files live: the binary in the cache, the data in the user's data folder. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Folder of downloaded binaries. The default is the one mongodb-memory-server uses, so a binary that another project
 * downloaded serves here too: `$MONGOMS_DOWNLOAD_DIR`, `$XDG_CACHE_HOME/mongodb-binaries`, `~/.cache/mongodb-binaries`.
 */
export function binaryCacheDirectory(): string {
  const { MONGOMS_DOWNLOAD_DIR, XDG_CACHE_HOME } = process.env;
  if (MONGOMS_DOWNLOAD_DIR) return MONGOMS_DOWNLOAD_DIR;
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'mongodb-binaries');
}

/** Files of one embedded server. */
export interface EmbeddedLocations {
  /** Folder of everything below. */
  readonly home: string;
  /** mongod's `--dbpath`. */
  readonly dataDirectory: string;
  /** Who runs the server now: see {@link ServerState}. */
  readonly stateFile: string;
  /** Held by the process that is starting, joining or stopping the server. */
  readonly lockFile: string;
  /** Version of the mongod that last used the data directory, as text. */
  readonly versionFile: string;
}

/** The embedded server's files under `home`. */
export function embeddedLocations(home = dataHome()): EmbeddedLocations {
  return {
    home,
    dataDirectory: join(home, 'mongodb'),
    stateFile: join(home, 'server.json'),
    lockFile: join(home, 'server.lock'),
    versionFile: join(home, 'mongodb-version'),
  };
}

/** `$SEED_DATABASE_HOME`, `$XDG_DATA_HOME/seed-database`, or the platform's folder for application data. */
function dataHome(): string {
  const { SEED_DATABASE_HOME, XDG_DATA_HOME, LOCALAPPDATA } = process.env;
  if (SEED_DATABASE_HOME) return SEED_DATABASE_HOME;
  if (XDG_DATA_HOME) return join(XDG_DATA_HOME, 'seed-database');
  if (process.platform === 'darwin')
    return join(homedir(), 'Library', 'Application Support', 'seed-database');
  if (process.platform === 'win32') {
    return join(LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'seed-database');
  }
  return join(homedir(), '.local', 'share', 'seed-database');
}
