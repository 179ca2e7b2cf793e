/** What the driver and the server report, as one line with the cause and one with the way out. */
import {
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { maskUri } from '../config/mask.js';
import type { ConnectionSettings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { explainTooManyFiles } from '../system-errors.js';

const AUTHENTICATION_FAILED = new Set([18, 8000]);
const UNAUTHORIZED = new Set([13]);
const OUT_OF_DISK = new Set([14031]);
const STORAGE_FULL = /no space left|disk ?full|ENOSPC|OutOfDiskSpace/i;

const SOCKET_CODES = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/** A failure of the socket itself. The driver lets one through as it is when a connection ends while a message is written. */
export function isSocketError(error: unknown): boolean {
  return error instanceof Error && SOCKET_CODES.has(String((error as NodeJS.ErrnoException).code));
}

/** Turns any failure of a database operation into the {@link SeedError} a user can act on; others pass unchanged. */
export function explainServerError(error: unknown, connection: ConnectionSettings): unknown {
  if (error instanceof SeedError) return error;
  const where = maskUri(connection.uri);
  const message = oneLine(error);
  const options = { cause: error };
  // The fault is this machine's, whomever it was to reach.
  const tooManyFiles = explainTooManyFiles(reasonOf(error));
  if (tooManyFiles) return tooManyFiles;

  if (error instanceof MongoServerError) {
    const code = Number(error.code);
    if (OUT_OF_DISK.has(code) || STORAGE_FULL.test(message)) {
      return new SeedError(
        ExitStatus.outOfSpace,
        `the server has no disk space left: ${message}`,
        'make room (or --clean, or fewer --days), then continue with --resume',
        options,
      );
    }
    if (AUTHENTICATION_FAILED.has(code)) {
      return new SeedError(
        ExitStatus.authentication,
        `authentication failed at ${where}`,
        'check MONGODB_USERNAME, MONGODB_PASSWORD and MONGODB_AUTH_SOURCE',
        options,
      );
    }
    if (UNAUTHORIZED.has(code)) {
      return new SeedError(
        ExitStatus.authentication,
        `not allowed on database ${connection.database}: ${message}`,
        'the user needs the readWrite role on this database',
        options,
      );
    }
    return new SeedError(ExitStatus.failure, `the server refused: ${message}`, '', options);
  }
  if (STORAGE_FULL.test(message)) {
    return new SeedError(ExitStatus.outOfSpace, message, 'make room, then continue with --resume', options);
  }
  if (error instanceof MongoParseError) {
    return new SeedError(ExitStatus.usage, `the connection settings cannot be used: ${message}`, '', options);
  }
  if (
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNetworkError ||
    error instanceof MongoOperationTimeoutError ||
    isSocketError(error)
  ) {
    return new SeedError(
      ExitStatus.cannotConnect,
      `cannot connect to MongoDB at ${where}: ${reasonOf(error)}`,
      'check that the server runs and that --uri, --host, --port (or MONGODB_URI, MONGODB_HOST, MONGODB_PORT) name it',
      options,
    );
  }
  return error;
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
