/** Why a server cannot be used, by what was found at its addresses. */
import type { MongoOptions } from 'mongodb';
import { maskUri } from '../config/mask.js';
import type { ConnectionSettings } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Answer } from '../system/who-answers.js';

/** What is there is no server that can be meant: waiting for another one is in vain. */
export class NotThere extends SeedError {}

/** What was found at an address. */
export interface Found {
  readonly address: string;
  /** False for one that only the servers themselves have named. */
  readonly given: boolean;
  /** The driver's. */
  readonly error: Error | undefined;
  readonly answer: Answer;
}

type Asked = Pick<MongoOptions, 'replicaSet' | 'tls' | 'readPreference' | 'directConnection'>;

/** MongoDB 4.4, the oldest that the driver speaks with. */
const OLDEST_WIRE_VERSION = 9;

/**
 * `vain`: it will not be the server that is meant, however long one waits; `poor`: it hardly will;
 * `open`: it may yet, if it is just starting; `good`: the driver knows better.
 */
export function outlook({ answer }: Found, asked: Asked): 'vain' | 'poor' | 'open' | 'good' {
  switch (answer.kind) {
    case 'foreign':
    case 'tls':
      return answer.kind === 'tls' && asked.tls ? 'good' : 'vain';
    case 'silent':
      return 'poor';
    case 'closes':
      return 'open';
    case 'nobody':
      return 'good';
    case 'mongodb': {
      const { hello, tls } = answer;
      if (isTooOld(answer) || tls !== Boolean(asked.tls)) return 'vain';
      if (hello.isreplicaset) return 'open';
      return isOtherSet(answer, asked) ? 'vain' : 'good';
    }
  }
}

/** The failure in words; undefined where the driver's own say as much. */
export function noContact(
  found: readonly Found[],
  connection: ConnectionSettings,
  asked: Asked,
): SeedError | undefined {
  for (const one of found) {
    const cause = causeOf(one, connection, asked);
    if (cause) return cause;
  }
  return withoutMembers(found, connection) ?? withoutPrimary(found, connection, asked);
}

type Kind<K extends Answer['kind']> = Extract<Answer, { kind: K }>;

function isTooOld({ hello }: Kind<'mongodb'>): boolean {
  return Number(hello.maxWireVersion ?? 0) < OLDEST_WIRE_VERSION;
}

function isOtherSet({ hello }: Kind<'mongodb'>, { replicaSet }: Asked): boolean {
  return Boolean(replicaSet) && hello.setName !== replicaSet;
}

function causeOf(
  { address, answer }: Found,
  connection: ConnectionSettings,
  asked: Asked,
): SeedError | undefined {
  const cannotConnect = (cause: string, remedy: string) =>
    new SeedError(ExitStatus.cannotConnect, `${cannotConnectTo(connection)}: ${cause}`, remedy);
  const notThere = (cause: string, remedy: string) =>
    new NotThere(ExitStatus.cannotConnect, `${cannotConnectTo(connection)}: ${cause}`, remedy);
  switch (answer.kind) {
    case 'foreign':
      return notThere(
        `what listens on ${address} does not speak MongoDB's protocol; it answers like ${answer.like}`,
        elsewhere(connection),
      );
    case 'silent':
      return cannotConnect(
        `what listens on ${address} accepts connections and says nothing`,
        `if it is a MongoDB server, it hangs; if not, ${elsewhere(connection)}`,
      );
    case 'closes':
      return cannotConnect(
        `what listens on ${address} closes every connection at once`,
        'a MongoDB server does so at its limit of connections (net.maxIncomingConnections): close other clients, or raise it; --wait 60 waits for one that is still starting',
      );
    case 'tls':
      return asked.tls ? undefined : notThere(`${address} takes TLS connections only`, USE_TLS);
    case 'nobody':
      return undefined;
    case 'mongodb':
      break;
  }
  const { hello, tls } = answer;
  if (isTooOld(answer)) {
    return new SeedError(
      ExitStatus.targetNotReady,
      `the server at ${address} is too old: it is older than MongoDB 4.4`,
      'use MongoDB 4.4 or later; the time-series layout needs 5.0',
    );
  }
  if (tls && !asked.tls) return notThere(`${address} takes TLS connections only`, USE_TLS);
  if (!tls && asked.tls) {
    return notThere(
      `the server at ${address} does not speak TLS`,
      'set MONGODB_SSL_ENABLED=false, or tls=false in the connection string, if it is meant to speak in clear',
    );
  }
  if (hello.isreplicaset) {
    return cannotConnect(
      `the replica set of ${address} is not initiated`,
      "initiate it (mongosh --eval 'rs.initiate()'); --wait 60 waits until somebody does",
    );
  }
  if (isOtherSet(answer, asked)) {
    const { setName } = hello;
    const is = setName ? `belongs to the replica set "${setName}"` : 'is no member of a replica set';
    return new SeedError(
      ExitStatus.usage,
      `the server at ${address} ${is}, and replicaSet=${asked.replicaSet} was asked for`,
      setName
        ? `give replicaSet=${encodeURIComponent(setName)}, or leave it out (MONGODB_REPLICA_SET, or replicaSet in the connection string)`
        : 'leave it out (MONGODB_REPLICA_SET, or replicaSet in the connection string)',
    );
  }
  return undefined;
}

function cannotConnectTo({ uri }: ConnectionSettings): string {
  return `cannot connect to MongoDB at ${maskUri(uri)}`;
}

const USE_TLS =
  'set MONGODB_SSL_ENABLED=true, or tls=true in the connection string; MONGODB_SSL_CA_PATH names an authority of your own';

function elsewhere({ origin }: ConnectionSettings): string {
  if (origin === 'named') return 'check that --uri, or --host and --port, name the MongoDB server';
  return 'name a server with --uri, or --host and --port; or stop what uses the port, and a server of the program itself is started';
}

/** A set tells its members' names, and those are used from then on. */
function withoutMembers(found: readonly Found[], connection: ConnectionSettings): SeedError | undefined {
  const theirs = found.filter(({ given }) => !given);
  if (theirs.length === 0 || !found.every(({ answer }) => answer.kind === 'nobody')) return undefined;
  const names = theirs.map(({ address }) => address).join(', ');
  const reason = theirs[0].error ? `: ${theirs[0].error.message}` : '';
  return new SeedError(
    ExitStatus.cannotConnect,
    `${cannotConnectTo(connection)}: its replica set calls its members ${names}, which cannot be reached from here${reason}`,
    'make these names known here (/etc/hosts), or give the address of the primary and add directConnection=true to the connection string',
  );
}

function withoutPrimary(
  found: readonly Found[],
  connection: ConnectionSettings,
  { readPreference, directConnection }: Asked,
): SeedError | undefined {
  const members = found.flatMap(({ answer }) =>
    answer.kind === 'mongodb' && answer.hello.setName ? [answer.hello] : [],
  );
  if (members.length === 0 || directConnection) return undefined;
  const where = cannotConnectTo(connection);
  if (!members.some(({ ismaster }) => ismaster)) {
    return new SeedError(
      ExitStatus.cannotConnect,
      `${where}: the replica set "${members[0].setName}" has no primary`,
      'see rs.status() in mongosh: an election needs a majority of the members; --wait 60 waits for one',
    );
  }
  const { mode } = readPreference;
  if (mode === 'primary' || mode === 'primaryPreferred') return undefined;
  return new SeedError(
    ExitStatus.cannotConnect,
    `${where}: no member of the replica set fits readPreference=${mode}`,
    'take another readPreference, or leave it out',
  );
}
