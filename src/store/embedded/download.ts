/** mongodb-memory-server's own cache and download of MongoDB's builds, made quiet, strict and quick to give up. */
import { rm, stat } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { withFileLock } from '../file-lock.js';
import { dryBinary } from './library-home.js';

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
 * The binary that an earlier download of mongodb-memory-server left in its cache; undefined when there is none.
 * One without its checksum file beside it is unfinished and does not count.
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
 * Downloads MongoDB's own build for this system. Undefined when that is not possible from here: the caller has
 * another way, so its cause is said in one line and nothing more.
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

  /** One attempt, certificates verified (the library's default is not to), and progress as notices. */
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
    // One timer for all of it: a name server that does not answer delays the connection without a socket time-out.
    const timer = setTimeout(() => answer(false), CONNECT_TIMEOUT_MS);
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
