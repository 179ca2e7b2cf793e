/** Connections to MongoDB: from the main thread and, with the same settings, from every worker. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import * as zlib from 'node:zlib';
import { type Db, MongoClient, type MongoClientOptions, MongoServerError, ReadConcern } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { usageError } from '../errors.js';
import { ASSETS } from '../store/collections.js';
import { Books } from './bookkeeping.js';
import { steadyConnections } from './driver-internals.js';
import { makeContact } from './first-contact.js';
import { explainOpening, settingsError } from './server-errors.js';

const UNAUTHORIZED = 13;

/** An open connection. `close` waits for the sockets to be gone. */
export interface Connection {
  readonly client: MongoClient;
  /**
   * Reads from the primary, whatever the connection string says: for all that something is decided
   * by.
   */
  readonly db: Db;
  /** Reads as the connection string asks: for records to look at. */
  readonly reader: Db;
  readonly books: Books;
  readonly uri: string;
  readonly serverVersion: string;
  close(): Promise<void>;
}

/**
 * A client for these settings, not yet connected. `overrides` are the driver's options by their own
 * names.
 */
export function makeClient(connection: ConnectionSettings, overrides: MongoClientOptions = {}): MongoClient {
  return new MongoClient(connection.uri, {
    appName: 'seed-database',
    ...connection.options,
    ...overrides,
  } as MongoClientOptions);
}

/**
 * The same, with connections that end what waits for them, see {@link steadyConnections}; with the
 * driver's own where this version of it has others.
 */
export async function makeSteadyClient(
  connection: ConnectionSettings,
  overrides: MongoClientOptions = {},
): Promise<MongoClient> {
  const connectionType = await steadyConnections().catch(() => undefined);
  // An option that the driver takes and does not document.
  return makeClient(connection, { ...(connectionType && { connectionType }), ...overrides });
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
    client = await makeUsableClient(connection, overrides);
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
    const close = () => closeInTime(opened);
    return { client, db, reader, books, uri: connection.uri, serverVersion: version, close };
  } catch (error) {
    // Not waited for: what hangs at a connection would hold up its own explanation.
    client?.close().catch(() => undefined);
    throw explainOpening(error, connection);
  }
}

/**
 * A driver that has lost an operation may wait for it when it closes, and a failure is told only
 * after that.
 */
const LONGEST_CLOSE_MS = 10_000;

async function closeInTime(client: MongoClient): Promise<void> {
  const timer = new AbortController();
  const late = sleep(LONGEST_CLOSE_MS, undefined, { ref: true, signal: timer.signal }).catch(() => undefined);
  await Promise.race([client.close(), late]).finally(() => timer.abort());
}

/** @throws SeedError (usage) for settings that no server can make right */
async function makeUsableClient(
  connection: ConnectionSettings,
  overrides: MongoClientOptions,
): Promise<MongoClient> {
  let client: MongoClient;
  try {
    client = await makeSteadyClient(connection, overrides);
  } catch (error) {
    throw settingsError(error);
  }
  refuseUnusable(client);
  return client;
}

/** Without a user the server says who it is all the same, and refuses what comes next. */
async function refuseNobody(db: Db): Promise<void> {
  try {
    await db.collection(ASSETS).findOne({}, { projection: { _id: 1 } });
  } catch (error) {
    if (error instanceof MongoServerError && error.code === UNAUTHORIZED) throw error;
  }
}

/**
 * For a reader that has the server group and count what may be a great many records: a long silence
 * there is no stalled connection.
 */
export function withLongReads(connection: ConnectionSettings): ConnectionSettings {
  return { ...connection, options: { ...connection.options, socketTimeoutMS: 0 } };
}

// Connection settings that no server can make right: refused before anything is connected to.

/** Compressors that need a package, as the driver loads it. */
const PACKAGES: Readonly<Record<string, string>> = { snappy: 'snappy', zstd: '@mongodb-js/zstd' };

/**
 * Looks at what the driver has made of its settings.
 * @throws SeedError (usage) for compression whose package is missing, and for certificates and keys
 *   that cannot be used
 */
function refuseUnusable({ options }: MongoClient): void {
  for (const name of options.compressors ?? []) refuseMissingCompressor(name);
  if (options.credentials) refuseMechanism(options);
  if (options.tls) refuseWrongFiles(options);
}

function refuseMissingCompressor(compressor: string): void {
  const name = PACKAGES[compressor];
  if (name === undefined || (compressor === 'zstd' && 'zstdCompress' in zlib)) return;
  const orNode = compressor === 'zstd' ? ', or use Node 22.15 or later' : '';
  refuseMissing(name, `compression with ${compressor}`, `${orNode}, or choose zlib, which needs nothing`);
}

function refuseMissing(name: string, what: string, otherwise: string): void {
  try {
    createRequire(import.meta.url)(name);
  } catch {
    throw usageError(
      `${what} needs the package ${name}, which is not installed`,
      `install it beside this program (npm install ${name})${otherwise}`,
    );
  }
}

/** Mechanisms that need a package, as the driver loads it. */
const MECHANISM_PACKAGES: Readonly<Record<string, string>> = {
  GSSAPI: 'kerberos',
  'MONGODB-AWS': '@aws-sdk/credential-providers',
};

/** What a mechanism needs besides a server that knows it. */
function refuseMechanism({ credentials, tls, cert, tlsCertificateKeyFile }: MongoClient['options']): void {
  const mechanism = credentials?.mechanism ?? '';
  const name = MECHANISM_PACKAGES[mechanism];
  if (name !== undefined) {
    refuseMissing(name, `authMechanism=${mechanism}`, ', or leave authMechanism out and give a password');
  }
  if (mechanism !== 'MONGODB-X509' || (tls && (cert ?? tlsCertificateKeyFile) !== undefined)) return;
  throw usageError(
    'authMechanism=MONGODB-X509 needs TLS and a client certificate: that is what it logs in with',
    'set MONGODB_SSL_CERT_PATH and MONGODB_SSL_KEY_PATH, or add tls=true&tlsCertificateKeyFile=… to the connection string',
  );
}

/** What the driver puts into its TLS options, and the files that it reads when it connects. */
interface TlsOptions extends SecureContextOptions {
  readonly tlsCAFile?: string;
  readonly tlsCertificateKeyFile?: string;
  readonly tlsCRLFile?: string;
}

const CERTIFICATE = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/;

function refuseWrongFiles(options: TlsOptions): void {
  const { tlsCAFile, tlsCertificateKeyFile, tlsCRLFile, passphrase } = options;
  const own = tlsCertificateKeyFile === undefined ? undefined : readFileSync(tlsCertificateKeyFile);
  const ca = tlsCAFile === undefined ? options.ca : readFileSync(tlsCAFile);
  const crl = tlsCRLFile === undefined ? options.crl : readFileSync(tlsCRLFile);
  // Node takes any text for those of an authority, and then trusts nobody.
  if (tlsCAFile !== undefined && !CERTIFICATE.test(String(ca))) {
    throw usageError(
      `the certificates of the authority cannot be used: there is none in ${tlsCAFile}`,
      'name a file of certificates in PEM form',
    );
  }
  refuseUnless('the list of revoked certificates', { crl });
  const cert = options.cert ?? own;
  const key = options.key ?? own;
  refuseUnless('the client certificate', { cert });
  try {
    createSecureContext({ cert, key, passphrase });
  } catch (error) {
    const text = String(key);
    if (/ENCRYPTED/.test(text)) {
      const cause = passphrase === undefined ? 'is encrypted' : 'is encrypted with another passphrase';
      throw usageError(
        `the key of the client certificate ${cause}`,
        'add tlsCertificateKeyFilePassword=… to the connection string, or decrypt the key: openssl pkey -in KEY -out PLAIN',
      );
    }
    throw usageError(
      `the key of the client certificate cannot be used: ${reasonOf(error)}`,
      'name the PEM files of a certificate and of its own key',
    );
  }
}

function refuseUnless(what: string, context: SecureContextOptions): void {
  try {
    createSecureContext(context);
  } catch (error) {
    throw usageError(`${what} cannot be used: ${reasonOf(error)}`, 'name a file of certificates in PEM form');
  }
}

/** `error:0480006C:PEM routines::no start line` → `no start line`. */
function reasonOf(error: unknown): string {
  const { reason, message } = error as Error & { reason?: string };
  return reason ?? message.replace(/^error:\w+:[^:]*::/, '');
}

/**
 * By `fsyncLock`, as before a backup of the files. Whoever is allowed to ask for its own operations
 * is told.
 */
export async function isServerLocked(db: Db): Promise<boolean> {
  const asked = db.client.db('admin').command({ currentOp: 1, $ownOps: true });
  return (await asked.catch(() => undefined))?.fsyncLock === true;
}
