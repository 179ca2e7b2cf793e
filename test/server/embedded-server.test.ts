import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { obtainBinary } from '../../src/embedded/binary.js';
import { isAlive, waitForExit } from '../../src/embedded/mongod.js';
import { startEmbeddedServer } from '../../src/embedded/server.js';
import { readState, type ServerState } from '../../src/embedded/state.js';
import { SeedError } from '../../src/errors.js';
import { isListening } from '../../src/system/who-answers.js';
import { runCli, startCli } from '../support/cli.js';
import { fakeMongod, scratchFolder, withEnvironment } from '../support/scratch.js';
import { freePort, until } from '../support/server.js';

const quiet = () => undefined;

/**
 * A data folder of the test's own; the binary is the one the machine has, looked up before anything
 * is hidden.
 */
async function home(context: TestContext): Promise<string> {
  const { path } = await obtainBinary((message) => context.diagnostic(message));
  const folder = await scratchFolder(context);
  const directory = join(folder, 'data');
  withEnvironment(context, { SEED_DATABASE_HOME: directory, MONGOMS_SYSTEM_BINARY: path });
  return directory;
}

async function withCollection<T>(
  uri: string,
  work: (things: ReturnType<ReturnType<MongoClient['db']>['collection']>) => Promise<T>,
): Promise<T> {
  const client = new MongoClient(uri);
  try {
    return await work(client.db('embedded_test').collection('things'));
  } finally {
    await client.close();
  }
}

/** Another process that uses the embedded server until a line arrives on its standard input. */
class OtherProcess {
  readonly child: ChildProcess;
  output = '';

  constructor(context: TestContext, call: string) {
    const module = new URL('../../src/embedded/server.js', import.meta.url);
    const program = `import { startEmbeddedServer } from '${module}';
      const notice = (message) => process.stdout.write(message + '\\n');
      ${call}`;
    this.child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    context.after(() => this.child.kill('SIGKILL'));
  }

  /** One that starts or joins, and stops its use when told. */
  static user(context: TestContext): OtherProcess {
    return new OtherProcess(
      context,
      `const server = await startEmbeddedServer({ notice });
      process.stdout.write('ready ' + server.startedHere + '\\n');
      process.stdin.once('data', async () => { await server.stop(); process.stdin.destroy(); });`,
    );
  }

  says(pattern: RegExp): Promise<void> {
    return until(`the other process says ${pattern}`, async () => {
      if (this.child.exitCode !== null) assert.match(this.output, pattern);
      return pattern.test(this.output);
    });
  }

  /** Its exit status, after the line it waits for (or a signal). */
  async finish(signal?: NodeJS.Signals): Promise<number | null> {
    if (signal === undefined) this.child.stdin?.write('\n');
    else this.child.kill(signal);
    if (this.child.exitCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

async function stateIn(directory: string): Promise<ServerState> {
  const state = await readState(join(directory, 'server.json'));
  assert.ok(state, 'a server runs');
  return state;
}

test('data survive a stop and a start, in private folders', async (context) => {
  const directory = await home(context);
  const first = await startEmbeddedServer({ notice: quiet });
  assert.equal(first.startedHere, true);
  assert.equal(first.dataDirectory, join(directory, 'mongodb'));
  await withCollection(first.uri, (things) => things.insertMany([{ n: 1 }, { n: 2 }]));
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.equal((await stat(first.dataDirectory)).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, 'server.json'))).mode & 0o777, 0o600);
  await first.stop();
  await first.stop(); // the second does nothing
  assert.equal(isAlive(first.pid), false);
  assert.equal(await readState(join(directory, 'server.json')), undefined);

  const start = performance.now();
  const second = await startEmbeddedServer({ notice: quiet });
  const started = performance.now();
  try {
    assert.equal(await withCollection(second.uri, (things) => things.countDocuments()), 2);
  } finally {
    await second.stop();
  }
  context.diagnostic(`restart ${Math.round(started - start)} ms`);
});

test('it listens on loopback only, on the port that was asked', async (context) => {
  await home(context);
  const port = await freePort();
  const server = await startEmbeddedServer({ notice: quiet, port });
  try {
    assert.equal(server.port, port);
    assert.equal(await isListening('127.0.0.1', port), true);
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) assert.equal(await isListening(address, port), false, address);
    const client = new MongoClient(server.uri);
    const options = await client.db('admin').command({ getCmdLineOpts: 1 });
    await client.close();
    assert.equal(options.parsed.net.bindIp, '127.0.0.1');
  } finally {
    await server.stop();
  }
});

test('a port in use is refused by number', async (context) => {
  await home(context);
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  const address = other.address();
  assert.ok(address !== null && typeof address === 'object');
  await assert.rejects(startEmbeddedServer({ notice: quiet, port: address.port }), (error: unknown) => {
    assert.ok(error instanceof SeedError);
    assert.match(error.message, new RegExp(`port ${address.port} is in use`));
    return true;
  });
});

test('a second process joins, and inherits the server when the first one leaves', async (context) => {
  const directory = await home(context);
  const first = OtherProcess.user(context);
  await first.says(/ready true/);
  const state = await stateIn(directory);
  const second = await startEmbeddedServer({ notice: quiet });
  assert.equal(second.startedHere, false);
  assert.equal(second.pid, state.pid);
  await withCollection(second.uri, (things) => things.insertOne({ n: 1 }));

  assert.equal(await first.finish(), 0);
  const inherited = await stateIn(directory);
  assert.deepEqual([inherited.owner, inherited.users], [process.pid, [process.pid]]);
  assert.equal(isAlive(state.guardian), false);
  assert.ok(isAlive(inherited.guardian));
  assert.equal(await withCollection(second.uri, (things) => things.countDocuments()), 1);
  await second.stop();
  assert.equal(isAlive(second.pid), false);
  assert.ok(await waitForExit(inherited.guardian, 5_000));
});

test('two starts at once share one server', async (context) => {
  await home(context);
  const notices: string[] = [];
  const notice = (message: string) => notices.push(message);
  const [one, two] = await Promise.all([startEmbeddedServer({ notice }), startEmbeddedServer({ notice })]);
  assert.equal(one.pid, two.pid);
  assert.deepEqual([one.startedHere, two.startedHere].sort(), [false, true]);
  await one.stop();
  assert.equal(isAlive(two.pid), true);
  await two.stop();
  assert.equal(isAlive(two.pid), false);
});

test('after SIGKILL of its owner mongod ends, and the next start has the data', async (context) => {
  const directory = await home(context);
  const first = OtherProcess.user(context);
  await first.says(/ready true/);
  const left = await stateIn(directory);
  await withCollection(`mongodb://127.0.0.1:${left.port}/`, (things) =>
    things.insertOne({ n: 1 }, { writeConcern: { w: 1, journal: true } }),
  );
  await first.finish('SIGKILL');
  assert.ok(await waitForExit(left.pid, 10_000), 'no orphan stays');

  const second = OtherProcess.user(context);
  await second.says(/ready true/);
  const killed = await stateIn(directory);
  process.kill(second.child.pid ?? 0, 'SIGKILL');
  process.kill(killed.pid, 'SIGKILL'); // both at once, as a power cut
  await waitForExit(killed.pid, 5_000);
  const third = await startEmbeddedServer({ notice: quiet });
  try {
    assert.notEqual(third.pid, killed.pid);
    assert.equal(await withCollection(third.uri, (things) => things.countDocuments()), 1);
  } finally {
    await third.stop();
  }
});

test('serve says its URI, stays up, and ends cleanly on SIGINT, SIGTERM and SIGHUP', async (context) => {
  const directory = await home(context);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const port = await freePort();
    const { SEED_DATABASE_HOME = '', MONGOMS_SYSTEM_BINARY = '' } = process.env;
    const { child, result } = startCli(['serve', '--port', String(port)], {
      env: { SEED_DATABASE_HOME, MONGOMS_SYSTEM_BINARY },
    });
    let said = '';
    child.stdout?.on('data', (text: string) => {
      said += text;
    });
    await until(`${port} is served`, async () => said.includes(`is up at mongodb://127.0.0.1:${port}/`));
    const { pid } = await stateIn(directory);
    assert.equal(await isListening('127.0.0.1', port), true);
    child.kill(signal);
    assert.equal((await result).status, 0);
    assert.equal(isAlive(pid), false);
  }
});

test('a mongod that dies at its start is one line in its own words, with a remedy', async (context) => {
  const directory = await home(context);
  const folder = await scratchFolder(context);
  const line = (fields: object) => `echo '${JSON.stringify({ t: {}, c: 'STORAGE', id: 1, ...fields })}'`;
  const refusal = 'Invalid featureCompatibilityVersion document';
  const body = [
    line({ s: 'I', msg: 'starting' }),
    line({ s: 'E', msg: 'DBException in initAndListen, terminating', attr: { error: refusal } }),
    line({ s: 'I', msg: 'shutting down' }),
    'exit 62',
  ].join('\n');
  withEnvironment(context, { MONGOMS_SYSTEM_BINARY: await fakeMongod(folder, '8.0.4', body) });
  const start = () => startEmbeddedServer({ notice: quiet });
  const explained = (remedy: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SeedError);
    assert.match(error.message, /^the embedded MongoDB 8\.0\.4 did not start: .*Invalid featureCompat/);
    assert.ok(!error.message.includes('\n'));
    assert.match(error.remedy, remedy);
    return true;
  };
  await assert.rejects(start(), explained(/move .*mongodb away/));
  await writeFile(join(directory, 'mongodb-version'), '6.0.5\n');
  await assert.rejects(start(), explained(/last used by MongoDB 6\.0\.5: set MONGOMS_SYSTEM_BINARY/));
  await assert.rejects(readFile(join(directory, 'server.lock')), { code: 'ENOENT' });
});

test('a data directory that another mongod uses is named', async (context) => {
  const directory = await home(context);
  const server = await startEmbeddedServer({ notice: quiet });
  try {
    const state = await stateIn(directory);
    await writeFile(join(directory, 'server.json'), '{ damaged');
    await assert.rejects(startEmbeddedServer({ notice: quiet }), (error: unknown) => {
      assert.ok(error instanceof SeedError);
      assert.match(error.remedy, /another mongod uses .*mongodb/);
      return true;
    });
    await writeFile(join(directory, 'server.json'), JSON.stringify(state));
  } finally {
    await server.stop();
  }
  assert.equal(isAlive(server.pid), false);
});

test('refresh offers no shell for a server of our own, which has stopped by then', async (context) => {
  const SEED_DATABASE_HOME = await home(context);
  const options = {
    env: { SEED_DATABASE_HOME, MONGOMS_SYSTEM_BINARY: String(process.env.MONGOMS_SYSTEM_BINARY) },
  };
  const flags = ['--database', 'refreshed_here', '--log-file', '/dev/null'];
  const period = ['--seed', '7', '--start', '2025-02-08T22:00Z', '--end', '2025-02-08T23:00Z'];
  const loaded = await runCli(['load', ...flags, ...period, '--metrics-only'], options);
  assert.equal(loaded.status, 0, loaded.stderr);
  assert.match(loaded.stdout, /Open: .* serve/);
  const refreshed = await runCli(['refresh', ...flags, '--end', '2025-02-09'], options);
  assert.equal(refreshed.status, 0, refreshed.stderr);
  assert.match(refreshed.stdout, /Open: .* serve/);
  assert.doesNotMatch(refreshed.stdout, /mongosh mongodb:/);
});

test('what listened on the port for a moment is gone: the embedded server is started', async (context) => {
  const SEED_DATABASE_HOME = await home(context);
  const options = {
    env: { SEED_DATABASE_HOME, MONGOMS_SYSTEM_BINARY: String(process.env.MONGOMS_SYSTEM_BINARY) },
  };
  const passing = createServer((socket) => {
    passing.close();
    socket.destroy();
  }).listen(27_017, '127.0.0.1');
  await once(passing, 'listening');
  const { status, stdout, stderr } = await runCli(['status', '--database', 'passing'], options);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /\(embedded\)/);
});
