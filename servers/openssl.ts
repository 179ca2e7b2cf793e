/**
 * OpenSSL 1.1, which the other servers were built with and systems no longer have: it travels in a
 * Python wheel.
 */
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pipDownload } from '../src/embedded/download.js';
import { openZipEntry, sha256Of } from '../src/embedded/wheel.js';

const REQUIREMENT = 'psycopg2-binary==2.8.6';
const PLATFORM = ['--python-version', '3.8', '--platform', 'manylinux1_x86_64'];
const WHEEL_SHA256 = '2dac98e85565d5688e8ab7bdea5446674a83a3945a8f416ad0110018d1501b94';
const FOLDER = 'openssl-1.1.1g-wheel-x64';

/** They ask for one another by these names. */
const LIBRARIES = [
  'libssl-dbe77c63.so.1.1.1g',
  'libcrypto-e62d380e.so.1.1.1g',
  'libz-a147dcb0.so.1.2.3',
] as const;

/** mongod asks by these. Links, not copies: a library that is loaded twice has two states. */
const LINKS = { 'libssl.so.1.1': LIBRARIES[0], 'libcrypto.so.1.1': LIBRARIES[1] } as const;

/**
 * The folder with the libraries, for `LD_LIBRARY_PATH`; fetched once, then from the cache.
 * @throws Error where pip cannot fetch it, or the checksum differs
 */
export async function openSslFolder(cacheDirectory: string): Promise<string> {
  const folder = join(cacheDirectory, FOLDER);
  if (await isWhole(folder)) return folder;
  await mkdir(cacheDirectory, { recursive: true });
  const scratch = await mkdtemp(join(cacheDirectory, `.unpacking-${process.pid}-`));
  try {
    const wheel = await pipDownload(REQUIREMENT, scratch, PLATFORM);
    const sha256 = await sha256Of(wheel);
    if (sha256 !== WHEEL_SHA256) throw new Error(`${REQUIREMENT} has the checksum ${sha256}: refused`);
    const libraries = join(scratch, 'libraries');
    await mkdir(libraries);
    for (const name of LIBRARIES) {
      await pipeline(await openZipEntry(wheel, `/${name}`), createWriteStream(join(libraries, name)));
    }
    for (const [link, target] of Object.entries(LINKS)) await symlink(target, join(libraries, link));
    await rm(folder, { recursive: true, force: true });
    await rename(libraries, folder);
    return folder;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** It is renamed into place when all is in it. */
async function isWhole(folder: string): Promise<boolean> {
  const names: readonly string[] = await readdir(folder).catch(() => []);
  return [...LIBRARIES, ...Object.keys(LINKS)].every((name) => names.includes(name));
}
