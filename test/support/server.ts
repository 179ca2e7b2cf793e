/**
 * A mongod of a test's own, or a replica set of them, on loopback with a temporary data directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { obtainBinary } from '../../src/embedded/binary.js';

/** The user of a server started with `auth`, in the database `admin`, with the role `root`. */
export const ROOT = { user: 'admin', password: 'secret' } as const;

export interface TestServerOptions {
  /** Access control on, with {@link ROOT}. */
  readonly auth?: boolean;
  /** `true`: a replica set of one; a number: of that many members. */
  readonly replicaSet?: boolean | number;
  /**
   * Each insert command waits {@link SLOW_INSERTS} first: for loads that must still run when they
   * are disturbed, on any machine.
   */
  readonly slowInserts?: boolean;
  /** It cannot take writes, and nobody waits until it does. */
  readonly unready?: boolean;
  /** Further options of mongod. */
  readonly args?: readonly string[];
  /** Default: a temporary one. It is the first member's, is kept by `stop`, and must exist. */
  readonly dataDirectory?: string;
}

export interface TestServer {
  /** Connection string, with credentials where there are any, without a database. */
  readonly uri: string;
  /** The same without credentials. */
  readonly plainUri: string;
  /** Of the first member. */
  readonly port: number;
  /** Of the first member, now: a restart changes it. */
  readonly pid: number;
  readonly dataDirectory: string;
  /** The members' ports, for tests that stop one of several. */
  readonly ports: readonly number[];
  /**
   * Sends every member (or one) a signal and waits until it is gone, unless the signal is SIGSTOP
   * or SIGCONT.
   */
  kill(signal: NodeJS.Signals, member?: number): Promise<void>;
  /**
   * Starts every member that is down on its port and data, and waits until the server answers (a
   * set: has a primary).
   */
  restart(): Promise<void>;
  /** Ends every member and removes what was temporary. */
  stop(): Promise<void>;
}

/**
 * Setting of the fail point `failCommand`: a load of two days takes a second or more, however fast
 * the machine is.
 */
export const SLOW_INSERTS = {
  mode: 'alwaysOn',
  data: { failCommands: ['insert'], blockConnection: true, blockTimeMS: 20 },
} as const;

/** A parameter rather than a command, so that it outlives a restart. */
const SLOW_INSERT_ARGS = [
  ...['--setParameter', 'enableTestCommands=1'],
  ...['--setParameter', `failpoint.failCommand=${JSON.stringify(SLOW_INSERTS)}`],
];

const START_TIMEOUT_MS = 60_000;
const SET_NAME = 'test';

interface Member {
  readonly port: number;
  readonly dataDirectory: string;
  process: ChildProcess | undefined;
}

/** Starts a server and waits until it takes writes. Call `stop` in the end, whatever happens. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { path } = await obtainBinary((message) => process.stderr.write(`${message}\n`));
  const scratch = await mkdtemp(join(tmpdir(), 'seed-database-test-'));
  const count = Number(options.replicaSet ?? 0);
  const members: Member[] = [];
  for (let index = 0; index < Math.max(1, count); index++) {
    const own = index === 0 ? options.dataDirectory : undefined;
    const dataDirectory = own ?? join(scratch, `member-${index}`);
    await mkdir(dataDirectory, { recursive: true });
    members.push({ port: await freePort(), dataDirectory, process: undefined });
  }
  const keyFile = join(scratch, 'key');
  if (options.auth) await writeFile(keyFile, randomBytes(96).toString('base64'), { mode: 0o400 });
  const server = new RunningTestServer(path, members, options, count > 0, keyFile, scratch);
  try {
    await server.begin();
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

class RunningTestServer implements TestServer {
  readonly uri: string;
  readonly plainUri: string;

  constructor(
    private readonly binary: string,
    private readonly members: readonly Member[],
    private readonly options: TestServerOptions,
    private readonly isSet: boolean,
    private readonly keyFile: string,
    private readonly scratch: string,
  ) {
    const hosts = members.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const query = isSet ? `replicaSet=${SET_NAME}` : '';
    this.plainUri = `mongodb://${hosts}/?${query}`.replace(/\/\?$/, '/');
    const credentials = `${ROOT.user}:${ROOT.password}@`;
    const authSource = `${query ? '&' : ''}authSource=admin`;
    this.uri = options.auth ? `mongodb://${credentials}${hosts}/?${query}${authSource}` : this.plainUri;
  }

  get port(): number {
    return this.members[0].port;
  }

  get ports(): readonly number[] {
    return this.members.map(({ port }) => port);
  }

  get pid(): number {
    return this.members[0].process?.pid ?? 0;
  }

  get dataDirectory(): string {
    return this.members[0].dataDirectory;
  }

  async begin(): Promise<void> {
    await Promise.all(this.members.map((member) => this.launch(member)));
    // The first user and the first configuration may be made from the same host without
    // credentials.
    await this.withFirst(async (client) => {
      const admin = client.db('admin');
      if (this.isSet) {
        await admin.command({
          replSetInitiate: {
            _id: SET_NAME,
            members: this.members.map(({ port }, _id) => ({
              _id,
              host: `127.0.0.1:${port}`,
              priority: _id ? 1 : 2,
            })),
            settings: { electionTimeoutMillis: 2000 },
          },
        });
        await until(
          'the first member is primary',
          async () => (await admin.command({ hello: 1 })).isWritablePrimary,
        );
      }
      if (this.options.auth) {
        await admin.command({ createUser: ROOT.user, pwd: ROOT.password, roles: ['root'] });
      }
    });
    if (!this.options.unready) await this.takesWrites();
  }

  async kill(signal: NodeJS.Signals, member?: number): Promise<void> {
    const chosen = member === undefined ? this.members : [this.members[member]];
    await Promise.all(
      chosen.map(async (one) => {
        const child = one.process;
        if (child === undefined || hasEnded(child)) return;
        child.kill(signal);
        if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
        await once(child, 'exit');
        one.process = undefined;
      }),
    );
  }

  async restart(): Promise<void> {
    const down = this.members.filter(({ process: child }) => child === undefined || hasEnded(child));
    await Promise.all(down.map((member) => this.launch(member)));
    await this.takesWrites();
  }

  async stop(): Promise<void> {
    await this.kill('SIGKILL');
    await rm(this.scratch, { recursive: true, force: true });
  }

  private async launch(member: Member): Promise<void> {
    const { auth, slowInserts, args = [] } = this.options;
    const child = spawn(
      this.binary,
      [
        ...['--port', String(member.port), '--dbpath', member.dataDirectory, '--bind_ip', '127.0.0.1'],
        ...['--wiredTigerCacheSizeGB', '0.5', '--nounixsocket'],
        ...['--setParameter', 'diagnosticDataCollectionEnabled=false'],
        ...(this.isSet ? ['--replSet', SET_NAME, '--oplogSize', '990'] : []),
        ...(slowInserts ? SLOW_INSERT_ARGS : []),
        ...(auth ? ['--auth'] : []),
        ...(auth && this.isSet ? ['--keyFile', this.keyFile] : []),
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    member.process = child;
    let log = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4000);
    });
    // A test that dies without `stop` must not leave its server behind.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.removeListener('exit', end));
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await answers(member.port))) {
      if (hasEnded(child) || Date.now() > deadline) throw new Error(`mongod did not start: ${log}`);
    }
  }

  private async takesWrites(): Promise<void> {
    const client = new MongoClient(this.uri, { serverSelectionTimeoutMS: START_TIMEOUT_MS });
    try {
      await client.db('admin').command({ ping: 1 }); // waits for a primary where there is a set
    } finally {
      await client.close();
    }
  }

  private async withFirst(work: (client: MongoClient) => Promise<void>): Promise<void> {
    const client = new MongoClient(`mongodb://127.0.0.1:${this.port}/?directConnection=true`);
    try {
      await work(client);
    } finally {
      await client.close();
    }
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(port: number): Promise<boolean> {
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 200, connectTimeoutMS: 200 });
  try {
    await client.db('admin').command({ hello: 1 });
    return true;
  } catch {
    await sleep(25);
    return false;
  } finally {
    await client.close();
  }
}

/** Waits until `condition` holds, looking every 25 ms. */
export async function until(what: string, condition: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${START_TIMEOUT_MS / 1000} s in vain until ${what}`);
    await sleep(25);
  }
}
