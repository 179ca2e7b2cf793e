/** `--clean` removes without a question only what a run of this program has made. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from 'mongodb';
import { type LoadEvent, load, SeedError } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { placeFlags } from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { END, hashes, useServer } from '../support/loading.js';

const file = useServer();
const HALF_HOUR = { start: new Date(END.getTime() - 1_800_000), workers: 1 } as const;
const RECORDS = 94 * 30;

/** What somebody has made, and how it is named. */
const KINDS: readonly (readonly [string, (db: Db) => Promise<unknown>, RegExp])[] = [
  [
    'collections without runs',
    async (db) => {
      await db.collection('assets').insertMany([{ theirs: 1 }, { theirs: 2 }]);
      await db.collection('metrics').insertOne({ theirs: true });
    },
    /metrics \(1 document\), assets \(2 documents\)$/,
  ],
  [
    'views',
    async (db) => {
      await db.collection('hosts').insertOne({ theirs: true });
      await db.createCollection('assets', { viewOn: 'hosts', pipeline: [] });
    },
    /assets \(a view of hosts\)$/,
  ],
  [
    'runs that are none of ours',
    async (db) => {
      await db.collection<{ _id: string }>('seed_runs').insertOne({ _id: 'marathon' });
      await db.collection('metrics').insertOne({ theirs: true });
    },
    /metrics \(1 document\), seed_runs \(1 document\)$/,
  ],
  [
    'a collection to which a load has added',
    async (db) => {
      await db.collection('assets').insertOne({ theirs: true });
      await file.load(db.databaseName, { ...HALF_HOUR, existing: 'keep' });
    },
    /assets \(35 documents\)$/,
  ],
  [
    'a view in place of the collection that a run has made',
    async (db) => {
      await file.load(db.databaseName, HALF_HOUR);
      await db.collection('metrics').rename('records');
      await db.createCollection('metrics', { viewOn: 'records', pipeline: [] });
    },
    /: metrics \(a view of records\)$/,
  ],
  ...LAYOUTS_HERE.map(
    (layout) =>
      [
        `documents beside those of a run, ${layout}`,
        async (db: Db) => {
          await file.load(db.databaseName, { ...HALF_HOUR, layout });
          const ofOthers =
            layout === 'flat' ? recordOf : (...names: [string, string]) => ({ meta: recordOf(...names) });
          const timestamp = new Date('2024-01-01');
          await db.collection('metrics').insertMany([
            // Of another asset, of another metric, of nothing.
            { ...ofOthers('their-host', 'cpu_usage'), timestamp },
            { ...ofOthers('vm-101', 'their_metric'), timestamp },
            { timestamp },
          ]);
          await db.collection('assets').insertOne({ theirs: true });
        },
        /: metrics \(3 documents\), assets \(1 document\)$/,
      ] as const,
  ),
];

function recordOf(asset_id: string, metric_name: string) {
  return { asset_id, metric_name };
}

for (const [kind, prepare, named] of KINDS) {
  test(`${kind}: --clean is refused by name and changes nothing, --yes lets it`, async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    await prepare(db);
    const before = await hashes(db);
    const clean = { ...HALF_HOUR, seed: 7, existing: 'clean' } as const;
    await assert.rejects(file.load(database, clean), (error) => {
      assert.ok(error instanceof SeedError, String(error));
      assert.equal(error.exitStatus, 5);
      assert.match(error.message, /^--clean would remove what no run of this program has made in database/);
      assert.match(error.message, named);
      assert.match(error.remedy, /--yes/);
      return true;
    });
    assert.deepEqual(await hashes(db), before);
    const notices: string[] = [];
    const onEvent = (event: LoadEvent) => event.type === 'notice' && notices.push(event.message);
    const { uri } = file.server;
    const summary = await load({ uri, database, end: END, ...clean, yes: true }, { onEvent });
    assert.deepEqual([summary.status, summary.records.inserted], ['complete', RECORDS]);
    assert.ok(
      notices.some((notice) => named.test(notice)),
      notices.join('\n'),
    );
    // From here on it is ours.
    assert.equal((await file.load(database, { ...clean, seed: 8 })).status, 'complete');
  });
}

test('a run that cannot be used any more is still one of ours; nobody at a terminal is asked', async () => {
  const database = file.freshDatabase();
  await file.load(database, HALF_HOUR);
  const db = file.client.db(database);
  await db.collection('seed_runs').updateMany({}, { $set: { state: 'eaten' } });
  assert.equal((await file.load(database, { ...HALF_HOUR, existing: 'clean' })).status, 'complete');
  await db.collection('seed_runs').deleteMany({});
  const place = placeFlags({ uri: file.server.uri, database });
  const { status, stderr } = await runCli(['load', ...place, '--clean', '--log-file', '/dev/null']);
  assert.equal(status, 5, stderr);
  assert.match(stderr, /metrics \(2,820 documents\), assets \(34 documents\)/);
});

test('a run that was stopped while it cleaned: --resume asks for what has come in the meantime', async () => {
  const database = file.freshDatabase();
  await file.load(database, HALF_HOUR);
  const db = file.client.db(database);
  await db.collection('seed_runs').updateMany({}, { $set: { cleaning: true, state: 'interrupted' } });
  await db.collection('metrics').drop();
  await db.collection('metrics').insertOne({ theirs: true });
  const before = await hashes(db);
  const place = placeFlags({ uri: file.server.uri, database });
  const flags = ['load', ...place, '--resume', '--log-file', '/dev/null'];
  const { status, stderr } = await runCli(flags);
  assert.equal(status, 5, stderr);
  assert.match(
    stderr,
    /was stopped while it removed .* --resume would go on with .*: metrics \(1 document\)/,
  );
  assert.deepEqual(await hashes(db), before);
  assert.equal((await runCli([...flags, '--yes'])).status, 0);
  assert.equal(await db.collection('metrics').countDocuments(), RECORDS);
});
