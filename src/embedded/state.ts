/** The file in which a running embedded server is found by other processes of the same user. */
import { accessSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { ExitStatus, SeedError } from '../errors.js';
import { identityOf, isRunning, PROCESS_SPACE } from '../system/file-lock.js';
import { cacheFolder, homeFolder } from '../system/home.js';
import { isListening } from '../system/who-answers.js';

/** A running embedded server and the processes that use it. */
export interface ServerState {
  /** mongod's process id. */
  readonly pid: number;
  /** On 127.0.0.1. */
  readonly port: number;
  readonly version: string;
  /** The process that has to stop it. */
  readonly owner: number;
  /** The library's process that ends mongod when the owner dies without stopping it. */
  readonly guardian: number;
  /** Every process that uses it, the owner included; one that uses it twice is named twice. */
  readonly users: readonly number[];
  /** Where these numbers are valid: see {@link PROCESS_SPACE}. */
  readonly space: string;
  /**
   * When each of these processes started, by its number: whoever has the number later is another
   * one.
   */
  readonly started: Readonly<Record<string, string>>;
}

/** A state whose processes are those that have these numbers now. */
export function stateOf(state: Omit<ServerState, 'space' | 'started'>): ServerState {
  const pids = [state.pid, state.owner, state.guardian, ...state.users];
  const started = pids.map((pid) => [pid, identityOf(pid).started]);
  return { ...state, space: PROCESS_SPACE, started: Object.fromEntries(started) };
}

/** True where the process that the state means by this number still runs. */
export function lives({ space, started }: ServerState, pid: number): boolean {
  return pid in started && isRunning({ pid, space, started: started[pid] });
}

/**
 * On loopback a healthy server answers in milliseconds; one that is busy with a load may take
 * longer.
 */
const ANSWER_TIMEOUT_MS = 5_000;

/**
 * The state of a server that runs, answers and will go on. Undefined when there is none: a stale
 * file counts as none, and so does a server whose owner is dead, since its guardian is about to end
 * it.
 */
export async function runningServer(stateFile: string): Promise<ServerState | undefined> {
  const state = await readState(stateFile);
  if (state === undefined || !lives(state, state.pid) || !lives(state, state.owner)) return undefined;
  return (await answers(state)) ? state : undefined;
}

/** The file's content; undefined when it is missing or nonsense. */
export async function readState(stateFile: string): Promise<ServerState | undefined> {
  try {
    const state: unknown = JSON.parse(await readFile(stateFile, 'utf8'));
    return isState(state) ? state : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Written beside and renamed: a reader sees the old state or the new one. Readable by its owner
 * only.
 */
export async function writeState(stateFile: string, state: ServerState): Promise<void> {
  const beside = `${stateFile}.${process.pid}`;
  await writeFile(beside, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(beside, stateFile);
}

/** Says that no server runs. */
export function removeState(stateFile: string): Promise<void> {
  return rm(stateFile, { force: true });
}

function isState(value: unknown): value is ServerState {
  if (typeof value !== 'object' || value === null) return false;
  const state = value as Record<string, unknown>;
  return (
    ['pid', 'port', 'owner', 'guardian'].every((name) => Number.isInteger(state[name])) &&
    typeof state.version === 'string' &&
    typeof state.space === 'string' &&
    isTextByName(state.started) &&
    Array.isArray(state.users) &&
    state.users.every(Number.isInteger)
  );
}

function isTextByName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).every((text) => typeof text === 'string');
}

/**
 * Whether this very mongod answers: after a reboot its process id and its port may be another
 * program's.
 */
export async function answers({ pid, port }: Pick<ServerState, 'pid' | 'port'>): Promise<boolean> {
  if (!(await isListening('127.0.0.1', port))) return false; // the driver would try for the whole time-out
  const client = new MongoClient(embeddedUri(port), {
    serverSelectionTimeoutMS: ANSWER_TIMEOUT_MS,
    connectTimeoutMS: ANSWER_TIMEOUT_MS,
    socketTimeoutMS: ANSWER_TIMEOUT_MS,
  });
  try {
    const status = await client.db('admin').command({ serverStatus: 1 });
    return Number(status.pid) === pid;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

/** Connection string of an embedded server, without a database. */
export function embeddedUri(port: number): string {
  return `mongodb://127.0.0.1:${port}/`;
}

// Where the embedded server's files live: the binary in the cache, the data in the user's data
// folder.

/**
 * Folders of downloaded binaries: where one is looked for, and, the last of them, where one is put.
 * The default is the one mongodb-memory-server uses, so a binary that another project downloaded
 * serves here too: `$MONGOMS_DOWNLOAD_DIR`, `$XDG_CACHE_HOME/mongodb-binaries`,
 * `~/.cache/mongodb-binaries`; and one in the temporary folder where that cannot be written.
 */
export function binaryCacheDirectories(): readonly [string, ...string[]] {
  const { MONGOMS_DOWNLOAD_DIR } = process.env;
  if (MONGOMS_DOWNLOAD_DIR) return [MONGOMS_DOWNLOAD_DIR];
  const cache = cacheFolder();
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
  /**
   * True where the user has no folder for data that can be written, and the temporary one has to
   * do.
   */
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

/**
 * `$XDG_DATA_HOME/seed-database`, or the platform's folder for application data; undefined without
 * a home.
 */
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

// Folders of the user's that can be written. A container that runs as any user may know no home, or
// one that nobody may write to: then a private folder in the temporary one serves.

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
 * A folder in the temporary one that this user alone can enter. Its name can be guessed, so whose
 * it is is looked at.
 * @throws SeedError where it cannot be made or is somebody else's
 */
function temporaryFolder(): string {
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

// mongodb-memory-server asks for the user's home, which it has no use for here, and fails where the
// system knows none.

/** The part of the library that looks for binaries, with an answer for users without a home. */
export async function dryBinary() {
  const { DryMongoBinary } = await import('mongodb-memory-server-core/lib/util/DryMongoBinary.js');
  Object.assign(DryMongoBinary, { homedir: () => homeFolder() ?? tmpdir() });
  return DryMongoBinary;
}
