/** A load in a process of its own, to be disturbed while it runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { type Db, MongoClient } from 'mongodb';
import { CLI_ENTRY, type CliResult, RUNTIME } from './cli.js';
import { loadFlags, type Place, placeFlags } from './dataset.js';
import { SLOW_INSERTS, until } from './server.js';

export interface RunningOptions {
  readonly env?: Readonly<Record<string, string>>;
  /**
   * What its standard output is connected to: a pipe that is read unless something else is given.
   */
  readonly stdout?: 'pipe' | 'ignore' | number;
  /**
   * After this long the program is killed. Default: two minutes, more than any of these loads may
   * take.
   */
  readonly timeoutMs?: number;
}

export class RunningLoad {
  stdout = '';
  stderr = '';
  /** True where it had to be killed because it took too long. */
  hung = false;
  readonly ended: Promise<CliResult>;
  readonly child: ChildProcess;

  constructor(
    args: readonly string[],
    { env = {}, stdout = 'pipe', timeoutMs = 120_000 }: RunningOptions = {},
  ) {
    const { PATH = '', HOME = '' } = process.env;
    this.child = spawn(RUNTIME, [CLI_ENTRY, ...args], {
      env: { PATH, HOME, ...env },
      cwd: tmpdir(),
      stdio: ['ignore', stdout, 'pipe'],
    });
    const limit = setTimeout(() => {
      this.hung = true;
      this.child.kill('SIGKILL');
    }, timeoutMs);
    // A load must not outlive the test that started it.
    const end = () => this.child.kill('SIGKILL');
    process.once('exit', end);
    this.child.once('exit', () => {
      clearTimeout(limit);
      process.removeListener('exit', end);
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (status, signal) =>
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr }),
      );
    });
  }

  /** Starts `load --json` with these flags. */
  static load(place: Place, flags: readonly string[], options?: RunningOptions): RunningLoad {
    return new RunningLoad(loadFlags(place, '--json', ...flags), options);
  }

  /** Starts `load --resume --json`. */
  static resume(place: Place, flags: readonly string[] = [], options?: RunningOptions): RunningLoad {
    return new RunningLoad(
      ['load', ...placeFlags(place), '--resume', '--json', '--log-file', '/dev/null', ...flags],
      options,
    );
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until the program has printed something. */
  async untilPrinted(pattern: RegExp): Promise<void> {
    await until(`the load prints ${pattern}`, async () => this.hasEnded || pattern.test(this.stderr));
    if (!pattern.test(this.stderr)) throw new Error(`ended without ${pattern}: ${this.stderr}`);
  }
}

/** Waits until a load has checkpointed so many shards. `uri` reaches the server past any proxy. */
export async function untilShards(
  running: RunningLoad,
  uri: string,
  database: string,
  shards: number,
): Promise<void> {
  const done = (db: Db) => db.collection('seed_shards').estimatedDocumentCount();
  await untilStored(
    running,
    { uri, database },
    `${shards} shards are done`,
    async (db) => (await done(db)) >= shards,
  );
}

/**
 * Begins a load and kills it once so many shards are done, on a server whose inserts can be held up
 * (`enableTestCommands`).
 */
export async function killAfterShards(
  client: MongoClient,
  place: Place,
  flags: readonly string[],
  shards: number,
): Promise<void> {
  const admin = client.db('admin');
  await admin.command({ configureFailPoint: 'failCommand', ...SLOW_INSERTS });
  const running = RunningLoad.load(place, flags);
  try {
    await untilShards(running, place.uri, place.database, shards);
    running.kill('SIGKILL');
    await running.ended;
  } finally {
    await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
  }
}

/** Waits until a load has taken hold of the database. */
export async function untilBegun(running: RunningLoad, place: Place): Promise<void> {
  const held = (db: Db) =>
    db.collection('seed_runs').countDocuments({ active: true, pid: running.child.pid });
  await untilStored(running, place, 'the run has begun', async (db) => (await held(db)) > 0);
}

/** Fails at once where the load has ended before. */
async function untilStored(
  running: RunningLoad,
  { uri, database }: Place,
  what: string,
  condition: (db: Db) => Promise<boolean>,
): Promise<void> {
  const client = new MongoClient(uri);
  const holds = () => condition(client.db(database)).catch(() => false);
  try {
    await until(what, async () => running.hasEnded || (await holds()));
    if (running.hasEnded && !(await holds())) throw new Error(`ended before ${what}: ${running.stderr}`);
  } finally {
    await client.close();
  }
}
