/** Everything that is done to a load while it runs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { load, type Place } from '../test/support/dataset.js';
import type { TcpProxy } from '../test/support/proxy.js';
import { RunningLoad } from '../test/support/running.js';
import type { TestServer } from '../test/support/server.js';
import type { Chance } from './chance.js';

/**
 * A server's keep-alive, for a soak: more than the loader's socket time-out, which is three
 * seconds.
 */
const KEEP_ALIVE_MS = 6_000;

/** What a fault can get hold of. */
export interface Scene {
  readonly server: TestServer;
  /** Between the loader and a single server; a replica set's members are reached directly. */
  readonly proxy: TcpProxy | undefined;
  /** Past the proxy. */
  readonly place: Place;
  readonly running: RunningLoad;
  readonly chance: Chance;
}

/** Resolves when the fault is over, or when it has no more to do with it. */
export type Fault = (scene: Scene) => Promise<void>;

/** Faults of any target. */
const LOADER: Readonly<Record<string, Fault>> = {
  'loader SIGKILL': killLoader('SIGKILL'),
  'loader SIGINT': killLoader('SIGINT'),
  'loader SIGTERM': killLoader('SIGTERM'),
  'loader SIGHUP': killLoader('SIGHUP'),
  'loader stopped for a while': async ({ running, chance }) => {
    running.kill('SIGSTOP');
    await sleep(chance.between(200, 1500));
    running.kill('SIGCONT');
  },
  'standard output closed': async ({ running }) => {
    running.child.stdout?.destroy();
    running.child.stderr?.destroy();
  },
  'a second loader at once': async ({ place, chance }) => {
    const how = chance.one([[], ['--resume'], ['--clean'], ['--skip-cleanup']]);
    // A run that is resumed has its own seed and period.
    const second = how.includes('--resume') ? RunningLoad.resume(place).ended : load(place, how);
    const { status, stderr } = await second;
    // The first one may just have ended, and then there is nobody to refuse the second for.
    if (status !== 5 && status !== 0) throw new Error(`the second loader ended with ${status}: ${stderr}`);
  },
};

/** Faults of one server behind a proxy. */
const SINGLE: Readonly<Record<string, Fault>> = {
  ...LOADER,
  'connections cut': async ({ proxy }) => proxy?.cut(),
  'cut in the middle of a message': async ({ proxy, running, chance }) => {
    await Promise.race([proxy?.cutAfter(chance.whole(100, 600_000)), running.ended, sleep(2000)]);
  },
  'connections stalled': async ({ proxy, running }) => {
    proxy?.stall();
    // Long after the loader has given such a connection up, the server finds out: here after
    // seconds, not minutes.
    void Promise.race([sleep(KEEP_ALIVE_MS), running.ended]).then(() => proxy?.cutStalled());
  },
  'server out of reach': async ({ proxy, chance }) => {
    proxy?.refuse();
    await sleep(chance.between(50, 2000));
    proxy?.accept();
  },
  'slow network': async ({ proxy, chance }) => {
    proxy?.delay(chance.between(5, 60));
    await sleep(chance.between(200, 1500));
    proxy?.delay(0);
  },
  'server SIGKILL': restartServer('SIGKILL'),
  'server SIGTERM': restartServer('SIGTERM'),
  'server stopped for a while': async ({ server, chance }) => {
    await server.kill('SIGSTOP');
    await sleep(chance.between(200, 2500));
    await server.kill('SIGCONT');
  },
  'write that outlives its connection': async ({ server, place, proxy, running, chance }) => {
    const data = { failCommands: ['insert'], namespace: `${place.database}.metrics`, blockConnection: true };
    const mode = { times: chance.whole(1, 4) };
    await failPoint(server, mode, { ...data, blockTimeMS: chance.whole(100, 1500) });
    await Promise.race([sleep(chance.between(20, 150)), running.ended]);
    proxy?.cut();
  },
  'disk full': async ({ server, running }) => {
    await failPoint(server, 'alwaysOn', { failCommands: ['insert'], errorCode: 14031 });
    await Promise.race([running.ended, sleep(3000)]);
    await failPoint(server, 'off', {});
  },
};

/** Faults of a replica set of three. */
const SET: Readonly<Record<string, Fault>> = {
  ...LOADER,
  'primary stepped down': async ({ server }) => {
    const command = { replSetStepDown: 5, secondaryCatchUpPeriodSecs: 2, force: true };
    await onPrimary(server, (client) => client.db('admin').command(command)).catch(() => undefined);
  },
  'primary SIGKILL': async ({ server, chance }) => {
    const port = await onPrimary(server, async (_, port) => port);
    await server.kill('SIGKILL', server.ports.indexOf(port));
    await sleep(chance.between(0, 3000));
    await server.restart();
  },
  'secondary SIGKILL': async ({ server, chance }) => {
    const port = await onPrimary(server, async (_, port) => port);
    const secondary = chance.one(server.ports.filter((one) => one !== port));
    await server.kill('SIGKILL', server.ports.indexOf(secondary));
    await sleep(chance.between(0, 2000));
    await server.restart();
  },
};

/** Faults of one loader of a shared run; all of them share a line, and what it suffers. */
const PART: Readonly<Record<string, Fault>> = {
  'part SIGKILL': LOADER['loader SIGKILL'],
  'part SIGINT': LOADER['loader SIGINT'],
  'part stopped for a while': LOADER['loader stopped for a while'],
  'all parts cut off': SINGLE['connections cut'],
};

export const FAULTS = { single: SINGLE, set: SET, part: PART } as const;

function killLoader(signal: NodeJS.Signals): Fault {
  return async ({ running }) => {
    running.kill(signal);
    await running.ended;
  };
}

function restartServer(signal: NodeJS.Signals): Fault {
  return async ({ server, chance }) => {
    await server.kill(signal);
    await sleep(chance.between(0, 1000));
    await server.restart();
  };
}

async function failPoint(server: TestServer, mode: unknown, data: object): Promise<void> {
  const client = new MongoClient(server.uri);
  try {
    await client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });
  } finally {
    await client.close();
  }
}

async function onPrimary<T>(
  server: TestServer,
  use: (client: MongoClient, port: number) => Promise<T>,
): Promise<T> {
  const seeker = new MongoClient(server.uri);
  try {
    const { primary } = await seeker.db('admin').command({ hello: 1 });
    const port = Number(String(primary).split(':')[1]);
    const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`);
    try {
      return await use(client, port);
    } finally {
      await client.close();
    }
  } finally {
    await seeker.close();
  }
}
