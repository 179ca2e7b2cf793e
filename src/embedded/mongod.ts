/** A mongod process on loopback: its start, its signals, its log and its end. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { MongoInstance } from 'mongodb-memory-server-core';
import { ExitStatus, SeedError } from '../errors.js';
import { isAlive } from '../system/file-lock.js';
import { isListening } from '../system/who-answers.js';
import type { ObtainedBinary } from './binary.js';
import { dryBinary, type EmbeddedLocations, embeddedUri, type ServerState } from './state.js';

export { isAlive };

/** Milliseconds between two looks at a process that is not our child. */
const POLL_MS = 20;

/** Sends a signal; false when the process is gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Waits until the process has ended, at most `timeoutMs`. False when it still lives then. */
export async function waitForExit(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}

// Ends a mongod cleanly.

/**
 * A clean end writes what the cache still holds, some gigabytes at most, to a disk that may be
 * slow. In milliseconds.
 */
export const STOP_TIMEOUT_MS = 60_000;

/**
 * Asks mongod to end and waits for it; one that does not in time is killed, and its journal keeps
 * the data.
 */
export async function endMongod({ pid, port }: Pick<ServerState, 'pid' | 'port'>): Promise<void> {
  if (process.platform === 'win32') await shutDownByCommand(port);
  else signal(pid, 'SIGINT');
  if (await waitForExit(pid, STOP_TIMEOUT_MS)) return;
  signal(pid, 'SIGKILL');
  await waitForExit(pid, STOP_TIMEOUT_MS);
}

/** Windows knows no signals: there they end a process as a power cut would. */
async function shutDownByCommand(port: number): Promise<void> {
  const client = new MongoClient(embeddedUri(port), { serverSelectionTimeoutMS: 5_000 });
  try {
    await client.db('admin').command({ shutdown: 1 });
  } catch {
    // the connection closes with the server; one that did not obey is killed after the time-out
  } finally {
    await client.close();
  }
}

// Ports of the loopback interface.

/** A port of 127.0.0.1 that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

/** Whether a server can listen on this port of 127.0.0.1. */
export async function isPortFree(port: number): Promise<boolean> {
  if (await isListening('127.0.0.1', port)) return false; // a listener on all interfaces may not stop us, but it answers
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

// What mongod writes to its standard output, cut into lines, and what it says about a failure.

/** Lines kept: a failed start ends with some ten. */
const KEPT_LINES = 60;

/** Longest part of mongod's own words in a message. */
const LONGEST_CAUSE = 240;

interface LogLine {
  /** Severity: F fatal, E error, W warning, I information. */
  readonly s?: string;
  readonly msg?: string;
  readonly attr?: Readonly<Record<string, unknown>>;
}

/** Joins chunks of output to whole lines and remembers the last of them. */
class MongodLog {
  private rest = '';
  private readonly lines: string[] = [];

  /** The whole lines that end in this chunk. */
  take(chunk: string | Buffer): readonly string[] {
    const whole = (this.rest + chunk.toString()).split('\n');
    this.rest = whole.pop() ?? '';
    const lines = whole.filter((line) => line.trim() !== '');
    this.lines.push(...lines);
    this.lines.splice(0, this.lines.length - KEPT_LINES);
    return lines;
  }

  /** True when some kept line matches. */
  has(pattern: RegExp): boolean {
    return [...this.lines, this.rest].some((line) => pattern.test(line));
  }

  /**
   * The last fatal line, else the last error, else the last line, in mongod's own words; one line.
   * Undefined where it said nothing.
   */
  cause(): string | undefined {
    const lines = [...this.lines, this.rest].filter((line) => line.trim() !== '');
    const parsed = lines.map(parse);
    const worst =
      parsed.findLast(({ s, attr }) => s === 'F' && attr !== undefined) ??
      parsed.findLast(({ attr }) => typeof attr?.error === 'string') ??
      parsed.findLast(({ s }) => s === 'F' || s === 'E') ??
      parsed.at(-1);
    if (worst === undefined) return undefined;
    const detail = worst.attr?.error ?? worst.attr?.message ?? worst.attr?.reason;
    const text = detail === undefined ? (worst.msg ?? '') : `${worst.msg}: ${describe(detail)}`;
    return text.replace(/\s+/g, ' ').slice(0, LONGEST_CAUSE);
  }
}

function describe(detail: unknown): string {
  return typeof detail === 'string' ? detail : JSON.stringify(detail);
}

/** A line of mongod's JSON log; plain text (a missing library, say) becomes its message. */
function parse(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}

// Why the embedded server's mongod did not start, and what to do.

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

// One mongod process on loopback, through mongodb-memory-server.

/**
 * Recovery after a power cut replays at most a minute of journal; on a slow disk that takes its
 * time.
 */
const START_TIMEOUT_MS = 120_000;

const GIGABYTE = 1024 ** 3;

/**
 * mongod takes half of the memory by default, which is too much beside a developer's other
 * programs: a quarter, from 0.25 GB up to 4 GB, holds more than the default dataset.
 */
function cacheGigabytes(memoryBytes = availableMemory()): number {
  return Math.min(4, Math.max(0.25, Math.floor((memoryBytes / 4 / GIGABYTE) * 4) / 4));
}

/** The machine's memory, or the container's where it is limited. */
function availableMemory(): number {
  const limit = process.constrainedMemory(); // 0 or a huge number where there is none
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** A mongod that could not be started; `log` knows why. */
export class StartFailure extends Error {
  constructor(
    readonly log: MongodLog,
    cause: unknown,
  ) {
    super('mongod did not start', { cause });
  }
}

/**
 * Starts mongod on 127.0.0.1 with a data directory that is kept, and waits until it accepts
 * connections. The library also starts a small process that ends mongod when this one dies without
 * stopping it.
 * @throws StartFailure
 */
export async function launch(
  binary: ObtainedBinary,
  dataDirectory: string,
  port: number,
): Promise<MongoInstance> {
  const [{ MongoInstance: Instance }, config] = await Promise.all([
    import('mongodb-memory-server-core/lib/util/MongoInstance.js'),
    import('mongodb-memory-server-core/lib/util/resolveConfig.js'),
    dryBinary(),
  ]);
  // The version is known already: asking the binary again would cost a process, and warn about the
  // library's own default.
  config.setDefaultValue(config.ResolveConfigVariables.SYSTEM_BINARY_VERSION_CHECK, 'false');
  const log = new MongodLog();

  /**
   * The library reads the output chunk by chunk, and fails on two lines in one: it gets them one by
   * one.
   */
  class LineByLine extends Instance {
    override stdoutHandler(chunk: string | Buffer): void {
      for (const line of log.take(chunk)) super.stdoutHandler(line);
    }

    override stderrHandler(chunk: string | Buffer): void {
      for (const line of log.take(chunk)) super.stderrHandler(line);
    }

    /** After the log has been read to its end, which the exit alone does not say. */
    override closeHandler(code: number | null, signal: string | null): void {
      for (const line of log.take('\n')) super.stdoutHandler(line);
      super.closeHandler(code, signal);
    }
  }

  const instance = new LineByLine({
    instance: {
      port,
      ip: '127.0.0.1',
      dbPath: dataDirectory,
      storageEngine: 'wiredTiger',
      launchTimeout: START_TIMEOUT_MS,
      args: [
        ...['--wiredTigerCacheSizeGB', String(cacheGigabytes())],
        // Nobody reads this log: only what is slower than two seconds is written, and no diagnostic
        // data.
        ...['--quiet', '--slowms', '2000', '--setParameter', 'diagnosticDataCollectionEnabled=false'],
        ...(process.platform === 'win32' ? [] : ['--nounixsocket']),
      ],
    },
    binary: { systemBinary: binary.path, version: binary.version },
    // A session of its own: Ctrl-C in the terminal is for this program, which then stops mongod in
    // its own time.
    spawn: { detached: true },
  });
  try {
    await instance.start();
    return instance;
  } catch (error) {
    await instance.stop().catch(() => undefined);
    throw new StartFailure(log, error);
  }
}
