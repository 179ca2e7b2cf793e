/**
 * The database to load into: the server that was named, or the one this program finds or starts by
 * itself.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { formatUri, hasOption, maskUri, parseUri } from '../config/uri.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { ServerInfo } from '../output/types.js';
import { isListening } from '../system/who-answers.js';
import type { Books } from './bookkeeping.js';
import { type Connection, isServerLocked, openConnection } from './connect.js';
import { NotThere } from './first-contact.js';
import { formatLoaderName } from './loader-connections.js';
import { LOCKED } from './refusals.js';
import { explainFailure, type RetryOptions, withRetry } from './retry.js';
import { explainServerError } from './server-errors.js';

export interface Target {
  /**
   * Reads from the primary, whatever the connection string says: for all that something is decided
   * by.
   */
  readonly db: Db;
  /** Reads as the connection string asks: for records to look at. */
  readonly reader: Db;
  readonly books: Books;
  /** Complete connection string, for workers: never print it. */
  readonly uri: string;
  readonly server: ServerInfo;
  /** See {@link explainServerError}. */
  explain(error: unknown): unknown;
  close(): Promise<void>;
}

/**
 * A named server is used or fails. With nothing configured: localhost:27017 if something answers
 * there, else the embedded server.
 * @param signal stops the wait for a server that is still starting
 * @throws SeedError
 */
export async function openTarget(
  connection: ConnectionSettings,
  notice: (message: string) => void,
  signal?: AbortSignal,
): Promise<Target> {
  for (const text of connection.opening?.notices ?? []) notice(text);
  if (connection.origin === 'named') {
    return targetOf(await openWhenReady(connection, { notice, signal }), connection);
  }
  if (await isListening('127.0.0.1', 27017)) {
    try {
      return targetOf(await openConnection(connection), connection);
    } catch (error) {
      // What listened may have ended since, and then nothing answers there.
      if (await isListening('127.0.0.1', 27017)) throw error;
    }
  }
  const { startEmbeddedServer } = await import('../embedded/server.js');
  const embedded = await startEmbeddedServer({ notice });
  const theirs: ConnectionSettings = { ...connection, uri: embedded.uri };
  try {
    return targetOf(await openConnection(theirs), theirs, () => embedded.stop());
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

function targetOf(connection: Connection, settings: ConnectionSettings, stop?: () => Promise<void>): Target {
  return {
    db: connection.db,
    reader: connection.reader,
    books: connection.books,
    uri: settings.uri,
    server: { version: connection.serverVersion, embedded: stop !== undefined, uri: maskUri(settings.uri) },
    explain: (error) => explainServerError(error, settings),
    close: async () => {
      await connection.close();
      await stop?.();
    },
  };
}

// The target of whoever writes: its connections bear the loader's name, and its bookkeeping is as
// durable as the server can make it.

export interface Notices {
  readonly inform: (message: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * Opens it. What the main thread drops or writes must not come late either, so that whoever takes
 * over waits for its connections as for those of the workers.
 * @throws SeedError as {@link openTarget}
 */
export async function openLoaderTarget(
  connection: ConnectionSettings,
  loader: string,
  { inform, warn }: Notices,
  retry: RetryOptions,
  signal?: AbortSignal,
): Promise<Target> {
  const appName = formatLoaderName({ database: connection.database, loader, thread: 0, generation: 0 });
  const named = { ...connection, options: { ...connection.options, appName } };
  const target = await openTarget(named, inform, signal);
  try {
    await withRetry(() => refuseLocked(target.db), retry);
    const books = await withRetry(() => target.books.forWriting(), retry);
    if (!books.abilities.journal) {
      warn(
        'this server keeps no journal: if it crashes it can lose what it has acknowledged, finished shards too; verify then tells',
      );
    }
    return { ...target, books };
  } catch (error) {
    await target.close();
    throw explainFailure(error, (cause) => target.explain(cause));
  }
}

// Which member of a set is read, where the connection string leaves a choice.

export interface Member {
  readonly role: 'primary' | 'secondary' | 'standalone' | 'router';
  /** Host and port by which the set knows it; undefined where there is no set. */
  readonly address: string | undefined;
}

/** The member that the connection string's read preference leads to now. */
export async function chooseMember(reader: Db): Promise<Member> {
  const { readPreference } = reader;
  const hello = await reader.command({ hello: 1 }, { readPreference });
  if (hello.msg === 'isdbgrid') return { role: 'router', address: undefined };
  if (hello.setName === undefined) return { role: 'standalone', address: undefined };
  return { role: hello.isWritablePrimary ? 'primary' : 'secondary', address: hello.me };
}

/**
 * Settings that lead to this member and no other: of several secondaries each would else answer
 * some of the queries, and one of them may lag. The primary is the driver's to find, also after an
 * election.
 */
export function connectionTo(
  { role, address }: Member,
  reader: Db,
  connection: ConnectionSettings,
): ConnectionSettings {
  const parts = parseUri(connection.uri);
  if (!parts || role === 'router' || role === 'standalone') return connection;
  if (role === 'primary' || address === undefined) {
    return { ...connection, uri: formatUri({ ...parts, query: parts.query.filter(isNoPreference) }) };
  }
  // The driver has read these from the name service, where a name stands for the hosts.
  const { tls, credentials } = reader.client.options;
  const query = parts.query.filter((pair) => !/^(?:replicaSet|directConnection|srv\w*)=/i.test(pair));
  if (tls && !hasOption(parts, 'tls', 'ssl')) query.push('tls=true');
  if (credentials?.source && !hasOption(parts, 'authSource')) {
    query.push(`authSource=${encodeURIComponent(credentials.source)}`);
  }
  query.push('directConnection=true');
  return { ...connection, uri: formatUri({ ...parts, scheme: 'mongodb', hosts: address, query }) };
}

function isNoPreference(pair: string): boolean {
  return !/^(?:readPreference|readPreferenceTags|maxStalenessSeconds)=/i.test(pair);
}

// Opens a connection to a server that may still be starting.

const PAUSE_MS = 500;

/** Who is told, and who may stop it. */
export interface Waiting {
  readonly notice: (message: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Tries until the server takes part, for as long as `--wait` says; says once that it waits, and for
 * what.
 * @throws SeedError the last failure, or at once one that waiting cannot mend
 */
async function openWhenReady(
  connection: ConnectionSettings,
  { notice, signal }: Waiting,
): Promise<Connection> {
  const { opening } = connection;
  const waitMs = opening?.waitMs ?? 0;
  if (opening === undefined || waitMs === 0) return openConnection(connection);
  const deadline = performance.now() + waitMs;
  // Each attempt may be short: there is another one.
  const hasty = { ...connection, opening: { ...opening, patient: false } };
  for (let told = false; ; told = true) {
    const left = Math.max(1, Math.ceil(deadline - performance.now()));
    try {
      return await openConnection(hasty, withinMs(connection, left));
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (performance.now() + PAUSE_MS >= deadline) throw inVain(error, waitMs);
      if (!told) notice(`waiting for the server, up to ${waitMs / 1000} s: ${error.message}`);
    }
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    if (signal?.aborted) {
      throw new SeedError(ExitStatus.interrupted, 'interrupted while waiting for the server');
    }
  }
}

function withinMs({ options }: ConnectionSettings, left: number): { serverSelectionTimeoutMS?: number } {
  const own = Number(options.serverSelectionTimeoutMS ?? Number.POSITIVE_INFINITY);
  return left < own ? { serverSelectionTimeoutMS: left } : {};
}

function mayPass(error: unknown): error is SeedError {
  return (
    error instanceof SeedError &&
    error.exitStatus === ExitStatus.cannotConnect &&
    !(error instanceof NotThere)
  );
}

function inVain({ exitStatus, message, remedy }: SeedError, waitMs: number): SeedError {
  const waited = `${message} (waited ${waitMs / 1000} s)`;
  return new SeedError(exitStatus, waited, remedy.replace(/;? ?--wait 60 waits [^;]+$/, ''));
}

/**
 * @throws SeedError for a server that takes no writes until somebody unlocks it: each would wait
 * for that
 */
async function refuseLocked(db: Db): Promise<void> {
  if (await isServerLocked(db)) throw new SeedError(ExitStatus.cannotConnect, ...LOCKED);
}
