/** Authentication, the smallest role that works, and data that are not ours. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Document, MongoClient } from 'mongodb';
import { type CliResult, runCli } from '../support/cli.js';
import { deleteSeries, loadFlags } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let admin: MongoClient;

before(async () => {
  server = await startTestServer({ auth: true });
  admin = await new MongoClient(server.uri).connect();
  for (const database of ['mine_flat', 'mine_timeseries']) {
    await admin.db(database).command({ createUser: 'writer', pwd: 'pw-writer', roles: ['readWrite'] });
    await admin.db(database).command({ createUser: 'reader', pwd: 'pw-reader', roles: ['read'] });
  }
});
after(async () => {
  await admin?.close();
  await server?.stop();
});

function as(
  user: string,
  database: string,
  args: readonly string[],
  password = `pw-${user}`,
): Promise<CliResult> {
  return runCli([...args], {
    env: {
      MONGODB_HOST: '127.0.0.1',
      MONGODB_PORT: String(server.port),
      MONGODB_DATABASE: database,
      MONGODB_USERNAME: user,
      MONGODB_PASSWORD: password,
      MONGODB_AUTH_SOURCE: database,
    },
  });
}

const SMALL = loadFlags({ uri: '', database: '' }, '--metrics-only', '--start', '2025-02-08T18:00Z').filter(
  (flag, i, all) => !['--uri', '--database'].includes(flag) && !['--uri', '--database'].includes(all[i - 1]),
);

for (const layout of LAYOUTS_HERE) {
  test(`readWrite on the database is enough for everything: ${layout}`, async () => {
    const database = `mine_${layout}`;
    const writer = (...args: string[]) => as('writer', database, args);
    for (const args of [
      [...SMALL, '--layout', layout],
      [...SMALL, '--layout', layout, '--clean'],
      ['load', '--resume', '--quiet'],
      ['verify'],
      ['status'],
    ]) {
      const { status, stderr } = await writer(...args);
      assert.equal(status, 0, `${args.join(' ')}: ${stderr}`);
    }
    const prefix = layout === 'flat' ? '' : 'meta.';
    await deleteSeries(admin.db(database), layout, { [`${prefix}asset_id`]: 'vm-101' });
    const repaired = await writer('verify', '--repair');
    assert.equal(repaired.status, 0, repaired.stderr);
    assert.match(repaired.stdout, /insert 1,080 missing records/);
  });

  test(`read is enough to verify, and not to load: ${layout}`, async () => {
    const database = `mine_${layout}`;
    assert.equal((await as('reader', database, ['verify'])).status, 0);
    const { status, stderr } = await as('reader', database, [...SMALL, '--layout', layout, '--clean']);
    assert.equal(status, 4, stderr);
    assert.match(stderr, new RegExp(`not allowed on database ${database}`));
    assert.match(stderr, /the user needs the readWrite role on this database/);
    assert.equal((await as('reader', database, ['verify'])).status, 0, 'nothing was removed');
  });
}

test('a wrong password, an unknown user, nobody at all: exit 4, one line, nothing written', async () => {
  const before = await admin.db('mine_flat').command({ dbStats: 1 });
  const unknown = await as('nobody', 'mine_flat', SMALL, 'x');
  const wrong = await as('writer', 'mine_flat', SMALL, 'not the password');
  const nobody = await runCli(loadFlags({ uri: server.plainUri, database: 'mine_flat' }, '--clean'));
  for (const { status, stdout, stderr } of [unknown, wrong, nobody]) {
    assert.equal(status, 4, stderr);
    assert.match(stderr, /❌ (authentication failed at|the server at \S+ requires a user) ?[^\n]*\n/);
    assert.doesNotMatch(stdout + stderr, /not the password|^ +at /m);
  }
  const now = await admin.db('mine_flat').command({ dbStats: 1 });
  assert.deepEqual([now.objects, now.collections], [before.objects, before.collections]);
});

test("--clean removes this program's collections and nothing else", async () => {
  const db = admin.db('mine_flat');
  const elsewhere = admin.db('elsewhere');
  const theirs = ['users', 'metrics_old', 'seed_runs_backup', 'assets.history'];
  for (const name of theirs) await db.collection<Document>(name).insertOne({ theirs: true });
  for (const name of ['metrics', 'assets', 'seed_runs', 'seed_shards']) {
    await elsewhere.collection<Document>(name).insertOne({ theirs: true });
  }
  const { status, stderr } = await as('writer', 'mine_flat', [...SMALL, '--clean']);
  assert.equal(status, 0, stderr);
  for (const name of theirs) assert.equal(await db.collection(name).countDocuments(), 1, name);
  for (const name of ['metrics', 'assets', 'seed_runs', 'seed_shards']) {
    assert.equal(await elsewhere.collection(name).countDocuments(), 1, name);
  }
});

for (const database of ['admin', 'local', 'config']) {
  test(`the database ${database} is never loaded or cleaned, however it is named`, async () => {
    const names = () => admin.db(database).listCollections({}, { nameOnly: true }).toArray();
    const before = (await names()).map(({ name }) => name).sort();
    const { uri } = server;
    const named = uri.replace('/?', `/${database}?`);
    for (const [args, env] of [
      [['load', '--uri', uri, '--database', database, '--clean', '--yes'], {}],
      [['load', '--uri', named, '--clean', '--yes'], {}],
      [['load', '--uri', uri, '--clean', '--yes'], { MONGODB_DATABASE: database }],
      [['load', '--clean', '--yes'], { MONGODB_URI: named }],
      [['verify', '--uri', named, '--repair', '--yes'], {}],
    ] as const) {
      const { status, stderr } = await runCli(args, { env });
      assert.equal(status, 2, stderr);
      assert.match(stderr, /admin, local or config/);
    }
    assert.deepEqual((await names()).map(({ name }) => name).sort(), before);
  });
}

test('production is cleaned only when somebody says so', async () => {
  const args = [...SMALL, '--environment', 'production'];
  assert.equal((await as('writer', 'mine_flat', [...args, '--clean', '--yes'])).status, 0);
  const metrics = admin.db('mine_flat').collection('metrics');
  const before = await metrics.countDocuments();
  const refused = await as('writer', 'mine_flat', [...args, '--clean']);
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, /--clean would remove data of the production database mine_flat/);
  assert.equal(await metrics.countDocuments(), before);
});
