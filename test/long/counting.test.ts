/** "Complete" is counted: what another program removes while a load runs is missed at its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { type LoadOptions, type LoadSummary, load, SeedError } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { deleteSeries, placeFlags, seriesFilter, verify } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { END, useServer } from '../support/loading.js';

const file = useServer({ slowInserts: true });
const at = (minutes: number) => new Date(END.getTime() + minutes * 60_000);
const HALF_HOUR = { start: at(-30), end: END, workers: 1 } as const;
const RECORDS = 94 * 30;
/** Of the first machine, which is loaded first. */
const [ASSET, METRIC] = ['pve-node-01', 'cpu_usage'];

/**
 * Loads, and once some records of a series are there removes all that a filter finds, as somebody
 * else would.
 */
async function disturbed(
  database: string,
  options: LoadOptions,
  remove: (db: Db) => Promise<unknown>,
  there: Document,
): Promise<LoadSummary | SeedError> {
  const db = file.client.db(database);
  let removed: Promise<unknown> | undefined;
  const removeOnceThere = async () => {
    while ((await db.collection('metrics').countDocuments(there, { limit: 1 })) === 0);
    await remove(db);
  };
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === 'assetsWritten') removed = removeOnceThere();
  };
  const { uri } = file.server;
  // Buckets are all there before anything can be removed.
  const writer = 'sequence';
  const loading = load({ uri, database, seed: 42, writer, ...HALF_HOUR, ...options }, { onEvent });
  const outcome = await loading.catch((error: unknown) => error);
  await removed;
  assert.ok(removed, 'nothing was removed');
  return outcome as LoadSummary | SeedError;
}

for (const layout of LAYOUTS_HERE) {
  const series = seriesFilter(layout, ASSET, METRIC);
  for (const existing of ['refuse', 'keep'] as const) {
    test(`${layout}, ${existing}: records that vanish while others are loaded fail the load, and verify --repair mends it`, async () => {
      const database = file.freshDatabase();
      const options = { layout, existing };
      if (existing === 'keep') await file.load(database, { start: at(0), end: at(30), workers: 1, layout });
      const own = { ...series, timestamp: { $lt: END } };
      const remove = (db: Db) =>
        layout === 'flat' ? db.collection('metrics').deleteMany(own) : deleteSeries(db, layout, series);
      const error = await disturbed(database, options, remove, own);
      assert.ok(error instanceof SeedError, JSON.stringify(error));
      assert.equal(error.exitStatus, 1);
      assert.match(error.message, /^\d+ of 2,820 records that the server has taken are not there any more/);
      assert.match(error.remedy, /^seed-database verify .*verify --repair/);
      const [run] = await file.client
        .db(database)
        .collection('seed_runs')
        .find()
        .sort({ startedAt: -1 })
        .toArray();
      assert.deepEqual([run.state, run.active], ['failed', undefined]);

      // The way out that was named.
      const place = { uri: file.server.uri, database };
      assert.equal((await verify(place)).status, 'different');
      assert.equal((await verify(place, '--repair')).status, 'equal');
      const resumed = await load({ ...place, existing: 'resume' });
      assert.deepEqual([resumed.status, resumed.records.inserted], ['complete', RECORDS]);
    });
  }
}

test('assets that vanish while records are loaded fail the load', async () => {
  const database = file.freshDatabase();
  const there = { asset_id: ASSET };
  const remove = (db: Db) => db.collection('assets').deleteMany({ asset_type: 'vm' });
  const error = await disturbed(database, {}, remove, there);
  assert.ok(error instanceof SeedError, JSON.stringify(error));
  assert.match(error.message, /^\d+ of 34 assets that the server has taken are not there any more/);
});

test('what is removed beside the dataset is no matter, however the fast count looks', async () => {
  const database = file.freshDatabase();
  await file.load(database, { ...HALF_HOUR, seed: 43 });
  const others = (db: Db) =>
    db.collection('metrics').deleteMany({ asset_id: 'vm-101', timestamp: { $lt: END } });
  const summary = await disturbed(database, { existing: 'keep', start: at(0), end: at(30) }, others, {
    asset_id: ASSET,
    timestamp: { $gte: END },
  });
  assert.ok(!(summary instanceof SeedError), String(summary));
  assert.deepEqual([summary.status, summary.records.inserted], ['complete', RECORDS]);
});

test('one part of two is no dataset yet, and says so; the second one completes it', async () => {
  const place = { uri: file.server.uri, database: file.freshDatabase() };
  const args = (part: number, ...more: string[]) => [
    ...[
      'load',
      ...placeFlags(place),
      '--seed',
      '42',
      '--start',
      at(-30).toISOString(),
      '--end',
      END.toISOString(),
    ],
    ...['--workers', '1', '--log-file', '/dev/null', '--parts', '2', '--part', String(part), ...more],
  ];
  const first = await runCli(args(1));
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /✅ Part 1 of 2 is done in .*; part 2 has not begun/);
  assert.doesNotMatch(first.stdout, /Load complete|ready to use/);
  const again = JSON.parse((await runCli(args(1, '--json'))).stdout);
  assert.equal(again.status, 'part complete');
  assert.deepEqual(again.parts, [
    { part: 1, state: 'complete' },
    { part: 2, state: 'not begun' },
  ]);
  const quiet = await runCli(args(1, '--quiet'));
  assert.match(quiet.stdout, /^✅ Part 1 of 2 is done in .*; part 2 has not begun: /);
  const second = await runCli(args(2));
  assert.match(second.stdout, /Load complete[\s\S]*ready to use/);
  const whole = JSON.parse((await runCli(args(2, '--json'))).stdout);
  assert.equal(whole.status, 'already complete');
});
