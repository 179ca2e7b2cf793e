/** Where the embedded server's files live: the binary in the cache, the data in the user's data folder. */
import { join } from 'node:path';
import { homeFolder, isUsable, temporaryFolder } from './user-folders.js';

/**
 * Folders of downloaded binaries: where one is looked for, and, the last of them, where one is put. The default is the one
 * mongodb-memory-server uses, so a binary that another project downloaded serves here too: `$MONGOMS_DOWNLOAD_DIR`,
 * `$XDG_CACHE_HOME/mongodb-binaries`, `~/.cache/mongodb-binaries`; and one in the temporary folder where that cannot be written.
 */
export function binaryCacheDirectories(): readonly [string, ...string[]] {
  const { MONGOMS_DOWNLOAD_DIR, XDG_CACHE_HOME } = process.env;
  if (MONGOMS_DOWNLOAD_DIR) return [MONGOMS_DOWNLOAD_DIR];
  const home = homeFolder();
  const cache = XDG_CACHE_HOME || (home && join(home, '.cache'));
  const usual = cache && join(cache, 'mongodb-binaries');
  if (usual && isUsable(usual)) return [usual];
  const temporary = join(temporaryFolder(), 'mongodb-binaries');
  return usual ? [usual, temporary] : [temporary];
}

/** Where a binary is put: see {@link binaryCacheDirectories}. */
export function binaryCacheDirectory(): string {
  const caches = binaryCacheDirectories();
  return caches[caches.length - 1];
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
  /** True where the user has no folder for data that can be written, and the temporary one has to do. */
  readonly temporary: boolean;
}

/** The embedded server's files. @throws SeedError where there is no folder for them */
export function embeddedLocations(): EmbeddedLocations {
  const named = process.env.SEED_DATABASE_HOME;
  const usual = named || dataHome();
  const temporary = !named && !(usual && isUsable(usual));
  const home = temporary || !usual ? temporaryFolder() : usual;
  return {
    home,
    temporary,
    dataDirectory: join(home, 'mongodb'),
    stateFile: join(home, 'server.json'),
    lockFile: join(home, 'server.lock'),
    versionFile: join(home, 'mongodb-version'),
  };
}

/** `$XDG_DATA_HOME/seed-database`, or the platform's folder for application data; undefined without a home. */
function dataHome(): string | undefined {
  const { XDG_DATA_HOME, LOCALAPPDATA } = process.env;
  if (XDG_DATA_HOME) return join(XDG_DATA_HOME, 'seed-database');
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'seed-database');
  const home = homeFolder();
  if (home === undefined) return undefined;
  if (process.platform === 'darwin') return join(home, 'Library', 'Application Support', 'seed-database');
  if (process.platform === 'win32') return join(home, 'AppData', 'Local', 'seed-database');
  return join(home, '.local', 'share', 'seed-database');
}
