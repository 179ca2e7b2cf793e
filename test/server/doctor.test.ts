/** `doctor` finds what would make a load fail, says what would help, and writes nothing. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Db, MongoClient } from 'mongodb';
import { type CliResult, runCli } from '../support/cli.js';
import { loadWell } from '../support/dataset.js';
import { HAS_TIME_SERIES } from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let admin: MongoClient;

before(async () => {
  server = await startTestServer({ auth: true });
  admin = await new MongoClient(server.uri).connect();
  for (const role of ['read', 'readWrite']) {
    await admin.db('looked_at').command({ createUser: role, pwd: 'pw', roles: [role] });
  }
});
after(async () => {
  await admin?.close();
  await server?.stop();
});

interface Check {
  readonly subject: string;
  readonly state: string;
  readonly detail: string;
  readonly remedy: string;
}

function doctor(user: string, ...flags: string[]): Promise<CliResult> {
  const uri = `mongodb://${user}:pw@127.0.0.1:${server.port}/looked_at`;
  return runCli(['doctor', ...flags], { env: { MONGODB_URI: uri } });
}

async function checks(result: CliResult): Promise<Record<string, Check>> {
  const { checks } = JSON.parse(result.stdout) as { checks: Check[] };
  return Object.fromEntries(checks.map((check) => [check.subject, check]));
}

test('a server that is fit: every check is good, exit 0, nothing written', async () => {
  const { status, stdout, stderr } = await doctor('readWrite');
  assert.equal(status, 0, stderr);
  assert.equal(stdout.match(/^✅ /gmu)?.length, 7, stdout);
  assert.match(stdout, /✅ Database: empty/);
  assert.match(stdout, /🎯 Ready to load/);
  assert.doesNotMatch(stdout, /:pw@/);
  assert.deepEqual(await admin.db('looked_at').listCollections().toArray(), []);
});

test('a user who may only read: exit 4, with what is missing and the role that has it', async () => {
  const result = await doctor('read', '--json');
  assert.equal(result.status, 4);
  const { Rights } = await checks(result);
  assert.equal(Rights.state, 'bad');
  assert.match(Rights.detail, /read@looked_at may not insert, update, remove/);
  assert.match(Rights.remedy, /readWrite/);
});

test('more data than the disk has room for: exit 6', async () => {
  const asRoot = (days: string) =>
    runCli(['doctor', '--uri', server.uri, '--database', 'looked_at', '--days', days, '--json']);
  const result = await asRoot('20000');
  const { Room } = await checks(result);
  // Half a century takes 143 GB.
  assert.match(Room.detail, /^2,7\d\d,\d{3},\d{3} records take about 14\d\.\d GB, .* are free$/);
  assert.equal(result.status, Room.state === 'bad' ? 6 : 0);
  assert.equal((await checks(await asRoot('1'))).Room.state, 'good');
  // Who may not ask about other databases learns it only of one that is there.
  assert.match((await checks(await doctor('readWrite', '--json'))).Room.detail, /does not say what is free$/);
});

test('no server, and a wrong password: the exit statuses of a load', async () => {
  const nobody = await runCli(['doctor', '--uri', 'mongodb://127.0.0.1:1/x']);
  assert.equal(nobody.status, 3);
  assert.match(nobody.stdout, /❌ Connection: cannot connect.*\n {3}└── check that the server runs/);
  const wrong = await runCli(['doctor'], {
    env: { MONGODB_URI: `mongodb://read:wrong@127.0.0.1:${server.port}/looked_at` },
  });
  assert.equal(wrong.status, 4);
  assert.doesNotMatch(wrong.stdout + wrong.stderr, /:wrong@/);
});

test('a database that holds something already: a warning with the ways out', async () => {
  await loadWell({ uri: server.uri, database: 'held' }, '--metrics-only');
  const result = await runCli(['doctor', '--json', '--uri', server.uri, '--database', 'held']);
  assert.equal(result.status, 0, result.stderr);
  const { Database } = await checks(result);
  assert.equal(Database.state, 'warning');
  assert.match(Database.detail, /^it holds run [0-9a-f]+ \(seed 7, complete\)$/);
  assert.match(Database.remedy, /refresh/);
});

test('a database that another loader holds: its name, exit 5, and nothing lifted', async () => {
  const runs = admin.db('held').collection('seed_runs');
  const hold = (heartbeat: Date | string) =>
    runs.updateOne({}, [
      {
        $set: {
          active: true,
          state: 'loading',
          host: 'elsewhere',
          pid: 4711,
          processSpace: 'elsewhere',
          heartbeat,
        },
      },
    ]);
  const ask = () => runCli(['doctor', '--json', '--uri', server.uri, '--database', 'held']);
  await hold('$$NOW');
  const result = await ask();
  const { Database } = await checks(result);
  assert.equal(result.status, 5, result.stdout);
  assert.match(
    Database.detail,
    /^run [0-9a-f]+ is in progress on elsewhere \(pid 4711, last seen \d+ s ago\)$/,
  );
  assert.match(Database.remedy, /another --database/);
  await hold(new Date(Date.now() - 60_000));
  assert.equal((await ask()).status, 0);
  assert.equal(await runs.countDocuments({ active: true }), 1);
});

test('what is in the way of a load is said in its words, with its exit status', async () => {
  const ways: readonly [string, (db: Db) => Promise<unknown>][] = [
    ['capped', (db) => db.createCollection('metrics', { capped: true, size: 4096 })],
    ['foreign_runs', (db) => db.collection('seed_runs').insertOne({ active: true, title: 'marathon' })],
    ['lists', (db) => db.collection('metrics').insertOne({ asset_id: ['a'], metric_name: ['b'] })],
    ['Other_Case', (db) => db.client.db('other_case').collection('orders').insertOne({})],
    [
      'expires',
      (db) =>
        HAS_TIME_SERIES
          ? db.createCollection('metrics', {
              timeseries: { timeField: 'timestamp', metaField: 'meta', granularity: 'minutes' },
              expireAfterSeconds: 3600,
            })
          : db.collection('metrics').createIndex({ timestamp: 1 }, { expireAfterSeconds: 3600 }),
    ],
  ];
  for (const [database, prepare] of ways) {
    await prepare(admin.db(database));
    const layout = database === 'expires' && HAS_TIME_SERIES ? 'timeseries' : 'flat';
    const place = ['--uri', server.uri, '--database', database, '--layout', layout];
    const period = ['--start', '2025-02-08', '--end', '2025-02-09', '--json'];
    const said = await runCli(['doctor', ...place, ...period]);
    const log = ['--log-file', '/dev/null'];
    const loading = await runCli(['load', ...place, ...period, '--skip-cleanup', ...log]);
    assert.deepEqual([database, said.status, loading.status], [database, 5, 5]);
    const { checks } = JSON.parse(said.stdout) as { checks: Check[] };
    const bad = checks.find(({ state }) => state === 'bad');
    const { error, remedy } = JSON.parse(loading.stdout) as { error: string; remedy: string };
    assert.deepEqual([bad?.detail, bad?.remedy], [error, remedy]);
  }
});

test('records that --ttl-days lets expire at once: said as a load says it', async () => {
  if (!HAS_TIME_SERIES) return;
  const result = await doctor(
    'readWrite',
    '--json',
    '--layout',
    'timeseries',
    '--days',
    '3',
    '--ttl-days',
    '2',
  );
  const { Expiry } = await checks(result);
  assert.equal(Expiry.state, 'warning');
  assert.match(Expiry.detail, /records are older than metrics keeps them \(for 2 days\)/);
});
