/**
 * A load that is refused because an earlier loader is still connected leaves nothing; one that was
 * stopped while it cleaned says so.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MongoClient } from 'mongodb';
import { formatLoaderName } from '../../src/connect/loader-connections.js';
import { SeedError } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { load as loadWith, placeFlags, verify } from '../support/dataset.js';
import { UNKEYED_LAYOUT } from '../support/features.js';
import { END, hashes, useServer } from '../support/loading.js';

const file = useServer();
const HALF_HOUR = { start: new Date(END.getTime() - 1_800_000), workers: 1 } as const;

test('an earlier loader is still connected: the load is refused and takes its run back', async () => {
  const kinds = [
    { existing: 'clean', layout: 'flat' },
    { existing: 'keep', layout: UNKEYED_LAYOUT, start: END, end: new Date(END.getTime() + 60_000) },
  ] as const;
  await Promise.all(
    kinds.slice(0, UNKEYED_LAYOUT === 'timeseries' ? 2 : 1).map(async (options) => {
      const database = file.freshDatabase();
      await file.load(database, { ...HALF_HOUR, layout: options.layout });
      const db = file.client.db(database);
      const before = await hashes(db);
      const appName = formatLoaderName({ database, loader: 'feed', thread: 0, generation: 0 });
      const earlier = new MongoClient(file.server.uri, { appName });
      try {
        await earlier.db('admin').command({ ping: 1 });
        await assert.rejects(file.load(database, { ...HALF_HOUR, seed: 8, ...options }), (error) => {
          assert.ok(error instanceof SeedError, String(error));
          assert.equal(error.exitStatus, 5);
          assert.match(error.message, /an earlier loader of this database is still connected/);
          return true;
        });
      } finally {
        await earlier.close();
      }
      assert.deepEqual(await hashes(db), before);
      assert.equal((await file.load(database, { existing: 'resume' })).status, 'nothing to resume');
    }),
  );
});

test('a run that was stopped while it cleaned: whoever may resume it is told what that removes', async () => {
  const place = { uri: file.server.uri, database: file.freshDatabase() };
  await file.load(place.database, HALF_HOUR);
  const runs = file.client.db(place.database).collection('seed_runs');
  const { _id, ...run } = (await runs.findOne()) ?? assert.fail();
  const stopped = { ...run, seed: 7, state: 'interrupted', cleaning: true, startedAt: new Date() };
  await runs.insertOne({ _id: 'ffffffffffffffffffffffff', ...stopped } as never);
  const said =
    /stopped while it removed the data of this database.*resuming (?:it )?removes what is left of them/;
  const flags = placeFlags(place);
  assert.match((await runCli(['verify', ...flags, '--workers', '1'])).stdout, said);
  assert.match((await runCli(['status', ...flags])).stdout, said);
  assert.match((await runCli(['doctor', ...flags])).stdout, said);
  const refused = await loadWith(place);
  assert.equal(refused.status, 5);
  assert.match(refused.stderr, said);
  const resumed = await runCli(['load', ...flags, '--resume', '--log-file', '/dev/null']);
  assert.equal(resumed.status, 0, resumed.stderr);
  assert.match(resumed.stdout + resumed.stderr, /was stopped while it removed the data of this database/);
  assert.equal((await verify(place)).status, 'equal');
});
