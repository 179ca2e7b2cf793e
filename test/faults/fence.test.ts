/**
 * A loader that is away for longer than its lease does nothing to the data when it comes back,
 * whatever it was about to do.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type Document, MongoClient } from 'mongodb';
import { LEASE_MS } from '../../src/runs/owner.js';
import {
  assertEqualToPlan,
  END,
  load,
  loadFlags,
  loadWell,
  type Place,
  placeFlags,
} from '../support/dataset.js';
import { UNKEYED_LAYOUT } from '../support/features.js';
import { TcpProxy } from '../support/proxy.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer, until } from '../support/server.js';

const AWAY_MS = LEASE_MS + 5_000;
const TEST_COMMANDS = ['--setParameter', 'enableTestCommands=1'];
const METRICS_ONLY = ['--metrics-only', '--shard-days', '1'];

interface Scene {
  readonly place: Place;
  /** The same through a proxy. */
  readonly through: Place;
  readonly proxy: TcpProxy;
  readonly db: Db;
  /** Has the next command of that name wait so long in the server; resolves when it waits. */
  readonly hold: (command: string, collection: string, ms: number) => Promise<() => Promise<void>>;
}

/** A server of its own for each: a fail point is the whole server's. */
async function onStage(act: (scene: Scene) => Promise<void>): Promise<void> {
  const server = await startTestServer({ args: TEST_COMMANDS });
  const proxy = await TcpProxy.start(server.port);
  const client = new MongoClient(server.uri);
  const place = { uri: server.uri, database: 'fence' };
  const admin = client.db('admin');
  try {
    await act({
      place,
      through: { ...place, uri: proxy.uri },
      proxy,
      db: client.db(place.database),
      hold: async (command, collection, blockTimeMS) => {
        const namespace = `${place.database}.${collection}`;
        const data = { failCommands: [command], namespace, blockConnection: true, blockTimeMS };
        await admin.command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
        const waiting = [{ $currentOp: {} }, { $match: { [`command.${command}`]: collection } }];
        return () =>
          until(`${command} waits`, async () => (await admin.aggregate(waiting).toArray()).length > 0);
      },
    });
  } finally {
    await client.close();
    await proxy.stop();
    await server.stop();
  }
}

// A server and a loader in each of eight scenes.
process.setMaxListeners(40);

/**
 * How a loader is away: both ways cut its connections, so that nobody waits for what they carry.
 */
const WAYS = {
  suspended: {
    leave: (running: RunningLoad) => running.kill('SIGSTOP'),
    wake: (running: RunningLoad) => running.kill('SIGCONT'),
  },
  'without network': { leave: () => undefined, wake: () => undefined },
} as const;

type Way = keyof typeof WAYS;

/**
 * Takes a loader away for longer than its lease, has another one load, and lets the first go on to
 * its end.
 */
async function whileAway(
  { proxy }: Scene,
  way: Way,
  running: RunningLoad,
  other: () => Promise<unknown>,
): Promise<string> {
  proxy.refuse();
  WAYS[way].leave(running);
  await sleep(AWAY_MS);
  await other();
  WAYS[way].wake(running);
  proxy.accept();
  const { status, stderr } = await running.ended;
  assert.equal(status, 5, stderr);
  assert.match(stderr, /another loader took this run over/);
  return stderr;
}

const counts = async (db: Db): Promise<Document> => ({
  metrics: await db.collection('metrics').countDocuments(),
  assets: await db.collection('assets').find().sort({ _id: 1 }).toArray(),
  runs: await db.collection('seed_runs').find().toArray(),
  shards: await db.collection('seed_shards').countDocuments(),
});

describe('a loader that was away', { concurrency: true }, () => {
  for (const way of Object.keys(WAYS) as Way[]) {
    test(`in mid-cleaning: ${way}`, async () => {
      await onStage(async (scene) => {
        const { place, through, db, hold } = scene;
        await loadWell(place, ...METRICS_ONLY);
        const waits = await hold('drop', 'seed_shards', 3_000);
        const first = RunningLoad.load(through, [...METRICS_ONLY, '--clean', '--seed', '8']);
        await waits();
        let loaded: Document = {};
        await whileAway(scene, way, first, async () => {
          await loadWell(place, ...METRICS_ONLY, '--clean', '--seed', '9');
          loaded = await counts(db);
        });
        assert.deepEqual(await counts(db), loaded);
        assert.equal((await assertEqualToPlan(place)).records.expected, 43_200);
      });
    });
  }

  for (const command of ['create', 'createIndexes']) {
    test(`while it prepares, at ${command}`, async () => {
      await onStage(async (scene) => {
        const { place, through, db, hold } = scene;
        const waits = await hold(command, 'metrics', 3_000);
        // Its assets would say another day.
        const first = RunningLoad.load(through, [...METRICS_ONLY, '--end', '2025-02-08']);
        await waits();
        let loaded: Document = {};
        await whileAway(scene, 'suspended', first, async () => {
          await loadWell(place, ...METRICS_ONLY, '--clean', '--seed', '9');
          loaded = await counts(db);
        });
        assert.deepEqual(await counts(db), loaded);
        await assertEqualToPlan(place);
      });
    });
  }

  test('in mid-repair', async () => {
    await onStage(async (scene) => {
      const { place, through, db, hold } = scene;
      const flags = ['--polling-only', '--shard-days', '1'];
      await loadWell(place, ...flags);
      await db.collection('metrics').updateMany({}, { $set: { note: 'spoilt' } });
      const waits = await hold('update', 'metrics', 3_000);
      const first = new RunningLoad(['verify', ...placeFlags(through), '--repair', '--workers', '1']);
      await waits();
      await whileAway(scene, 'suspended', first, async () => {
        // The same identifiers with other values.
        await loadWell(place, ...flags, '--clean', '--availability-scale', 'unit');
      });
      await assertEqualToPlan(place);
    });
  });

  test('in mid-trim', async () => {
    await onStage(async (scene) => {
      const { place, through, hold } = scene;
      await loadWell(place, ...METRICS_ONLY, '--days', '3');
      const waits = await hold('delete', 'metrics', 3_000);
      const flags = ['--end', END, '--keep-days', '1', '--log-file', '/dev/null'];
      const first = new RunningLoad(['refresh', ...placeFlags(through), ...flags]);
      await waits();
      await whileAway(scene, 'suspended', first, async () => {
        await loadWell(place, ...METRICS_ONLY, '--days', '3', '--clean');
      });
      await assertEqualToPlan(place);
    });
  });

  test('with inserts on their way, and back while the other one loads: each record is there once', async () => {
    await onStage(async ({ place, through, proxy, db }) => {
      const flags = ['--layout', UNKEYED_LAYOUT, '--batch-size', '200', '--days', '8', ...METRICS_ONLY];
      // Its threads look for the server all the time that it is away.
      const env = { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '60000' };
      const done = () => db.collection('seed_shards').countDocuments();
      proxy.delay(40);
      const slow = await TcpProxy.start(Number(new URL(place.uri).port), { delayMs: 40 });
      try {
        const first = new RunningLoad(loadFlags(through, ...flags), { env });
        await until('shards are done', async () => (await done()) > 2);
        proxy.refuse();
        await sleep(AWAY_MS);
        const before = await done();
        const second = RunningLoad.resume({ ...place, uri: slow.uri });
        await until('the other one loads', async () => (await done()) > before);
        proxy.accept();
        const { status, stderr } = await first.ended;
        assert.equal(status, 5, stderr);
        slow.delay(0);
        const resumed = await second.ended;
        assert.equal(resumed.status, 0, resumed.stderr);
      } finally {
        await slow.stop();
      }
      await assertEqualToPlan(place);
    });
  });
});

test('a trim holds the database: --clean is refused meanwhile, and an interrupted trim is finished by the next one', async () => {
  await onStage(async ({ place, db, hold }) => {
    await loadWell(place, ...METRICS_ONLY, '--days', '3');
    const waits = await hold('delete', 'metrics', 20_000);
    const args = [
      'refresh',
      ...placeFlags(place),
      '--end',
      END,
      '--keep-days',
      '1',
      '--log-file',
      '/dev/null',
    ];
    const trimming = new RunningLoad(args);
    await waits();
    for (const how of [['--clean'], ['--skip-cleanup'], ['--resume']]) {
      const { status, stderr } = await load(place, how);
      assert.equal(status, 5, stderr);
      assert.match(stderr, /is in progress on/);
    }
    const again = await new RunningLoad(args).ended;
    assert.equal(again.status, 5, again.stderr);
    trimming.kill('SIGKILL');
    await trimming.ended;
    const [run] = await db.collection('seed_runs').find().toArray();
    assert.deepEqual([run.trimmedFrom, run.state], [new Date('2025-02-06'), 'complete']);
    const { status, stdout, stderr } = await new RunningLoad(args).ended;
    assert.equal(status, 0, stderr);
    assert.match(stdout, /records older than 1 days removed/);
    const records = (await assertEqualToPlan(place)).records;
    assert.deepEqual([records.found, records.foreign], [43_200, 0]);
  });
});

test('a repair that another load has overtaken, between comparing and holding, repairs nothing', async () => {
  await onStage(async ({ place, db }) => {
    await loadWell(place, ...METRICS_ONLY);
    await db.collection('metrics').deleteMany({ metric_name: 'cpu_usage' });
    const repairing = new RunningLoad(['verify', ...placeFlags(place), '--repair', '--workers', '1']);
    await until('it compares', async () => repairing.stdout.includes('Comparing'));
    repairing.kill('SIGSTOP');
    await loadWell(place, ...METRICS_ONLY, '--clean', '--seed', '9');
    repairing.kill('SIGCONT');
    const { status, stderr } = await repairing.ended;
    assert.equal(status, 5, stderr);
    assert.match(stderr, /nothing is repaired\n.*repeat the command/);
    await assertEqualToPlan(place);
  });
});

test('a stopped loader that may be cleaning is still connected: nobody loads beside it, whatever the layout', async () => {
  await onStage(async ({ place, hold }) => {
    await loadWell(place, ...METRICS_ONLY);
    const waits = await hold('drop', 'metrics', 3_000);
    const first = RunningLoad.load(place, [...METRICS_ONLY, '--clean', '--seed', '8']);
    await waits();
    first.kill('SIGSTOP');
    await sleep(AWAY_MS);
    const second = RunningLoad.resume(place);
    const refused = await second.ended;
    assert.equal(refused.status, 5, refused.stderr);
    assert.match(refused.stderr, /an earlier loader of this database is still connected/);
    first.kill('SIGCONT');
    const { status, stderr } = await first.ended;
    assert.equal(status, 5, stderr);
    await loadWell(place, ...METRICS_ONLY, '--clean', '--seed', '9');
    await assertEqualToPlan(place);
  });
});
