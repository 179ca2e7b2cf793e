/** What the driver and the server report, as one line with the cause and one with the way out. */
import {
  type Document,
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
import { maskUri } from '../config/mask.js';
import type { ConnectionSettings } from '../config/settings.js';
import { PERCENT_ENCODE, parseUri } from '../config/uri.js';
import { ExitStatus, SeedError } from '../errors.js';
import { explainTooManyFiles } from '../system/files.js';

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

/** A failure of the socket itself. The driver lets one through as it is when a connection ends while a message is written. */
export function isSocketError(error: unknown): boolean {
  return error instanceof Error && SOCKET_CODES.has(String((error as NodeJS.ErrnoException).code));
}

/** Turns any failure of a database operation into the {@link SeedError} a user can act on; others pass unchanged. */
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

/** The same for a connection that is not there yet: whatever else the driver complains of are its settings. */
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

// What a server refuses, by its error codes: one line with the cause, one with the way out, and the exit status.

const UNAUTHORIZED = 13;
const AUTHENTICATION_FAILED = 18;
const MECHANISM_UNAVAILABLE = 334;
/** Any error that Atlas itself makes: its text tells which. */
const ATLAS = 8000;
const OUT_OF_DISK = 14031;
const MAJORITY_READS_OFF = 148;
const DATABASE_DIFFERS_IN_CASE = 13297;
const INVALID_NAMESPACE = 73;
const BAD_VALUE = 2;
/** Of a write concern: a name that the set does not know, and more members than it has. */
const WRITE_CONCERNS = new Set([79, 100]);
/** Starting up, shutting down, or no primary. */
const NOT_NOW = new Set([91, 189, 10058, 10107, 11600, 11602, 13435, 13436]);

const USER_WRITES_BLOCKED = 371;
const NO_QUERY_PLANS = 291;

/** What is the matter with a server that blocks all writes, and the way out. */
export const WRITES_BLOCKED = [
  'the server blocks the writes of users (setUserWriteBlockMode)',
  'have an administrator run db.adminCommand({ setUserWriteBlockMode: 1, global: false })',
] as const;

/** The same of one that answers no query for which it has no index. */
export const NO_SCANS = [
  'the server refuses to scan collections (notablescan)',
  'have an administrator run db.adminCommand({ setParameter: 1, notablescan: false })',
] as const;

/** A server, or the system below it, that is full. */
export const STORAGE_FULL = /no space left|disk ?full|ENOSPC|OutOfDiskSpace/i;

const GIVE_USER =
  'name the user with --username or MONGODB_USERNAME, and give the password in MONGODB_PASSWORD or MONGODB_PASSWORD_FILE';

/** @param message the error's, as one line */
export function explainRefusal(
  error: MongoServerError,
  message: string,
  connection: ConnectionSettings,
): SeedError {
  const made = (status: ExitStatus, cause: string, remedy: string) =>
    new SeedError(status, cause, remedy, { cause: error });
  const code = Number(error.code);
  const kind = code === ATLAS ? atlasKind(message) : code;
  const where = maskUri(connection.uri);
  if (kind === OUT_OF_DISK || STORAGE_FULL.test(message)) {
    const what = code === ATLAS ? 'the quota of the cluster is used up' : 'the server has no disk space left';
    return made(
      ExitStatus.outOfSpace,
      `${what}: ${message}`,
      'make room (or --clean, or fewer --days), then continue with --resume',
    );
  }
  if (kind === AUTHENTICATION_FAILED) {
    return made(ExitStatus.authentication, `authentication failed at ${where}`, checkCredentials(connection));
  }
  if (kind === MECHANISM_UNAVAILABLE || /^Unsupported mechanism/i.test(message)) {
    return made(
      ExitStatus.authentication,
      `authentication failed at ${where}: ${message}`,
      'leave out authMechanism: the server then says which ones it knows',
    );
  }
  if (kind === UNAUTHORIZED) {
    if (!namesUser(connection)) {
      return made(
        ExitStatus.authentication,
        `the server at ${where} requires a user, and none was given`,
        GIVE_USER,
      );
    }
    return made(
      ExitStatus.authentication,
      `not allowed on database ${connection.database}: ${withoutCommand(message)}`,
      'the user needs the readWrite role on this database',
    );
  }
  if (code === USER_WRITES_BLOCKED) return made(ExitStatus.targetNotReady, ...WRITES_BLOCKED);
  if (code === NO_QUERY_PLANS && /notablescan/.test(message)) {
    return made(ExitStatus.targetNotReady, ...NO_SCANS);
  }
  if (WRITE_CONCERNS.has(code) && isOfServer(error)) {
    return made(
      ExitStatus.targetNotReady,
      `the server cannot meet its own default write concern: ${message}`,
      'add w=majority to the connection string, or have an administrator change it with setDefaultRWConcern',
    );
  }
  if (WRITE_CONCERNS.has(code) || (code === BAD_VALUE && /cannot use (?:non-majority )?'w'/.test(message))) {
    return made(
      ExitStatus.usage,
      `the server cannot meet the write concern: ${message}`,
      'change --write-concern (or w in the connection string), or leave it out',
    );
  }
  if (code === MAJORITY_READS_OFF) {
    return made(
      ExitStatus.usage,
      `the server does not know readConcernLevel=majority: ${message}`,
      'leave readConcernLevel out of the connection string',
    );
  }
  if (code === DATABASE_DIFFERS_IN_CASE) {
    return made(
      ExitStatus.usage,
      `the name of database ${connection.database} differs by upper and lower case alone from one that is there: ${message}`,
      'spell it with --database as it is there, or take another name',
    );
  }
  if (code === INVALID_NAMESPACE && /database/i.test(message)) {
    return made(
      ExitStatus.usage,
      `the server does not take the database name ${connection.database}: ${message}`,
      'take another name with --database',
    );
  }
  if (NOT_NOW.has(code)) {
    return made(
      ExitStatus.cannotConnect,
      `the server at ${where} takes no writes or reads now: ${message}`,
      'it is starting, stopping, or no primary: name all members of its replica set, without directConnection=true; --wait 60 waits for it',
    );
  }
  return made(ExitStatus.failure, `the server refused: ${message}`, '');
}

/** Whether a write concern that is not met was the server's own choice. */
function isOfServer({ errorResponse }: MongoServerError): boolean {
  const { errInfo, writeConcernError } = (errorResponse ?? {}) as Document;
  const info = errInfo ?? writeConcernError?.errInfo;
  return info?.writeConcern?.provenance === 'customDefault';
}

/** The code that a server of one's own would have sent. */
function atlasKind(message: string): number {
  if (/quota|already using \d+ \w+ of \d+/i.test(message)) return OUT_OF_DISK;
  if (/bad auth|authentication failed/i.test(message)) return AUTHENTICATION_FAILED;
  if (/not allowed|not authorized|unauthorized|requires authentication/i.test(message)) return UNAUTHORIZED;
  return ATLAS;
}

function namesUser({ uri }: ConnectionSettings): boolean {
  const parts = parseUri(uri);
  return parts?.username !== undefined || /[?&]authMechanism=/i.test(uri);
}

function checkCredentials({ opening }: ConnectionSettings): string {
  const check = 'check MONGODB_USERNAME, MONGODB_PASSWORD and MONGODB_AUTH_SOURCE';
  if (!opening?.passwordInUri) return check;
  return `${check}, or what the connection string says instead: ${PERCENT_ENCODE}`;
}

/** The server quotes the whole command, with all that is sent along: its name tells enough. */
function withoutCommand(message: string): string {
  return message.replace(/ to execute command \{\s*"?(\w+)"?\s*:.*$/s, ' to execute command $1');
}
