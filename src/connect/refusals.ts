/** Why a server has refused a command, and what would help. */
import type { Document, MongoServerError } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { maskUri, PERCENT_ENCODE, parseUri } from '../config/uri.js';
import { ExitStatus, SeedError } from '../errors.js';

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

const NOT_FOUND = 26;
/** Of a database that is being dropped. */
const DROP_PENDING = 215;
const USER_WRITES_BLOCKED = 371;

const NO_QUERY_PLANS = 291;

/** What is the matter with a server that blocks all writes, and the way out. */
export const WRITES_BLOCKED = [
  'the server blocks the writes of users (setUserWriteBlockMode)',
  'have an administrator run db.adminCommand({ setUserWriteBlockMode: 1, global: false })',
] as const;

/** The same of one that is locked by fsyncLock, as before a backup of its files. */
export const LOCKED = [
  'the server takes no writes: it is locked by fsyncLock',
  'wait until the backup that locked it is done, or have an administrator run db.fsyncUnlock()',
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
  if (code === DROP_PENDING || (code === NOT_FOUND && /buckets collection/i.test(message))) {
    return made(
      ExitStatus.targetNotReady,
      `somebody dropped ${code === DROP_PENDING ? 'the database' : 'metrics'} while it was loaded: ${message}`,
      'load again with --clean --yes',
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
