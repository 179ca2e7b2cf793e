/** Connections to MongoDB: from the main thread and, with the same settings, from every worker. */
import {
  type Db,
  MongoClient,
  type MongoClientOptions,
  ReadConcern,
  type ServerDescription,
  type TopologyDescriptionChangedEvent,
} from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { Books } from './books.js';
import { explainServerError } from './server-errors.js';

/** An open connection. `close` waits for the sockets to be gone. */
export interface Connection {
  readonly client: MongoClient;
  /** Reads from the primary, whatever the connection string says: for all that something is decided by. */
  readonly db: Db;
  /** Reads as the connection string asks: for records to look at. */
  readonly reader: Db;
  readonly books: Books;
  readonly uri: string;
  readonly serverVersion: string;
  close(): Promise<void>;
}

/** A client for these settings, not yet connected. `overrides` are the driver's options by their own names. */
export function makeClient(connection: ConnectionSettings, overrides: MongoClientOptions = {}): MongoClient {
  return new MongoClient(connection.uri, {
    appName: 'seed-database',
    ...connection.options,
    ...overrides,
  } as MongoClientOptions);
}

/**
 * Connects, and asks the server who it is.
 * @throws SeedError (cannot connect, authentication) with a one-line cause and the way out.
 */
export async function openConnection(
  connection: ConnectionSettings,
  overrides: MongoClientOptions = {},
): Promise<Connection> {
  let client: MongoClient | undefined;
  try {
    client = makeClient(connection, overrides);
    await connectUnlessHopeless(client);
    const db = client.db(connection.database, {
      readPreference: 'primary',
      readConcern: new ReadConcern('local'),
    });
    const reader = client.db(connection.database);
    const { version } = await db.command({ buildInfo: 1 });
    // buildInfo needs no rights, so authentication is only proven by a command of this database.
    await db.command({ ping: 1 });
    const opened = client;
    const books = await Books.open(client, connection.database);
    const close = () => opened.close();
    return { client, db, reader, books, uri: connection.uri, serverVersion: version, close };
  } catch (error) {
    await client?.close().catch(() => undefined);
    throw explainServerError(error, connection);
  }
}

/** Nothing listens there, nobody knows the name, or no way leads there: waiting for the time-out would not help. */
const HOPELESS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The driver tries until its time-out. This gives up as soon as every host that it knows has turned out hopeless. */
async function connectUnlessHopeless(client: MongoClient): Promise<void> {
  let listener: ((event: TopologyDescriptionChangedEvent) => void) | undefined;
  const hopeless = new Promise<never>((_, reject) => {
    listener = ({ newDescription }) => {
      const hosts = [...newDescription.servers.values()];
      if (hosts.length > 0 && hosts.every(isHopeless)) reject(hosts[0].error);
    };
    client.on('topologyDescriptionChanged', listener);
  });
  try {
    await Promise.race([client.connect(), hopeless]);
  } finally {
    if (listener) client.off('topologyDescriptionChanged', listener);
  }
}

function isHopeless({ error }: ServerDescription): boolean {
  const code = (error?.cause as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && HOPELESS.has(code);
}

/** For a reader that has the server group and count what may be a great many records: a long silence there is no stalled connection. */
export function withLongReads(connection: ConnectionSettings): ConnectionSettings {
  return { ...connection, options: { ...connection.options, socketTimeoutMS: 0 } };
}
