/**
 * What goes wrong for a user of the built program: the cause in one line, the way out in another,
 * and an exit status of its own.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { type CliOptions, runCli, startCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { useServer } from '../support/loading.js';
import { freePort, until } from '../support/server.js';

const file = useServer({ auth: true });
const READER = { user: 'reader', password: 'r3ad-0nly-pw' } as const;
const WRITER = { user: 'writer', password: 'wr1te-pw' } as const;
const HOUR = ['--seed', '42', '--start', '2025-02-08T02:00Z', '--end', '2025-02-08T03:00Z'];

let databases = 0;
before(async () => {
  await file.load('ready', { days: 1, assetsOnly: true });
  const admin = file.client.db('admin');
  for (const [{ user, password }, role] of [
    [READER, 'readAnyDatabase'],
    [WRITER, 'readWriteAnyDatabase'],
  ] as const) {
    await admin.command({ createUser: user, pwd: password, roles: [role] });
  }
});

interface Expected {
  readonly status: number;
  readonly cause: RegExp;
  /** Absent where the cause says it all. */
  readonly remedy?: RegExp;
  /** What must not be seen anywhere. */
  readonly secret?: string;
}

/**
 * Runs the program, which has to fail as expected, in one line or two, and to leave no database
 * behind.
 */
async function fails(args: readonly string[], expected: Expected, options: CliOptions = {}): Promise<void> {
  await withFolder({}, async (folder) => {
    const database = `unwritten_${databases++}`;
    const cwd = options.cwd ?? folder;
    const where = args.includes('status') ? args : ['--database', database, ...args];
    const { status, stdout, stderr } = await runCli(where, { ...options, cwd });
    const shown = stdout + stderr + logsIn(cwd);
    assert.equal(status, expected.status, shown);
    const [first, second, ...more] = stderr.trimEnd().split('\n');
    assert.deepEqual(more, [], stderr);
    assert.match(first, /^❌ \S/);
    assert.match(first.slice(2), expected.cause);
    if (expected.remedy) assert.match(second ?? '', expected.remedy);
    else assert.equal(second, undefined);
    assert.doesNotMatch(shown, /^\s+at |node:internal|\.js:\d+/m, 'a stack trace');
    if (expected.secret) assert.ok(!shown.includes(expected.secret), 'a password is shown');
    const { databases: all } = await file.client.db('admin').admin().listDatabases({ nameOnly: true });
    assert.ok(!all.some(({ name }) => name === database), 'it wrote something');
  });
}

function logsIn(folder: string): string {
  try {
    const logs = join(folder, 'logs');
    return readdirSync(logs)
      .map((name) => readFileSync(join(logs, name), 'utf8'))
      .join('');
  } catch {
    return ''; // no log was begun
  }
}

const credentials = ({ user, password }: { user: string; password: string }) => ({
  MONGODB_USERNAME: user,
  MONGODB_PASSWORD: password,
});

test('a wrong password, from the environment and in the connection string: 4', async () => {
  const wrong = { user: READER.user, password: 'not-th1s-one' };
  const expected = {
    status: 4,
    cause: /^authentication failed at mongodb:\/\/reader:\*\*\*\*@127\.0\.0\.1:\d+/,
    remedy: /check MONGODB_USERNAME, MONGODB_PASSWORD and MONGODB_AUTH_SOURCE/,
    secret: wrong.password,
  };
  const server = ['--host', '127.0.0.1', '--port', String(file.server.port)];
  await fails([...HOUR, ...server], expected, { env: credentials(wrong) });
  await fails(['status', ...server], expected, { env: credentials(wrong) });
  const uri = file.server.plainUri.replace('//', `//reader:${wrong.password}@`);
  await fails([...HOUR, '--uri', `${uri}?authSource=admin`], expected);
});

test('no password where the server wants one: 4', async () => {
  await fails([...HOUR, '--uri', file.server.plainUri], {
    status: 4,
    cause: /^the server at mongodb:\/\/127\.0\.0\.1:\d+\S* requires a user, and none was given$/,
    remedy: /--username .*MONGODB_PASSWORD/,
  });
});

test('more members than there are should acknowledge writes: 2, as a flag and in the connection string', async () => {
  const uri = file.server.uri;
  const expected = {
    status: 2,
    cause: /^--write-concern 3 can never be met: one member holds data$/,
    remedy: /leave it out/,
  };
  await fails([...HOUR, '--uri', uri, '--write-concern', '3'], expected);
  await fails([...HOUR, '--uri', `${uri}&w=3`], expected);
});

test('names that no DNS knows: 3; compression that is not installed: 2', async () => {
  await fails([...HOUR, '--uri', 'mongodb+srv://nothing.invalid/x'], {
    status: 3,
    cause:
      /^cannot connect to MongoDB at mongodb\+srv:\/\/nothing\.invalid\/x\S*: its servers are not to be found in the DNS: /,
    remedy: /name the servers themselves/,
  });
  const snappy = {
    status: 2,
    cause: /needs the package snappy, which is not installed$/,
    remedy: /npm install snappy/,
  };
  await fails([...HOUR, '--uri', file.server.uri, '--compressors', 'snappy'], snappy);
  await fails([...HOUR, '--uri', `${file.server.uri}&compressors=snappy`], snappy);
});

test('a user who may only read: 4, and status works for them', async () => {
  const options = { env: { MONGODB_URI: file.server.plainUri, ...credentials(READER) } };
  const expected = {
    status: 4,
    cause: /^not allowed on database unwritten_\d+: user reader@admin may not insert/,
    remedy: /the user needs the readWrite role on this database/,
    secret: READER.password,
  };
  await fails(HOUR, expected, options);
  await fails([...HOUR, '--clean'], expected, options);
  const { status, stdout, stderr } = await runCli(['status', '--database', 'ready'], options);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /service +22\n/);
});

test('no server at the given host: 3, at once', async () => {
  const port = String(await freePort());
  const expected = {
    status: 3,
    cause: new RegExp(`^cannot connect to MongoDB at mongodb://127\\.0\\.0\\.1:${port}\\S*: .*ECONNREFUSED`),
    remedy: /check that the server runs and that --uri, --host, --port/,
  };
  const started = performance.now();
  await fails([...HOUR, '--host', '127.0.0.1', '--port', port], expected);
  await fails(HOUR, expected, { env: { MONGODB_URI: `mongodb://127.0.0.1:${port}/` } });
  await fails(['status', '--uri', `mongodb://127.0.0.1:${port}/`], expected);
  // Three times the start of the program, and far from three times the driver's time-out of ten
  // seconds.
  assert.ok(performance.now() - started < 25_000, 'it took long to say so');
});

test('a host name that nobody knows: 3', async () => {
  await fails([...HOUR, '--host', 'no-such-host.invalid'], {
    status: 3,
    cause: /^cannot connect to MongoDB at mongodb:\/\/no-such-host\.invalid:27017\/\S*: /,
    remedy: /check that the server runs/,
  });
});

test('something else listens there: 3, and what it looks like', async () => {
  const listener = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
    0,
    '127.0.0.1',
  );
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  try {
    const env = { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '500' };
    const args = [...HOUR, '--host', '127.0.0.1', '--port', String(address.port)];
    await fails(
      args,
      { status: 3, cause: /^cannot connect to MongoDB at .* like an HTTP server$/, remedy: /check that/ },
      { env },
    );
  } finally {
    listener.close();
  }
});

/** Wrong command lines, though the server and the user are right. */
const USAGE: readonly [readonly string[], RegExp][] = [
  [['--dais', '3'], /unknown option '--dais' \(Did you mean --days\?\)/],
  [['--days', '0'], /--days 0: must be a whole number from 1 to 36500/],
  [['--days', '-1'], /--days -1: must be a whole number/],
  [['--days', '1e9'], /--days 1e9: must be a whole number/],
  [['--days', 'abc'], /--days abc: must be a whole number/],
  [['--batch-size', '0'], /--batch-size 0: must be a whole number/],
  [['--end', '2025-02-30'], /--end 2025-02-30: must be a date/],
  [['--start', '2025-02-09', '--end', '2025-02-08'], /--start .* must be before --end/],
  [['--days', '3', '--start', '2025-02-01', '--end', '2025-02-02'], /--days 3 does not fit/],
  [['--clean', '--resume'], /--clean and --resume exclude each other/],
  [['--assets-only', '--polling-only'], /--assets-only and --polling-only exclude each other/],
  [['--ttl-days', '3'], /--ttl-days needs --layout timeseries/],
];

for (const [args, cause] of USAGE) {
  test(`usage: ${args.join(' ')}: 2, before anything is connected to`, async () => {
    const env = { MONGODB_URI: file.server.plainUri, ...credentials(WRITER) };
    await fails(args, { status: 2, cause, secret: WRITER.password }, { env });
  });
}

test('a corrupt line in .env: 2, with its number and without its value', async () => {
  const lines = `MONGODB_URI=${file.server.plainUri}\n# the user\nMONGODB_USERNAME=writer\nMONGODB_PASSWORD ${WRITER.password}\n`;
  await withFolder({ '.env': lines }, (cwd) =>
    fails(
      HOUR,
      { status: 2, cause: /\.env, line 4: not of the form KEY=VALUE$/, secret: WRITER.password },
      { cwd },
    ),
  );
  await withFolder({ '.env': 'MONGODB_PORT=27o17\n' }, (cwd) =>
    fails(
      HOUR,
      { status: 2, cause: /MONGODB_PORT=27o17 \(\.env, line 1\): must be a whole number/ },
      { cwd },
    ),
  );
});

test('--clean of a production database without a person to ask: 2, and --yes goes on', async () => {
  const options = {
    env: { MONGODB_URI: file.server.plainUri, ENVIRONMENT: 'production', ...credentials(WRITER) },
  };
  await fails(
    [...HOUR, '--clean'],
    {
      status: 2,
      cause: /^--clean would remove data of the production database/,
      remedy: /add --yes if that is what you want/,
      secret: WRITER.password,
    },
    options,
  );
  await withFolder({}, async (cwd) => {
    const args = [...HOUR, '--clean', '--yes', '--database', 'production', '--quiet'];
    const { status, stdout, stderr } = await runCli(args, { ...options, cwd });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^🎯 Database ready to use! /);
  });
});

test('a database with other data: 5 and the three choices; the same run again: 0', async () => {
  const env = { MONGODB_URI: file.server.plainUri, ...credentials(WRITER), MONGODB_DATABASE: 'taken' };
  await withFolder({}, async (cwd) => {
    const run = (...args: string[]) => runCli([...HOUR, ...args], { env, cwd });
    assert.equal((await run('--quiet')).status, 0);
    const again = await run('--json');
    assert.deepEqual([again.status, JSON.parse(again.stdout).status], [0, 'already complete']);
    const other = await run('--seed', '43');
    assert.equal(other.status, 5);
    assert.match(
      other.stderr,
      /^❌ the target database is not empty: it holds data already [^\n]+\n {3}└── [^\n]+\n$/,
    );
    assert.match(other.stderr, /--resume .*--clean .*--skip-cleanup /);
  });
});

test('a second loader while the first one is at work: 5, with its host, pid and age; a dead one is taken over', async () => {
  const env = { MONGODB_URI: file.server.plainUri, ...credentials(WRITER), MONGODB_DATABASE: 'shared' };
  const runs = file.client.db('shared').collection('seed_runs');
  await withFolder({}, async (cwd) => {
    const first = startCli(['--days', '30', '--seed', '1', '--batch-size', '20'], { env, cwd });
    try {
      await until('the first loader loads', () => file.client.db('shared').collection('metrics').findOne({}));
      first.child.kill('SIGSTOP');
      for (const args of [[], ['--clean'], ['--skip-cleanup'], ['--resume']]) {
        const { status, stderr } = await runCli([...args, '--quiet'], { env, cwd });
        assert.equal(status, 5, stderr);
        const inProgress = `pid ${first.child.pid}, last seen \\d+ s ago`;
        assert.match(
          stderr,
          new RegExp(`^❌ run \\w+ is in progress on \\S+ \\(${inProgress}\\)\n {3}└── wait for it`),
        );
      }
      first.child.kill('SIGCONT');
      await until('the first loader goes on', async () => {
        const [run] = await runs
          .aggregate([{ $set: { age: { $subtract: ['$$NOW', '$heartbeat'] } } }])
          .toArray();
        return run.state === 'loading' && run.age < 3000;
      });
    } finally {
      first.child.kill('SIGKILL');
      first.child.kill('SIGCONT');
      await first.result;
    }
    // Its process is gone, so nobody has to wait for its lease to end.
    const { status, stdout, stderr } = await runCli([...HOUR, '--clean', '--json'], { env, cwd });
    assert.equal(status, 0, stderr);
    assert.match(stderr, new RegExp(`\\(pid ${first.child.pid}\\) died`));
    assert.equal(JSON.parse(stdout).status, 'complete');
    assert.equal(await runs.countDocuments(), 1);
  });
});
