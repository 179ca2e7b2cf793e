/**
 * Servers without a journal, and storage engines without majority reads: they can be loaded, and
 * what that means is said once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { runCli } from '../support/cli.js';
import { assertEqualToPlan, END, load, loadWell, placeFlags } from '../support/dataset.js';
import { startTestServer } from '../support/server.js';

const KINDS = {
  'without a journal': ['--nojournal'],
  'in memory': ['--storageEngine', 'ephemeralForTest'],
} as const;

for (const [kind, args] of Object.entries(KINDS)) {
  test(`a server ${kind} is loaded, cleaned, refreshed and repaired`, async () => {
    const server = await startTestServer({ args });
    const client = new MongoClient(server.uri);
    try {
      const place = { uri: server.uri, database: 'volatile' };
      const { status, stderr } = await load(place, ['--backup-only', '--end', '2025-02-08']);
      assert.equal(status, 0, stderr);
      assert.equal(stderr.match(/this server keeps no journal/g)?.length, 1, stderr);
      await loadWell(place, '--backup-only', '--end', '2025-02-08', '--days', '2', '--clean');
      const flags = ['--end', END, '--keep-days', '2', '--log-file', '/dev/null'];
      const refreshed = await runCli(['refresh', ...placeFlags(place), ...flags]);
      assert.equal(refreshed.status, 0, refreshed.stderr);
      await client
        .db(place.database)
        .collection('metrics')
        .updateMany({}, { $set: { value: 7 } });
      const repaired = await runCli(['verify', ...placeFlags(place), '--repair', '--workers', '1']);
      assert.equal(repaired.status, 0, repaired.stderr);
      await assertEqualToPlan(place);
    } finally {
      await client.close();
      await server.stop();
    }
  });
}

test('a server with a journal is not asked in vain: nothing is said, and asking leaves nothing behind', async () => {
  const server = await startTestServer();
  const client = new MongoClient(server.uri);
  try {
    const place = { uri: server.uri, database: 'durable' };
    const refused = await load(place, ['--resume', '--days', '1']);
    assert.equal(refused.status, 0, refused.stderr);
    assert.doesNotMatch(refused.stderr, /journal/);
    const names = (await client.db('admin').admin().listDatabases()).databases.map(({ name }) => name);
    assert.ok(!names.includes(place.database), names.join());
  } finally {
    await client.close();
    await server.stop();
  }
});
