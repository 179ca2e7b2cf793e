/**
 * What somebody has removed after a load: no later command takes the dataset for complete, and
 * `verify --repair` puts it back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from 'mongodb';
import { type Layout, load, SeedError } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { deleteSeries, placeFlags, verify } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { END, hashes, useServer } from '../support/loading.js';

const file = useServer();
const at = (minutes: number) => new Date(END.getTime() + minutes * 60_000);
const HALF_HOUR = { start: at(-30), end: END, workers: 1 } as const;

/** What is removed, and what a load says of it. */
const KINDS: readonly (readonly [string, (db: Db, layout: Layout) => Promise<unknown>, RegExp])[] = [
  [
    'metrics dropped',
    (db) => db.dropCollection('metrics'),
    /^2,820 of 2,820 records of run \w+ are not there/,
  ],
  [
    'metrics emptied',
    (db, layout) => deleteSeries(db, layout, {}),
    /^2,820 of 2,820 records of run \w+ are not there/,
  ],
  ['assets dropped', (db) => db.dropCollection('assets'), /^34 of 34 assets of run \w+ are not there/],
];

async function refusal(loading: Promise<unknown>): Promise<SeedError> {
  const error = await loading.then(
    (summary) => assert.fail(JSON.stringify(summary)),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SeedError, String(error));
  return error;
}

for (const layout of LAYOUTS_HERE) {
  for (const [kind, remove, said] of KINDS) {
    test(`${layout}, ${kind}: the same load misses it, and verify --repair is the way out`, async () => {
      const place = { uri: file.server.uri, database: file.freshDatabase() };
      const db = file.client.db(place.database);
      await file.load(place.database, { ...HALF_HOUR, layout });
      await remove(db, layout);
      const before = await hashes(db);
      for (const existing of ['refuse', 'resume'] as const) {
        const options = existing === 'refuse' ? { ...HALF_HOUR, layout } : {};
        const error = await refusal(load({ ...place, seed: 42, ...options, existing }));
        assert.equal(error.exitStatus, 1);
        assert.match(error.message, said);
        assert.match(error.remedy, /verify --repair puts them back/);
      }
      assert.deepEqual(await hashes(db), before);
      const repaired = await verify(place, '--repair');
      assert.deepEqual([repaired.exit, repaired.status], [0, 'equal']);
      assert.equal((await file.load(place.database, { ...HALF_HOUR, layout })).status, 'already complete');
      const [metrics] = await db.listCollections({ name: 'metrics' }).toArray();
      assert.equal(metrics.type, layout === 'flat' ? 'collection' : 'timeseries');
    });
  }

  test(`${layout}: records of other runs beside make up for nothing`, async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    await file.load(database, { ...HALF_HOUR, layout });
    const later = { start: at(0), end: at(60), workers: 1, layout } as const;
    await file.load(database, { ...later, existing: 'keep' });
    await deleteSeries(db, layout, { [layout === 'flat' ? 'asset_id' : 'meta.asset_id']: 'vm-101' });
    const error = await refusal(file.load(database, { ...HALF_HOUR, layout }));
    assert.match(error.message, /^150 of 2,820 records of run \w+ are not there/);
  });

  for (const until of [END, at(10)]) {
    test(`${layout}: refresh up to ${until.toISOString()} of a run whose records are gone is refused, nothing written`, async () => {
      const place = { uri: file.server.uri, database: file.freshDatabase() };
      const db = file.client.db(place.database);
      await file.load(place.database, { ...HALF_HOUR, layout });
      await db.dropCollection('metrics');
      const before = await hashes(db);
      const flags = ['--end', until.toISOString(), '--log-file', '/dev/null'];
      const { status, stderr } = await runCli(['refresh', ...placeFlags(place), ...flags]);
      assert.equal(status, 1, stderr);
      assert.match(stderr, /the records of run \w+ are not there any more/);
      assert.match(stderr, /verify --repair/);
      assert.deepEqual(await hashes(db), before);
      assert.equal((await verify(place, '--repair')).status, 'equal');
      assert.equal((await runCli(['refresh', ...placeFlags(place), ...flags])).status, 0);
    });
  }
}

test('what other programs have put beside makes up for nothing either', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  await db.collection('metrics').insertMany(Array.from({ length: 5_000 }, (_, i) => ({ theirs: i })));
  await file.load(database, { ...HALF_HOUR, existing: 'keep' });
  assert.equal((await file.load(database, { ...HALF_HOUR })).status, 'already complete');
  await db.collection('metrics').deleteMany({ asset_id: 'vm-101' });
  const error = await refusal(file.load(database, { ...HALF_HOUR }));
  assert.match(error.message, /^150 of 2,820 records of run \w+ are not there/);
});
