/**
 * mongodb-memory-server's own cache and download of MongoDB's builds, made quiet, strict and quick
 * to give up.
 */

import { execFile } from 'node:child_process';
import { readdir, rm, stat } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from '../system/file-lock.js';
import { dryBinary } from './state.js';

/** A binary and its MongoDB version. */
export interface DownloadedBinary {
  readonly path: string;
  readonly version: string;
}

/** A network that lets no connection through in this time is taken as closed. */
const CONNECT_TIMEOUT_MS = 3_000;

/** Longest silence of an open connection, in milliseconds. */
const STALL_TIMEOUT_MS = 20_000;

/** Longest wait for another process that is downloading. */
const LOCK_TIMEOUT_MS = 600_000;

/** Smallest plausible mongod, in bytes: less is what an interrupted download left. */
const SMALLEST_BINARY = 1024 * 1024;

/** The variables that name a proxy, in the order in which the library reads them. */
const PROXY_VARIABLES = [
  'yarn_https-proxy',
  'yarn_proxy',
  'npm_config_https-proxy',
  'npm_config_proxy',
  'https_proxy',
  'http_proxy',
  'HTTPS_PROXY',
  'HTTP_PROXY',
];

/**
 * The binary that an earlier download of mongodb-memory-server left in its cache; undefined when
 * there is none. One without its checksum file beside it is unfinished and does not count.
 */
export async function cachedDownload(cacheDirectory: string): Promise<DownloadedBinary | undefined> {
  try {
    const { path, version, exists } = await locate(cacheDirectory);
    return exists ? { path, version } : undefined;
  } catch {
    return undefined; // no build for this system is known to the library
  }
}

/**
 * Downloads MongoDB's own build for this system. Undefined when that is not possible from here: the
 * caller has another way, so its cause is said in one line and nothing more.
 */
export async function download(
  cacheDirectory: string,
  notice: (message: string) => void,
): Promise<DownloadedBinary | undefined> {
  try {
    const { default: Address } = await import(
      'mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js'
    );
    const { options } = await locate(cacheDirectory);
    const url = new URL(await new Address.MongoBinaryDownloadUrl(options).getDownloadUrl());
    if (!(await isReachable(url))) return undefined;
    const wait = {
      timeoutMs: LOCK_TIMEOUT_MS,
      onWait: (holder: string) => notice(`waiting for ${holder}, which is downloading MongoDB`),
    };
    return await withFileLock(join(cacheDirectory, 'mongod-download.lock'), wait, async () => {
      const { path, version, exists } = await locate(cacheDirectory);
      if (exists) return { path, version };
      await rm(path, { force: true }); // unfinished: the library would take it for whole
      notice(`no mongod found: downloading MongoDB ${version}, once`);
      return { path: await fetchBinary(options, notice), version };
    });
  } catch {
    return undefined;
  }
}

async function locate(cacheDirectory: string) {
  const library = await dryBinary();
  const options = await library.generateOptions({
    version: library.getEnsuredOptions().version,
    downloadDir: cacheDirectory,
  });
  const [present, path] = await library.generateDownloadPath({
    ...options,
    downloadDir: cacheDirectory,
  });
  const exists = present && (await sizeOf(path)) >= SMALLEST_BINARY && (await sizeOf(`${path}.md5`)) > 0;
  return { options, path, version: options.version, exists };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

type BinaryOptions = Awaited<ReturnType<typeof locate>>['options'];

async function fetchBinary(options: BinaryOptions, notice: (message: string) => void): Promise<string> {
  const { MongoBinaryDownload } = await import('mongodb-memory-server-core/lib/util/MongoBinaryDownload.js');
  let told = 0;

  /**
   * One attempt, certificates verified (the library's default is not to), and progress as notices.
   */
  class Download extends MongoBinaryDownload {
    override httpDownload(url: URL, request: RequestOptions, to: string, partial: string): Promise<string> {
      const strict = { ...request, rejectUnauthorized: true };
      return super.httpDownload(url, strict, to, partial, 1, 0, STALL_TIMEOUT_MS);
    }

    override printDownloadProgress(chunk: { length: number }): void {
      this.dlProgress.current += chunk.length;
      const quarter = Math.floor((4 * this.dlProgress.current) / this.dlProgress.length);
      if (quarter <= told || this.dlProgress.totalMb < 1) return;
      told = quarter;
      notice(`downloading MongoDB: ${25 * quarter} % of ${Math.round(this.dlProgress.totalMb)} MB`);
    }
  }
  return new Download({ ...options, checkMD5: true }).getMongodPath();
}

/** Whether a connection to the download's host, or to the proxy before it, opens in time. */
function isReachable(url: URL): Promise<boolean> {
  const proxy = PROXY_VARIABLES.map((name) => process.env[name]).find((value) => value);
  const { hostname, port, protocol } = proxy ? new URL(proxy) : url;
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) });
    const answer = (reachable: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reachable);
    };
    // One timer for all of it: a name server that does not answer delays the connection without a
    // socket time-out.
    const timer = setTimeout(() => answer(false), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}

// Fetches wheels with pip, whichever there is.

/** Whole download, in milliseconds: 42 MB at some 70 kB/s. */
export const DOWNLOAD_TIMEOUT_MS = 600_000;

/** How to start pip: the first that exists is used. */
const PIPS: readonly (readonly string[])[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']];

const DOWNLOAD = [
  'download',
  '--no-deps',
  '--only-binary=:all:',
  '--no-cache-dir',
  '--quiet',
  '--retries=2',
  '--disable-pip-version-check',
  '--no-input',
];

/**
 * Downloads a wheel into a folder that holds no other, and returns its path.
 * @param requirement name and version, as pip takes them
 * @param platform options of pip that choose a wheel for another machine or Python than this one
 * @throws Error with pip's own words
 */
export async function pipDownload(
  requirement: string,
  folder: string,
  platform: readonly string[] = [],
): Promise<string> {
  let cause = 'there is no python3 with pip';
  for (const [command, ...first] of PIPS) {
    const args = [...first, ...DOWNLOAD, ...platform, '--dest', folder, requirement];
    try {
      // Its own scratch files go beside the wheel: the temporary folder of a container may be tiny.
      const env = { ...process.env, TMPDIR: folder };
      await promisify(execFile)(command, args, { timeout: DOWNLOAD_TIMEOUT_MS, env });
      const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
      if (wheel !== undefined) return join(folder, wheel);
      cause = 'pip delivered no wheel';
    } catch (error) {
      cause = pipFailure(error) ?? cause;
    }
  }
  throw new Error(cause);
}

/** pip's own last error line; undefined when this pip does not exist. */
function pipFailure(error: unknown): string | undefined {
  const { code, killed, stderr = '' } = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (code === 'ENOENT' || /No module named pip/.test(stderr)) return undefined;
  if (killed) return `pip took longer than ${DOWNLOAD_TIMEOUT_MS / 60_000} minutes`;
  const all = stderr.trimEnd().split('\n');
  const lines = all.filter((line) => line.startsWith('ERROR') && !/^ERROR: Exception:/.test(line));
  // What pip did not expect it shows as a trace, whose last line is the cause.
  return `pip: ${(lines.at(-1) || all.at(-1) || `exit status ${String(code)}`).replace(/^ERROR:\s*/, '').slice(0, 200)}`;
}
