/**
 * A load survives what a network does to it: cuts in the middle of a message, stalls, a server that
 * is away or slow.
 */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { assertEqualToPlan, load, loadWell, resumeWell } from '../support/dataset.js';
import { LAYOUTS_HERE, SERIES_WRITERS, UNKEYED_LAYOUT } from '../support/features.js';
import { TcpProxy } from '../support/proxy.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer, type TestServer, until } from '../support/server.js';

let server: TestServer;
let proxy: TcpProxy;
let number = 0;

before(async () => {
  // The failpoints of the test commands make the server slow where a test wants it.
  server = await startTestServer({ args: ['--setParameter', 'enableTestCommands=1'] });
});
after(() => server?.stop());
beforeEach(async () => {
  proxy = await TcpProxy.start(server.port);
});
afterEach(() => proxy.stop());

/** A database of its own behind the proxy, and the same one past it. */
function places() {
  const database = `connection_${++number}`;
  return { through: { uri: proxy.uri, database }, past: { uri: server.uri, database } };
}

const SMALL = ['--metrics-only', '--shard-days', '1'];

for (const writer of ['sequence', 'bulkwrite']) {
  for (const layout of LAYOUTS_HERE) {
    test(`cut in the middle of batches: ${writer}, ${layout}`, async () => {
      const { through, past } = places();
      const running = RunningLoad.load(through, [
        ...SMALL,
        '--days',
        '2',
        '--writer',
        writer,
        '--layout',
        layout,
      ]);
      await running.untilPrinted(/assets? written/i);
      for (let cuts = 0; cuts < 4; cuts++)
        await Promise.race([proxy.cutAfter(700_000 + cuts * 12_345), running.ended]);
      const { status, stderr } = await running.ended;
      assert.equal(status, 0, stderr);
      assert.match(stderr, /trying again: /);
      assert.match(stderr, /Retries: [1-9]/);
      await assertEqualToPlan(past);
    });
  }
}

for (const writer of SERIES_WRITERS) {
  const collection = writer === 'buckets' ? 'system.buckets.metrics' : 'metrics';
  test(`a write that outlives its connection is not written twice (time-series, ${writer})`, async () => {
    const { through, past } = places();
    const client = new MongoClient(server.uri);
    try {
      // The first inserts are held up in the server, and meanwhile their connections break.
      await client.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times: 3 },
        data: {
          failCommands: ['insert'],
          namespace: `${past.database}.${collection}`,
          blockConnection: true,
          blockTimeMS: 2000,
        },
      });
      const running = RunningLoad.load(through, [
        ...SMALL,
        '--layout',
        UNKEYED_LAYOUT,
        '--writer',
        writer,
        '--batch-size',
        '500',
      ]);
      const inserts = async () => {
        const isInsert = { 'command.insert': collection, 'command.$db': past.database };
        const pipeline = [{ $currentOp: { allUsers: true } }, { $match: isInsert }];
        return (await client.db('admin').aggregate(pipeline).toArray()).length;
      };
      await until('an insert is held up', async () => (await inserts()) > 0);
      proxy.cut();
      const { status, stderr } = await running.ended;
      assert.equal(status, 0, stderr);
      assert.match(stderr, /Retries: [1-9]/);
      await until('no insert is held up any more', async () => (await inserts()) === 0);
      await assertEqualToPlan(past);
    } finally {
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
      await client.close();
    }
  });
}

describe('a stalled connection', () => {
  for (const layout of LAYOUTS_HERE) {
    test(`is given up and replaced: ${layout}`, async () => {
      const { through, past } = places();
      const running = RunningLoad.load(through, [...SMALL, '--layout', layout], {
        env: { MONGODB_SOCKET_TIMEOUT_MS: '1000' },
      });
      await running.untilPrinted(/assets? written/i);
      proxy.stall();
      // A shard's insert or what the run writes besides, whichever is given up first.
      await running.untilPrinted(/trying again: .* timed out/);
      // Until then the server does not learn that the loader has given up, and what is on its way
      // could still arrive.
      proxy.cutStalled();
      const { status, stderr } = await running.ended;
      assert.equal(status, 0, stderr);
      assert.match(stderr, /Retries: [1-9]/);
      await assertEqualToPlan(past);
    });
  }

  test('is noticed by itself: the default has a limit', async () => {
    const { stdout } = await new RunningLoad(['config', '--json']).ended;
    const { settings } = JSON.parse(stdout);
    const limit = settings.find(
      ({ variable }: { variable: string }) => variable === 'MONGODB_SOCKET_TIMEOUT_MS',
    );
    assert.equal(limit.value, '60000');
  });
});

describe('a server that is away', () => {
  test('for a moment: the load waits', async () => {
    const { through, past } = places();
    const running = RunningLoad.load(through, SMALL);
    await running.untilPrinted(/assets? written/i);
    proxy.refuse();
    await sleep(1500);
    proxy.accept();
    const { status, stderr } = await running.ended;
    assert.equal(status, 0, stderr);
    await assertEqualToPlan(past);
  });

  for (const layout of LAYOUTS_HERE) {
    test(`for longer than the deadline: exit 3, how to resume, and nothing lost (${layout})`, async () => {
      const { through, past } = places();
      const flags = [...SMALL, '--layout', layout, '--retry-seconds', '1'];
      const running = RunningLoad.load(through, flags, {
        env: { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '1500' },
      });
      await running.untilPrinted(/assets? written/i);
      proxy.refuse();
      const { status, stderr } = await running.ended;
      assert.equal(status, 3, stderr);
      assert.match(stderr, /cannot connect to MongoDB at .*gave up after \d+ attempts in \d+ s/);
      assert.match(stderr, /--resume/);
      assert.doesNotMatch(stderr, /^ +at /m, 'a stack trace');
      // The load could not say that it ended. It was on this machine, so nobody has to wait for its
      // lease.
      await resumeWell(past);
      await assertEqualToPlan(past);
    });
  }

  test('from the start: exit 3 at once, and no retries', async () => {
    proxy.refuse();
    const { through } = places();
    const started = performance.now();
    const { status, stderr } = await load(through, [], {
      env: { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '1500' },
    });
    assert.equal(status, 3, stderr);
    assert.ok(performance.now() - started < 10_000);
  });
});

test('a slow server holds the load back, and memory stays flat', async () => {
  const { through, past } = places();
  proxy.delay(25);
  const slow = await loadWell(through, ...SMALL, '--batch-size', '500');
  proxy.delay(0);
  await assertEqualToPlan(past);
  const longer = places();
  proxy.delay(5);
  const more = await loadWell(longer.through, ...SMALL, '--days', '4', '--batch-size', '500');
  // Four times the data that is held up: not four times the memory.
  const grown = more.loader.maxRssMb - slow.loader.maxRssMb;
  assert.ok(grown < 60, `${slow.loader.maxRssMb} MB for a day, ${more.loader.maxRssMb} MB for four`);
});
