/** Connections to MongoDB: from the main thread and, with the same settings, from every worker. */
import { type Db, MongoClient, type MongoClientOptions, MongoServerError, ReadConcern } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { Books } from './books.js';
import { makeContact } from './first-contact.js';
import { RUNS } from './names.js';
import { explainOpening, settingsError } from './server-errors.js';
import { refuseUnusable } from './usable.js';

const UNAUTHORIZED = 13;

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
 * @throws SeedError (usage, cannot connect, authentication) with a one-line cause and the way out.
 */
export async function openConnection(
  connection: ConnectionSettings,
  overrides: MongoClientOptions = {},
): Promise<Connection> {
  let client: MongoClient | undefined;
  try {
    client = makeUsableClient(connection, overrides);
    await makeContact(client, connection);
    const db = client.db(connection.database, {
      readPreference: 'primary',
      readConcern: new ReadConcern('local'),
    });
    const reader = client.db(connection.database);
    const { version } = await db.command({ buildInfo: 1 });
    // buildInfo needs no rights, so authentication is only proven by a command of this database.
    await db.command({ ping: 1 });
    if (!client.options.credentials) await refuseNobody(db);
    const opened = client;
    const books = await Books.open(client, connection.database);
    const close = () => opened.close();
    return { client, db, reader, books, uri: connection.uri, serverVersion: version, close };
  } catch (error) {
    // Not waited for: what hangs at a connection would hold up its own explanation.
    client?.close().catch(() => undefined);
    throw explainOpening(error, connection);
  }
}

/** @throws SeedError (usage) for settings that no server can make right */
function makeUsableClient(connection: ConnectionSettings, overrides: MongoClientOptions): MongoClient {
  let client: MongoClient;
  try {
    client = makeClient(connection, overrides);
  } catch (error) {
    throw settingsError(error);
  }
  refuseUnusable(client);
  return client;
}

/** Without a user the server says who it is all the same, and refuses what comes next. */
async function refuseNobody(db: Db): Promise<void> {
  try {
    await db.collection(RUNS).findOne({}, { projection: { _id: 1 } });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === UNAUTHORIZED) throw error;
  }
}

/** For a reader that has the server group and count what may be a great many records: a long silence there is no stalled connection. */
export function withLongReads(connection: ConnectionSettings): ConnectionSettings {
  return { ...connection, options: { ...connection.options, socketTimeoutMS: 0 } };
}
