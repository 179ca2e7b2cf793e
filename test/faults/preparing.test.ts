/**
 * A server that goes away, or falls silent, while collections are prepared: the load goes on or
 * ends in its time, at whatever step it was.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { assertEqualToPlan, resumeWell } from '../support/dataset.js';
import { UNKEYED_LAYOUT } from '../support/features.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer, type TestServer, until } from '../support/server.js';

/**
 * Commands of the steps in their order, each with the collection that tells it from others of its
 * name.
 */
const STEPS = [
  ['createIndexes', 'seed_runs'],
  ['create', 'metrics'],
  ['createIndexes', 'metrics'],
  ['update', 'assets'],
] as const;
type Step = (typeof STEPS)[number];

const DATABASE = 'preparing';
/** Longer than any of these loads may take. */
const BLOCKED_MS = 100_000;
const FLAGS = ['--metrics-only', '--start', '2025-02-08T23:00Z', '--layout', UNKEYED_LAYOUT];
const IMPATIENT = { MONGODB_SOCKET_TIMEOUT_MS: '2000', MONGODB_SERVER_SELECTION_TIMEOUT_MS: '2000' };

/** Starts a load, and resolves when the server has one of its commands waiting. */
async function stopAt(
  server: TestServer,
  [command, collection]: Step,
  retrySeconds: number,
): Promise<RunningLoad> {
  const place = { uri: server.uri, database: DATABASE };
  const client = new MongoClient(server.uri);
  const admin = client.db('admin');
  try {
    const namespace = `${DATABASE}.${collection}`;
    const data = { failCommands: [command], namespace, blockConnection: true, blockTimeMS: BLOCKED_MS };
    await admin.command({ configureFailPoint: 'failCommand', mode: { times: 1 }, data });
    const flags = [...FLAGS, '--retry-seconds', String(retrySeconds)];
    const running = RunningLoad.load(place, flags, { env: IMPATIENT, timeoutMs: 60_000 });
    const waits = { [`command.${command}`]: collection, appName: /^seed-database load/ };
    await until(
      `${command} waits`,
      async () =>
        running.hasEnded ||
        (await admin.aggregate([{ $currentOp: {} }, { $match: waits }]).toArray()).length > 0,
    );
    assert.ok(!running.hasEnded, running.stderr);
    return running;
  } finally {
    await client.close();
  }
}

const ARGS = ['--setParameter', 'enableTestCommands=1'];

describe('while collections are prepared', { concurrency: 2 }, () => {
  for (const [index, step] of STEPS.entries()) {
    const name = step.join(' of ');
    // Killed and shut down in turn.
    const signal = index % 2 === 0 ? 'SIGTERM' : 'SIGKILL';
    test(`${signal} and a restart at ${name}: the load goes on`, async () => {
      const server = await startTestServer({ args: ARGS });
      try {
        const running = await stopAt(server, step, 30);
        await server.kill(signal);
        await server.restart();
        const { status, stderr } = await running.ended;
        assert.ok(!running.hung, stderr);
        assert.equal(status, 0, stderr);
        await assertEqualToPlan({ uri: server.uri, database: DATABASE });
      } finally {
        await server.stop();
      }
    });

    test(`a server that falls silent at ${name}: the load ends, and is resumed or begun again`, async () => {
      const server = await startTestServer({ args: ARGS });
      const place = { uri: server.uri, database: DATABASE };
      try {
        const running = await stopAt(server, step, 3);
        await server.kill('SIGSTOP');
        const { status, stderr } = await running.ended;
        // What it had on its way would keep others away until it is done.
        await server.kill('SIGKILL');
        await server.restart();
        assert.ok(!running.hung, stderr);
        assert.equal(status, 3, stderr);
        assert.doesNotMatch(stderr, /unexpected error/);
        const client = new MongoClient(server.uri);
        const runs = await client.db(DATABASE).collection('seed_runs').countDocuments();
        await client.close();
        if (runs === 0) return;
        await resumeWell(place);
        await assertEqualToPlan(place);
      } finally {
        await server.stop();
      }
    });
  }
});
