/** What the driver and the server report, as one line with the cause and one with the way out. */
import {
  MongoAPIError,
  MongoCompatibilityError,
  MongoDriverError,
  MongoInvalidArgumentError,
  MongoMissingCredentialsError,
  MongoMissingDependencyError,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoOperationTimeoutError,
  MongoParseError,
  MongoRuntimeError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { maskUri } from '../config/uri.js';
import { ExitStatus, SeedError } from '../errors.js';
import { explainTooManyFiles } from '../system/files.js';
import { explainRefusal, STORAGE_FULL } from './refusals.js';

const SOCKET_CODES = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** Of the lookup that `mongodb+srv` begins with. */
const LOOKUPS = new Set(['querySrv', 'queryTxt']);
/** The driver's queue for a connection; the class is not exported. */
const QUEUE_TIMEOUT = 'MongoWaitQueueTimeoutError';

/** What only settings can cause. */
const OF_SETTINGS = [
  MongoParseError,
  MongoInvalidArgumentError,
  MongoMissingCredentialsError,
  MongoMissingDependencyError,
  MongoCompatibilityError,
];

const CHECK_SERVER =
  'check that the server runs and that --uri, --host, --port (or MONGODB_URI, MONGODB_HOST, MONGODB_PORT) name it';

/**
 * A failure of the socket itself. The driver lets one through as it is when a connection ends while
 * a message is written.
 */
export function isSocketError(error: unknown): boolean {
  return error instanceof Error && SOCKET_CODES.has(String((error as NodeJS.ErrnoException).code));
}

/**
 * Turns any failure of a database operation into the {@link SeedError} a user can act on; others
 * pass unchanged.
 */
export function explainServerError(error: unknown, connection: ConnectionSettings): unknown {
  if (error instanceof SeedError) return error;
  const message = oneLine(error);
  const made = (status: ExitStatus, cause: string, remedy: string) =>
    new SeedError(status, cause, remedy, { cause: error });
  // The fault is this machine's, whomever it was to reach.
  const tooManyFiles = explainTooManyFiles(reasonOf(error));
  if (tooManyFiles) return tooManyFiles;
  if (error instanceof MongoServerError) return explainRefusal(error, message, connection);
  if (STORAGE_FULL.test(message)) {
    return made(ExitStatus.outOfSpace, message, 'make room, then continue with --resume');
  }
  const cannotConnect = `cannot connect to MongoDB at ${maskUri(connection.uri)}`;
  if (isLookup(error)) {
    return made(
      ExitStatus.cannotConnect,
      `${cannotConnect}: its servers are not to be found in the DNS: ${message}`,
      'check the name and the connection to the DNS, or name the servers themselves with mongodb://',
    );
  }
  if (error instanceof Error && error.name === QUEUE_TIMEOUT) {
    return made(
      ExitStatus.cannotConnect,
      `${cannotConnect}: no connection was free or open in time: ${message}`,
      'raise waitQueueTimeoutMS and maxPoolSize in the connection string, or leave them out',
    );
  }
  if (OF_SETTINGS.some((kind) => error instanceof kind)) return settingsError(error);
  if (error instanceof MongoNetworkTimeoutError) {
    return made(
      ExitStatus.cannotConnect,
      `${cannotConnect}: ${message}`,
      'check that the server answers; MONGODB_CONNECT_TIMEOUT_MS and MONGODB_SOCKET_TIMEOUT_MS say how long to wait for it',
    );
  }
  if (
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNetworkError ||
    error instanceof MongoOperationTimeoutError ||
    isSocketError(error)
  ) {
    return made(ExitStatus.cannotConnect, `${cannotConnect}: ${reasonOf(error)}`, CHECK_SERVER);
  }
  return error;
}

/**
 * The same for a connection that is not there yet: whatever else the driver complains of are its
 * settings.
 */
export function explainOpening(error: unknown, connection: ConnectionSettings): unknown {
  // What a lookup brings is judged when the settings have been.
  const isOfLookup =
    error instanceof Error &&
    [MongoAPIError, MongoParseError, MongoRuntimeError].some((kind) => error.constructor === kind);
  if (isOfLookup && /^mongodb\+srv:/i.test(connection.uri)) {
    return new SeedError(
      ExitStatus.cannotConnect,
      `cannot connect to MongoDB at ${maskUri(connection.uri)}: what the DNS says of it cannot be used: ${oneLine(error)}`,
      'check the name, or name the servers themselves with mongodb://',
      { cause: error },
    );
  }
  const explained = explainServerError(error, connection);
  return explained instanceof MongoDriverError ? settingsError(explained) : explained;
}

/** Settings that the driver does not take. */
export function settingsError(error: unknown): SeedError {
  const remedy = 'see "seed-database config" for the settings in effect, and where each comes from';
  return new SeedError(
    ExitStatus.usage,
    `the connection settings cannot be used: ${oneLine(error)}`,
    remedy,
    {
      cause: error,
    },
  );
}

function isLookup(error: unknown): boolean {
  return error instanceof Error && LOOKUPS.has(String((error as NodeJS.ErrnoException).syscall));
}

/** A server selection error names its true cause inside its topology description. */
function reasonOf(error: unknown): string {
  if (error instanceof MongoServerSelectionError && error.reason) {
    for (const server of error.reason.servers.values()) {
      if (server.error) return oneLine(server.error);
    }
  }
  return oneLine(error);
}

function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}
