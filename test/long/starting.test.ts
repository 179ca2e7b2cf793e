/** What a load does with a database that is not empty: complete, unfinished, somebody else's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoadOptions, type LoadSummary, load, SeedError } from '../../src/index.js';
import { LAYOUTS_HERE, UNKEYED_LAYOUT } from '../support/features.js';
import { daysBefore, END, hashes, seriesFigures, useServer } from '../support/loading.js';

const file = useServer({ slowInserts: true });

/** An hour with its 5,640 records, quick to load. */
const HOUR = { start: new Date(END.getTime() - 3_600_000), workers: 1 } as const;
const HOUR_RECORDS = 94 * 60;
const THREE_CHOICES = /--resume finishes .*--clean removes .*--skip-cleanup keeps/;

async function refused(loading: Promise<unknown>): Promise<SeedError> {
  try {
    await loading;
  } catch (error) {
    assert.ok(error instanceof SeedError, String(error));
    assert.doesNotMatch(error.message + error.remedy, /\n/);
    return error;
  }
  assert.fail('it was not refused');
}

/** Loads until a number of shards is done, and stops in good order. */
async function interrupted(database: string, options: LoadOptions, shardsDone = 0): Promise<LoadSummary> {
  const stop = new AbortController();
  const observer = {
    signal: stop.signal,
    onEvent: (event: { readonly type: string; readonly shardsDone?: number }) => {
      const { type, shardsDone: done = -1 } = event;
      if (type === 'assetsWritten' ? shardsDone === 0 : done >= shardsDone) stop.abort();
    },
  };
  const uri = file.server.uri;
  const summary = await load({ uri, database, seed: 42, end: END, ...options }, observer);
  assert.equal(summary.status, 'interrupted');
  return summary;
}

test('the same run again is already complete, whatever its speed settings', async () => {
  const database = file.freshDatabase();
  const first = await file.load(database, HOUR);
  const before = await hashes(file.client.db(database), 'assets', 'metrics', 'seed_runs', 'seed_shards');
  const again = await file.load(database, { ...HOUR, batchSize: 50, shardDays: 1, writer: 'bulkwrite' });
  assert.equal(again.status, 'already complete');
  assert.deepEqual([again.runId, again.records], [first.runId, first.records]);
  assert.deepEqual(
    await hashes(file.client.db(database), 'assets', 'metrics', 'seed_runs', 'seed_shards'),
    before,
  );
});

test('every other dataset is refused with exit status 5 and the three choices', async () => {
  const database = file.freshDatabase();
  await file.load(database, HOUR);
  const before = await hashes(file.client.db(database), 'assets', 'metrics', 'seed_runs', 'seed_shards');
  const others: LoadOptions[] = [
    { seed: 43 },
    { start: daysBefore(0.5) },
    { sections: ['metrics'] },
    { availabilityScale: 'unit' },
    { environment: 'production' },
  ];
  for (const other of others) {
    const error = await refused(file.load(database, { ...HOUR, ...other }));
    assert.equal(error.exitStatus, 5);
    assert.match(
      error.message,
      /^the target database is not empty: it holds data already \(assets, metrics\)$/,
    );
    assert.match(error.remedy, THREE_CHOICES);
  }
  assert.deepEqual(
    await hashes(file.client.db(database), 'assets', 'metrics', 'seed_runs', 'seed_shards'),
    before,
  );
});

test('a database whose collections somebody else filled is refused as well', async () => {
  const database = file.freshDatabase();
  await file.client.db(database).collection('assets').insertOne({ theirs: true });
  const error = await refused(file.load(database, HOUR));
  assert.deepEqual([error.exitStatus, THREE_CHOICES.test(error.remedy)], [5, true]);
  const names = (await file.client.db(database).listCollections().toArray()).map(({ name }) => name);
  assert.deepEqual(names, ['assets']);
});

test('an unfinished run is named, its own options do not start it over, and --clean does', async () => {
  const database = file.freshDatabase();
  const { runId } = await interrupted(database, HOUR);
  for (const seed of [42, 43]) {
    const error = await refused(file.load(database, { ...HOUR, seed }));
    assert.equal(error.exitStatus, 5);
    assert.ok(error.message.includes(`it holds the unfinished run ${runId} (seed 42)`), error.message);
    assert.match(error.remedy, THREE_CHOICES);
  }
  const cleaned = await file.load(database, { ...HOUR, seed: 43, existing: 'clean' });
  assert.deepEqual([cleaned.status, cleaned.seed, cleaned.resumed], ['complete', 43, false]);
  assert.equal(await file.client.db(database).collection('metrics').countDocuments(), HOUR_RECORDS);
  assert.equal(await file.client.db(database).collection('seed_runs').countDocuments(), 1);
});

for (const layout of LAYOUTS_HERE) {
  test(`${layout}: --resume takes seed, period and layout from the run, skips what is done, and ends with every record once`, async () => {
    const [database, whole] = [file.freshDatabase(), file.freshDatabase()];
    const options = { start: daysBefore(0.5), layout } as const;
    // One worker with small batches of documents on a slow server takes long enough to be
    // interrupted; buckets are there at once.
    const slow = { writer: 'sequence', batchSize: 200, workers: 1 } as const;
    const stopped = await interrupted(database, { ...options, ...slow }, 3);
    assert.ok(stopped.shards.done >= 3 && stopped.shards.done < 32, String(stopped.shards.done));
    assert.ok(stopped.records.inserted < stopped.records.planned);

    // Without options of its own, as on another day.
    const resumed = await load({ uri: file.server.uri, database, existing: 'resume' });
    assert.deepEqual(
      [resumed.status, resumed.resumed, resumed.runId, resumed.seed, resumed.layout, resumed.window],
      ['complete', true, stopped.runId, 42, layout, { start: daysBefore(0.5), end: END }],
    );
    assert.deepEqual(resumed.shards, { total: 32, done: 32, skipped: stopped.shards.done });
    assert.equal(resumed.records.inserted, 94 * 720);
    await file.load(whole, options);
    const figures = await seriesFigures(file.client.db(database), layout);
    assert.deepEqual(figures, await seriesFigures(file.client.db(whole), layout));
    for (const { records, minutes, asset, metric } of figures)
      assert.equal(records, minutes, `${asset} ${metric}`);

    const again = await load({ uri: file.server.uri, database, existing: 'resume' });
    assert.deepEqual([again.status, again.runId], ['nothing to resume', resumed.runId]);
  });
}

test('--resume refuses what contradicts the run, by the name of the flag, and takes what agrees', async () => {
  const database = file.freshDatabase();
  const { runId } = await interrupted(database, HOUR);
  const uri = file.server.uri;
  const contradictions: [LoadOptions, string, RegExp][] = [
    [{ seed: 43 }, '--seed', /it has seed 42$/],
    [{ days: 2 }, '--days', /it has 0\.041\d* days$/],
    [{ end: daysBefore(1) }, '--end', /it has end 2025-02-09T00:00:00\.000Z$/],
    [{ start: daysBefore(1) }, '--start', /it has start 2025-02-08T23:00:00\.000Z$/],
    [{ layout: 'timeseries' }, '--layout', /it has layout flat$/],
    [{ availabilityScale: 'unit' }, '--availability-scale', /it has availability scale percent$/],
    [{ environment: 'production' }, '--environment', /it has environment development$/],
    [{ sections: ['backup'] }, '--backup-only', /it has the sections metrics, polling, backup$/],
    [{ shardDays: 1 }, '--shard-days', /it has shards of 7 days$/],
  ];
  const before = await hashes(file.client.db(database), 'seed_runs', 'seed_shards', 'assets', 'metrics');
  for (const [options, flag, stored] of contradictions) {
    const error = await refused(load({ uri, database, existing: 'resume', ...options }));
    assert.equal(error.exitStatus, 2, flag);
    assert.ok(error.message.startsWith(`${flag} contradicts the run to resume, ${runId}: `), error.message);
    assert.match(error.message, stored);
    assert.ok(error.remedy.includes(`leave ${flag} away`), error.remedy);
  }
  assert.deepEqual(
    await hashes(file.client.db(database), 'seed_runs', 'seed_shards', 'assets', 'metrics'),
    before,
  );
  const agreeing = { seed: 42, ...HOUR, end: END, layout: 'flat', shardDays: 7 } as const;
  const resumed = await load({ uri, database, existing: 'resume', ...agreeing });
  assert.deepEqual([resumed.status, resumed.records.inserted], ['complete', HOUR_RECORDS]);
});

test('--resume of an empty database finds nothing to resume, and leaves it empty', async () => {
  const database = file.freshDatabase();
  const summary = await file.load(database, { existing: 'resume' });
  assert.deepEqual([summary.status, summary.records.inserted], ['nothing to resume', 0]);
  assert.deepEqual(await file.client.db(database).listCollections().toArray(), []);
});

for (const layout of LAYOUTS_HERE) {
  test(`${layout}: --skip-cleanup adds a later hour, overlapping the first, without doubling a record`, async () => {
    const [database, whole] = [file.freshDatabase(), file.freshDatabase()];
    const at = (minutes: number) => new Date(END.getTime() + minutes * 60_000);
    const base = { workers: 1, layout } as const;
    await file.load(database, { ...base, start: at(-60), end: END });
    const added = await file.load(database, { ...base, start: at(-30), end: at(30), existing: 'keep' });
    assert.deepEqual([added.status, added.records.inserted], ['complete', HOUR_RECORDS]);
    await file.load(whole, { ...base, start: at(-60), end: at(30) });
    const db = file.client.db(database);
    const figures = await seriesFigures(db, layout);
    assert.deepEqual(figures, await seriesFigures(file.client.db(whole), layout));
    assert.deepEqual([figures.length, figures[0].records, figures[0].minutes], [94, 90, 90]);
    assert.equal(await db.collection('assets').countDocuments({ last_updated: at(30) }), 34);
    assert.equal(await db.collection('seed_runs').countDocuments(), 2);
  });
}

test('--clean removes this program’s collections and nothing else', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  await file.load(database, { ...HOUR, layout: UNKEYED_LAYOUT });
  await db.collection('customers').insertOne({ name: 'Ada' });
  await db.collection('metrics_archive').insertOne({ value: 1 });
  await db.collection('seed_runs_backup').insertOne({ value: 2 });
  await db.createCollection('newest', { viewOn: 'customers', pipeline: [] });
  const neighbour = file.client.db(file.freshDatabase());
  await neighbour.collection('metrics').insertOne({ value: 3 });

  const { status } = await file.load(database, { ...HOUR, seed: 7, existing: 'clean' });
  assert.equal(status, 'complete');
  assert.equal(await db.collection('metrics').countDocuments({ unit: { $exists: true } }), HOUR_RECORDS);
  assert.equal((await db.collection('customers').findOne({}))?.name, 'Ada');
  assert.equal((await db.collection('newest').findOne({}))?.name, 'Ada');
  assert.equal((await db.collection('metrics_archive').findOne({}))?.value, 1);
  assert.equal((await db.collection('seed_runs_backup').findOne({}))?.value, 2);
  assert.equal((await neighbour.collection('metrics').findOne({}))?.value, 3);
});

test('--clean of a production database needs --yes, and removes nothing before', async () => {
  const database = file.freshDatabase();
  await file.load(database, { ...HOUR, environment: 'production' });
  const db = file.client.db(database);
  const before = await hashes(db, 'assets', 'metrics', 'seed_runs', 'seed_shards');
  const clean = { ...HOUR, seed: 7, environment: 'production', existing: 'clean' } as const;
  const error = await refused(file.load(database, clean));
  assert.equal(error.exitStatus, 2);
  assert.match(error.message, /^--clean would remove data of the production database/);
  assert.match(error.remedy, /--yes/);
  assert.deepEqual(await hashes(db, 'assets', 'metrics', 'seed_runs', 'seed_shards'), before);
  assert.equal((await file.load(database, { ...clean, yes: true })).status, 'complete');
  assert.notDeepEqual(await hashes(db, 'metrics'), { metrics: before.metrics });
});

test('a load without a seed draws one, says so, and the summary repeats the dataset', async () => {
  const [database, again] = [file.freshDatabase(), file.freshDatabase()];
  const { uri } = file.server;
  const options = { uri, ...HOUR, end: END };
  let given: boolean | undefined;
  const onEvent = (event: { readonly type: string; readonly seedGiven?: boolean }) => {
    if (event.type === 'started') given = event.seedGiven;
  };
  const { seed } = await load({ ...options, database }, { onEvent });
  assert.equal(given, false);
  assert.ok(Number.isInteger(seed) && seed > 0, String(seed));
  await load({ ...options, database: again, seed });
  assert.deepEqual(
    await hashes(file.client.db(again), 'metrics'),
    await hashes(file.client.db(database), 'metrics'),
  );
});

test('a run that goes on has no end until it ends again', async () => {
  const database = file.freshDatabase();
  await interrupted(database, HOUR);
  const runs = file.client.db(database).collection('seed_runs');
  assert.ok((await runs.findOne({}))?.finishedAt instanceof Date);
  let meanwhile: Promise<unknown> | undefined;
  const onEvent = ({ type }: { readonly type: string }) => {
    if (type === 'assetsWritten') meanwhile = runs.findOne({ finishedAt: { $exists: true } });
  };
  await load({ uri: file.server.uri, database, existing: 'resume' }, { onEvent });
  assert.equal(await meanwhile, null);
  assert.ok((await runs.findOne({}))?.finishedAt instanceof Date);
});
