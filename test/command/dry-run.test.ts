/** `--dry-run`: what a load would do, without doing any of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { CONTROL_CODE, HOUR, inFolder } from '../support/cli.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { useServer } from '../support/loading.js';

const file = useServer();

test('--dry-run connects to nothing, writes nothing, and knows every count and size', async () => {
  let connections = 0;
  const listener = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  assert.ok(address !== null && typeof address === 'object');
  const day = ['--dry-run', '--days', '1', '--seed', '42', '--end', '2025-02-09T00:00Z'];
  const where = ['--host', '127.0.0.1', '--port', String(address.port)];
  try {
    await inFolder([...day, ...where], ({ status, stdout, stderr }, cwd) => {
      assert.equal(status, 0, stderr);
      assert.match(stdout, /├── Records: 135,370\n/);
      assert.match(stdout, /🎯 Dry run: nothing was connected to, nothing written\n$/);
      assert.doesNotMatch(stdout, CONTROL_CODE);
      assert.deepEqual(readdirSync(cwd), []);
    });
    await inFolder([...day, ...where, '--json'], ({ stdout }) => {
      const { records, size } = JSON.parse(stdout) as { records: object; size: { documentBytes: number } };
      assert.deepEqual(records, { planned: 135_370, metrics: 43_200, polling: 92_160, backup: 10 });
      assert.ok(size.documentBytes > 135_370 * 100, String(size.documentBytes));
    });
    await inFolder([...day, ...where, '--quiet'], ({ stdout }) => assert.match(stdout, /^🎯[^\n]+\n$/));
    assert.equal(connections, 0);
  } finally {
    listener.close();
  }
});

test('--dry-run names the bytes of all documents exactly', async () => {
  for (const layout of LAYOUTS_HERE) {
    const flags = [...HOUR, '--layout', layout, '--environment', 'production', '--json'];
    let size = 0;
    await inFolder([...flags, '--dry-run'], ({ stdout }) => {
      size = (JSON.parse(stdout) as { size: { documentBytes: number } }).size.documentBytes;
    });
    const database = file.freshDatabase();
    await inFolder(
      [...flags, '--uri', file.server.uri, '--database', database],
      async ({ status, stderr }) => {
        assert.equal(status, 0, stderr);
        const db = file.client.db(database);
        let stored = 0;
        for (const collection of ['assets', 'metrics']) {
          const total = { $group: { _id: null, bytes: { $sum: { $bsonSize: '$$ROOT' } } } };
          const [sum] = await db
            .collection(collection)
            .aggregate([{ $unset: unsent(layout, collection) }, total])
            .toArray();
          stored += Number(sum.bytes);
        }
        assert.equal(size, stored, layout);
      },
    );
  }
});

/** A time-series collection adds an `_id` to what it is sent. */
function unsent(layout: string, collection: string): string {
  return layout === 'timeseries' && collection === 'metrics' ? '_id' : 'no such field';
}

test('--dry-run says of records that expire at once what a load would say', async () => {
  const flags = ['--dry-run', '--layout', 'timeseries', '--days', '3', '--seed', '42', '--ttl-days'];
  await inFolder([...flags, '2'], ({ status, stdout }) => {
    assert.equal(status, 0);
    assert.match(
      stdout,
      /[\d,]+ of the [\d,]+ records are older than metrics keeps them \(for 2 days\): the server/,
    );
  });
  await inFolder([...flags, '2', '--json'], ({ stdout }) => assert.ok(JSON.parse(stdout).expired > 100_000));
  await inFolder([...flags, '2', '--end', '2025-02-09'], ({ status, stderr }) => {
    assert.equal(status, 2);
    assert.match(stderr, /--ttl-days is too short: all [\d,]+ records are older/);
  });
});
