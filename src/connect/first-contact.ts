/**
 * The first contact with a server. The driver tries until its time-out and then says how long it
 * has tried; this looks at what is there meanwhile, gives up where waiting cannot help, and says
 * why.
 */
import {
  type MongoClient,
  type MongoOptions,
  MongoServerSelectionError,
  type ServerDescription,
  type TopologyDescription,
  type TopologyDescriptionChangedEvent,
} from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { maskUri } from '../config/uri.js';
import { ExitStatus, SeedError } from '../errors.js';
import { type Answer, whoAnswers } from '../system/who-answers.js';

/** Nobody listens there, knows the name, or leads there: waiting for the time-out is in vain. */
const HOPELESS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT', 'EACCES']);

/** When to look again at what may have been about to start. */
const SECOND_LOOK_MS = 4_000;

/**
 * Connects. Where the user chose a time-out, only what is no MongoDB server at all ends it earlier.
 * @throws SeedError where the cause is known, and the driver's errors
 */
export async function makeContact(client: MongoClient, connection: ConnectionSettings): Promise<void> {
  const patient = connection.opening?.patient ?? false;
  // Before the driver does: a connection of its own that nobody answers would hold the program up.
  const vain = await refusedBeforehand(client, patient);
  const known = vain && noContact(vain, connection, client.options);
  if (known) throw known;
  let seen: TopologyDescription | undefined;
  let stopped = false;
  const timers: NodeJS.Timeout[] = [];
  let listener: ((event: TopologyDescriptionChangedEvent) => void) | undefined;
  const explained = async () => noContact(await findOut(client, seen), connection, client.options);
  const givenUp = new Promise<never>((_, reject) => {
    const look = async (isLast: boolean) => {
      const found = await findOut(client, seen);
      if (stopped) return;
      const outlooks = found.map((one) => outlook(one, client.options));
      const isVain = outlooks.every(
        (one) => one === 'vain' || (!patient && (one === 'poor' || (isLast && one === 'open'))),
      );
      const cause = isVain ? noContact(found, connection, client.options) : undefined;
      if (cause) reject(cause);
    };
    let looked = false;
    listener = ({ newDescription }) => {
      seen = newDescription;
      const hosts = [...newDescription.servers.values()];
      if (hosts.length === 0) return;
      if (!patient && hosts.every(isHopeless))
        void explained().then((cause) => reject(cause ?? hosts[0].error));
      else if (!looked && hosts.every(({ error }) => error)) {
        looked = true;
        void look(false);
      }
    };
    client.on('topologyDescriptionChanged', listener);
    timers.push(setTimeout(() => void look(true), SECOND_LOOK_MS));
  });
  try {
    await Promise.race([client.connect(), givenUp]);
  } catch (error) {
    stopped = true;
    if (error instanceof SeedError || !(error instanceof MongoServerSelectionError)) throw error;
    throw (await explained()) ?? error;
  } finally {
    stopped = true;
    for (const timer of timers) clearTimeout(timer);
    if (listener) client.off('topologyDescriptionChanged', listener);
  }
}

/**
 * What was found, where none of the addresses that were given can be that of a server; undefined
 * where one may be.
 */
async function refusedBeforehand(
  client: MongoClient,
  patient: boolean,
): Promise<readonly Found[] | undefined> {
  const { hosts, tls } = client.options;
  if (hosts.length === 0) return undefined;
  const found: Found[] = [];
  const looks = hosts.map(async (host) => {
    const one = {
      address: host.toString(),
      error: undefined,
      given: true,
      answer: await whoAnswers(host, Boolean(tls)),
    };
    const prospect = outlook(one, client.options);
    if (prospect !== 'vain' && (patient || prospect !== 'poor')) return;
    found.push(one);
    throw new Error('no server');
  });
  // One that may be it is enough, and the others need not be waited for.
  return Promise.any(looks).then(
    () => undefined,
    () => found,
  );
}

/** Every host, with what is there. Those that the driver has learnt of count as well. */
async function findOut(
  client: MongoClient,
  seen: TopologyDescription | undefined,
): Promise<readonly Found[]> {
  const given = client.options.hosts.map((host) => host.toString());
  const learnt = [...(seen?.servers.keys() ?? [])];
  const addresses = learnt.length > 0 ? learnt : given;
  return Promise.all(
    [...new Set(addresses)].map(async (address) => {
      const host = client.options.hosts.find((one) => one.toString() === address) ?? parsed(address);
      const error = seen?.servers.get(address)?.error ?? undefined;
      const answer = await whoAnswers(host, Boolean(client.options.tls));
      return { address, error, given: given.includes(address), answer };
    }),
  );
}

function parsed(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}

function isHopeless({ error }: ServerDescription): boolean {
  const code = (error?.cause as NodeJS.ErrnoException | undefined)?.code;
  return code !== undefined && HOPELESS.has(code);
}

// Why a server cannot be used, by what was found at its addresses.

/** What is there is no server that can be meant: waiting for another one is in vain. */
export class NotThere extends SeedError {}

/** What was found at an address. */
interface Found {
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
function outlook({ answer }: Found, asked: Asked): 'vain' | 'poor' | 'open' | 'good' {
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
function noContact(
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
