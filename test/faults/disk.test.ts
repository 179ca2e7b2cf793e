/**
 * A server whose disk is full: the cause in one line, exit 6, or 3 where the server itself dies of
 * it; with room again --resume completes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { assertEqualToPlan, resumeWell } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { RunningLoad, untilShards } from '../support/running.js';
import { SLOW_INSERTS, startTestServer } from '../support/server.js';
import { SmallDisk } from '../support/small-disk.js';

// Buckets are so small and few that a load of them is over before a disk is full.
const FLAGS = [
  '--metrics-only',
  '--days',
  '2',
  '--shard-days',
  '1',
  '--batch-size',
  '500',
  '--writer',
  'sequence',
];
const OUT_OF_DISK_SPACE = 14031;

test('a server that says so: exit 6', async () => {
  const server = await startTestServer({ slowInserts: true });
  const client = new MongoClient(server.uri);
  try {
    for (const layout of LAYOUTS_HERE) {
      const place = { uri: server.uri, database: `says_so_${layout}` };
      const running = RunningLoad.load(place, [...FLAGS, '--layout', layout]);
      await untilShards(running, server.uri, place.database, 2);
      const data = { failCommands: ['insert'], errorCode: OUT_OF_DISK_SPACE };
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
      const { status, stderr } = await running.ended;
      await client.db('admin').command({ configureFailPoint: 'failCommand', ...SLOW_INSERTS });
      assert.equal(status, 6, stderr);
      assert.match(stderr, /❌ the server has no disk space left: [^\n]+\n.*--resume/);
      await resumeWell(place);
      await assertEqualToPlan(place);
    }
  } finally {
    await client.close();
    await server.stop();
  }
});

// Room for both datasets: the disk is full when the ballast says so, not before.
const disk = SmallDisk.mount(600);
// Small pieces of journal, made when they are needed: a server that has room for none stops soon.
const SMALL_JOURNAL = ['--wiredTigerEngineConfigString', 'log=(file_max=1MB,prealloc=false)'];
// Where nothing can be mounted there is no disk to fill.
if (disk) {
  test('a disk that is full: exit 6 or 3, and with room again --resume completes', async () => {
    const server = await startTestServer({
      slowInserts: true,
      dataDirectory: disk.path,
      args: SMALL_JOURNAL,
    });
    try {
      for (const layout of LAYOUTS_HERE) {
        const place = { uri: server.uri, database: `full_${layout}` };
        const flags = [...FLAGS, '--layout', layout, '--days', '3', '--retry-seconds', '1'];
        const running = RunningLoad.load(place, flags, {
          env: { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '1500' },
        });
        await untilShards(running, server.uri, place.database, 2);
        // It stands still meanwhile: on a fast machine it would be done before the disk is full.
        running.kill('SIGSTOP');
        disk.fillUpTo(0);
        running.kill('SIGCONT');
        const { status, stderr } = await running.ended;
        disk.empty();
        assert.ok(status === 6 || status === 3, `${status}: ${stderr}`);
        assert.match(stderr, /❌ [^\n]+\n.*--resume/);
        assert.doesNotMatch(stderr, /^ +at /m);
        await server.kill('SIGKILL');
        await server.restart();
        await resumeWell(place);
        await assertEqualToPlan(place);
      }
    } finally {
      await server.stop();
      disk.unmount();
    }
  });
}
