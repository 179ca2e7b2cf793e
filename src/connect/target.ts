/** The database to load into: the server that was named, or the one this program finds or starts by itself. */
import type { Db } from 'mongodb';
import { maskUri } from '../config/mask.js';
import type { ConnectionSettings } from '../config/settings.js';
import { formatUri, hasOption, parseUri } from '../config/uri.js';
import { refuseLocked } from '../inspect/obstacles.js';
import type { ServerInfo } from '../output/types.js';
import type { Books } from './bookkeeping.js';
import { type Connection, openConnection } from './connect.js';
import { formatLoaderName } from './loader-connections.js';
import { explainFailure, type RetryOptions, withRetry } from './retry.js';
import { explainServerError } from './server-errors.js';
import { openWhenReady } from './wait-for-server.js';
import { isListening } from './who-answers.js';

export interface Target {
  /** Reads from the primary, whatever the connection string says: for all that something is decided by. */
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
 * A named server is used or fails. With nothing configured: localhost:27017 if something answers there, else the
 * embedded server.
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
    return targetOf(await openConnection(connection), connection);
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

// The target of whoever writes: its connections bear the loader's name, and its bookkeeping is as durable as the server can make it.

export interface Notices {
  readonly inform: (message: string) => void;
  readonly warn: (message: string) => void;
}

/**
 * Opens it. What the main thread drops or writes must not come late either, so that whoever takes over waits for its connections as for
 * those of the workers.
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
 * Settings that lead to this member and no other: of several secondaries each would else answer some of the queries, and one of them may
 * lag. The primary is the driver's to find, also after an election.
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

// Whether a server shares this machine's cores.

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|%2F.*)(?::\d+)?$/i;

/** True where every host of the connection string is this machine: a loopback name or address, or a socket path. */
export function isLocal(uri: string): boolean {
  const hosts = parseUri(uri)?.hosts.split(',') ?? [];
  return hosts.length > 0 && hosts.every((host) => LOOPBACK.test(host));
}
