/**
 * The three lines of README in a test suite, on the servers that `mongodb-memory-server` starts by
 * default for 4.4 to 6.0: their storage engine keeps no journal. The same for a mongod whose
 * journal was switched off.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { MongoMemoryServer } from 'mongodb-memory-server-core';
import { obtainBinary } from '../../src/embedded/binary.js';
import { load, verify } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { assertEqualToPlan, loadWell } from '../support/dataset.js';
import { LAYOUTS_HERE, SERVER_VERSION } from '../support/features.js';
import { startTestServer } from '../support/server.js';

const DAY_OF_DEFAULT_FLEET = 135_370;
const silent = () => undefined;

test('README’s three lines, on the server that mongodb-memory-server starts', async () => {
  const { path } = await obtainBinary(silent);
  const server = await MongoMemoryServer.create({
    binary: { systemBinary: path, version: SERVER_VERSION, checkMD5: false },
  });
  const uri = server.getUri('my_tests');
  const client = new MongoClient(uri);
  try {
    const { storageEngine } = await client.db('admin').command({ serverStatus: 1 });
    assert.equal(storageEngine.name, 'ephemeralForTest');
    for (const seed of [42, 43]) {
      const summary = await load({ uri, days: 1, seed, existing: 'clean' });
      assert.deepEqual([summary.status, summary.records.inserted], ['complete', DAY_OF_DEFAULT_FLEET]);
      assert.equal(await client.db('my_tests').collection('metrics').countDocuments(), DAY_OF_DEFAULT_FLEET);
    }
    assert.equal((await verify({ uri })).status, 'equal');
  } finally {
    await client.close();
    await server.stop();
  }
});

for (const layout of LAYOUTS_HERE) {
  test(`${layout}: a server whose journal is off takes every record once, and what that means is said`, async () => {
    const server = await startTestServer({ args: ['--nojournal'] });
    try {
      const place = { uri: server.uri, database: 'no_journal' };
      await loadWell(place, '--layout', layout);
      await assertEqualToPlan(place);
      const args = ['load', '--uri', server.uri, '--database', 'no_journal', '--clean', '--days', '1'];
      const { status, stdout, stderr } = await runCli([
        ...args,
        '--layout',
        layout,
        '--log-file',
        '/dev/null',
      ]);
      assert.equal(status, 0, stderr);
      assert.match(stdout + stderr, /journal/);
    } finally {
      await server.stop();
    }
  });
}
