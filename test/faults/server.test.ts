/**
 * A load survives its server: killed and restarted under it, stopped for a while, or gone while
 * nobody waits.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertEqualToPlan, resumeWell } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;

before(async () => {
  server = await startTestServer({ slowInserts: true });
});
after(() => server?.stop());

const FLAGS = ['--metrics-only', '--days', '2', '--shard-days', '1', '--batch-size', '500'];

for (const layout of LAYOUTS_HERE) {
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    test(`restarted under load, after ${signal}: ${layout}`, async () => {
      const place = { uri: server.uri, database: `restart_${layout}_${signal}` };
      const running = RunningLoad.load(place, [...FLAGS, '--layout', layout]);
      await untilShards(running, server.uri, place.database, 3);
      // Twice, so that one falls between the journal's writes, whose interval is a tenth of a
      // second.
      for (const pause of [0, 70]) {
        await sleep(pause + Math.random() * 100);
        await server.kill(signal);
        await server.restart();
      }
      const { status, stderr } = await running.ended;
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /^ +at /m);
      await assertEqualToPlan(place);
    });
  }
}

test('killed while collections are made: what was made is there, or is made again', async () => {
  for (const layout of LAYOUTS_HERE) {
    const place = { uri: server.uri, database: `early_${layout}` };
    const running = RunningLoad.load(place, [...FLAGS, '--days', '1', '--layout', layout]);
    await running.untilPrinted(/Connected/);
    await sleep(Math.random() * 120);
    await server.kill('SIGKILL');
    await server.restart();
    const { status, stderr } = await running.ended;
    assert.equal(status, 0, stderr);
    await assertEqualToPlan(place);
  }
});

test('killed for good: exit 3, and after it is back --resume completes', async () => {
  const place = { uri: server.uri, database: 'for_good' };
  const running = RunningLoad.load(place, [...FLAGS, '--retry-seconds', '1'], {
    env: { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '1500' },
  });
  await untilShards(running, server.uri, place.database, 3);
  await server.kill('SIGKILL');
  const { status, stderr } = await running.ended;
  await server.restart();
  assert.equal(status, 3, stderr);
  assert.match(stderr, /--resume/);
  await resumeWell(place);
  await assertEqualToPlan(place);
});

test('Ctrl-C while the server is away: exit 130 without a long wait, and --resume completes', async () => {
  const place = { uri: server.uri, database: 'interrupt_away' };
  const running = RunningLoad.load(place, FLAGS, { env: { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '1500' } });
  await untilShards(running, server.uri, place.database, 3);
  await server.kill('SIGKILL');
  await sleep(300);
  const asked = performance.now();
  running.kill('SIGINT');
  const { status, stderr } = await running.ended;
  const waited = performance.now() - asked;
  await server.restart();
  assert.equal(status, 130, stderr);
  assert.ok(waited < 15_000, `${waited} ms`);
  await resumeWell(place);
  await assertEqualToPlan(place);
});
