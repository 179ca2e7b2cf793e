/**
 * A server that answers and takes no writes, or no reads, or cannot confirm them: said in one line
 * before anything is written, by `doctor` too.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Document, MongoClient } from 'mongodb';
import { isAtLeast } from '../../src/store/server.js';
import { runCli } from '../support/cli.js';
import { load, loadWell, type Place, placeFlags } from '../support/dataset.js';
import { SERVER_VERSION } from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;
let databases = 0;

before(async () => {
  server = await startTestServer({ replicaSet: true, args: ['--setParameter', 'enableTestCommands=1'] });
  client = new MongoClient(server.uri);
});
after(async () => {
  await client?.close();
  await server?.stop();
});

const freshPlace = (query = ''): Place => ({
  uri: `${server.uri}${query}`,
  database: `closed_${++databases}`,
});
const HOUR = ['--metrics-only', '--start', '2025-02-08T23:00Z', '--retry-seconds', '2'];

interface Closed {
  readonly what: string;
  readonly close?: Document;
  readonly open?: Document;
  /** Added to the connection string. */
  readonly query?: string;
  readonly exit: number;
  readonly said: RegExp;
  readonly remedy: RegExp;
}

const KINDS: readonly Closed[] = [
  {
    what: 'locked by fsyncLock',
    close: { fsync: 1, lock: true },
    open: { fsyncUnlock: 1 },
    exit: 3,
    said: /takes no writes: it is locked by fsyncLock/,
    remedy: /db\.fsyncUnlock\(\)/,
  },
  {
    what: 'blocked for writes of users',
    close: { setUserWriteBlockMode: 1, global: true },
    open: { setUserWriteBlockMode: 1, global: false },
    exit: 5,
    said: /blocks the writes of users/,
    remedy: /db\.adminCommand\(\{ setUserWriteBlockMode: 1, global: false \}\)/,
  },
  {
    what: 'without scans of collections',
    close: { setParameter: 1, notablescan: true },
    open: { setParameter: 1, notablescan: false },
    exit: 5,
    said: /refuses to scan collections \(notablescan\)/,
    remedy: /db\.adminCommand\(\{ setParameter: 1, notablescan: false \}\)/,
  },
  {
    what: 'a write concern of an unknown name',
    query: '&w=majorty',
    exit: 2,
    said: /cannot meet the write concern.*majorty/,
    remedy: /w in the connection string/,
  },
  {
    what: 'a write concern of more members than there are',
    query: '&w=3',
    exit: 2,
    said: /--write-concern 3 can never be met/,
    remedy: /w in the connection string/,
  },
  {
    what: 'a default write concern of more members than there are',
    close: { setDefaultRWConcern: 1, defaultWriteConcern: { w: 2 } },
    open: {
      setDefaultRWConcern: 1,
      defaultWriteConcern: { w: 'majority' },
      writeConcern: { w: 1 },
    },
    exit: 5,
    said: /cannot meet its own default write concern/,
    remedy: /w=majority/,
  },
];

for (const { what, close, open, query, exit, said, remedy } of KINDS) {
  const old = close && 'setUserWriteBlockMode' in close && !isAtLeast(SERVER_VERSION, 6, 0);
  if (old) {
    test(`${what}: MongoDB ${SERVER_VERSION} knows no such thing, and a load is none the wiser`, async () => {
      const place = freshPlace(query);
      await assert.rejects(client.db('admin').command(close));
      await loadWell(place, ...HOUR);
    });
    continue;
  }
  test(`${what}: exit ${exit}, nothing written`, async () => {
    const place = freshPlace(query);
    const admin = client.db('admin');
    if (close) await admin.command(close);
    let loaded: Awaited<ReturnType<typeof load>>;
    let doctor: Awaited<ReturnType<typeof runCli>>;
    try {
      loaded = await load(place, HOUR);
      doctor = await runCli(['doctor', ...placeFlags(place)]);
      assert.deepEqual(await client.db(place.database).listCollections().toArray(), []);
    } finally {
      if (open) await admin.command(open).catch((error) => assert.equal(error.code, 100, error));
    }
    assert.equal(loaded.status, exit, loaded.stderr);
    assert.match(loaded.stderr, said);
    assert.match(loaded.stderr, remedy);
    assert.doesNotMatch(loaded.stderr, /unexpected error|gave up/);
    assert.equal(doctor.status, exit, doctor.stdout);
    assert.match(doctor.stdout, said);
    assert.match(doctor.stdout, remedy);
    if (close) await loadWell(place, ...HOUR);
  });
}

test('a default write concern that cannot be met: the remedy that is named works', async () => {
  const admin = client.db('admin');
  await admin.command({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 2 } });
  try {
    await loadWell(freshPlace('&w=majority'), ...HOUR);
  } finally {
    const defaultWriteConcern = { w: 'majority' };
    await admin.command({ setDefaultRWConcern: 1, defaultWriteConcern, writeConcern: { w: 1 } });
  }
});

/** What is asked of the server first, in commands that try again. */
const FIRST: readonly (readonly [string, string])[] = [
  ['load', 'delete'],
  ['load', 'listCollections'],
  ['refresh', 'aggregate'],
  ['verify', 'listCollections'],
];

for (const [command, failing] of FIRST) {
  test(`${command}: giving up while the target is opened (${failing}) is explained, exit 3`, async () => {
    const place = freshPlace();
    await loadWell(place, ...HOUR);
    const data = {
      failCommands: [failing],
      ...(failing === 'delete' ? { closeConnection: true } : { errorCode: 91 }),
    };
    const admin = client.db('admin');
    await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
    try {
      const flags = ['--retry-seconds', '1'];
      const args = command === 'load' ? ['--seed', '7', '--skip-cleanup', '--log-file', '/dev/null'] : [];
      const { status, stderr } = await runCli([command, ...placeFlags(place), ...flags, ...args]);
      assert.equal(status, 3, stderr);
      assert.match(stderr, /(?:takes no writes or reads now|cannot connect to MongoDB)/);
      assert.doesNotMatch(stderr, /unexpected error/);
    } finally {
      await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    }
  });
}
