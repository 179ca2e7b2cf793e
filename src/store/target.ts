/** The database to load into: the server that was named, or the one this program finds or starts by itself. */
import type { Db } from 'mongodb';
import { maskUri } from '../config/mask.js';
import type { ConnectionSettings } from '../config/settings.js';
import type { ServerInfo } from '../report/types.js';
import type { Books } from './books.js';
import { type Connection, openConnection } from './connect.js';
import { isListening } from './listening.js';
import { explainServerError } from './server-errors.js';
import { openWhenReady } from './wait-for-server.js';

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
  const { startEmbeddedServer } = await import('./embedded/index.js');
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
