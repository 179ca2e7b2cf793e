/**
 * The first contact with a server. The driver tries until its time-out and then says how long it
 * has tried; this looks at what is there meanwhile, gives up where waiting cannot help, and says
 * why.
 */
import {
  type MongoClient,
  MongoServerSelectionError,
  type ServerDescription,
  type TopologyDescription,
  type TopologyDescriptionChangedEvent,
} from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { SeedError } from '../errors.js';
import { whoAnswers } from '../system/who-answers.js';
import { type Found, noContact, outlook } from './no-contact.js';

/**
 * Nothing listens there, nobody knows the name, or no way leads there: waiting for the time-out
 * would not help.
 */
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
