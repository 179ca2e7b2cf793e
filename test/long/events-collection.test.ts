/** `--events`: the collection of events follows its run through everything, and is never another's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Document } from 'mongodb';
import { type LoadOptions, SeedError } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import {
  assertEqualToPlan,
  loadWell,
  type Place,
  placeFlags,
  resumeWell,
  verify,
} from '../support/dataset.js';
import { DISTURBED } from '../support/disturbed.js';
import { hashes, useServer } from '../support/loading.js';
import { killAfterShards } from '../support/running.js';

const file = useServer({ args: ['--setParameter', 'enableTestCommands=1'] });
const place = (database: string): Place => ({ uri: file.server.uri, database });
const events = (database: string) => file.client.db(database).collection('events');
const TWO_DAYS: LoadOptions = { days: 2, sections: ['polling', 'backup'] };

/** What `answers` says, as the documents that it stands for. */
async function answered(database: string): Promise<Document[]> {
  const { stdout, stderr, status } = await runCli(['answers', ...placeFlags(place(database))]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout).events;
}

async function assertAsAnswered(database: string): Promise<void> {
  const stored = await events(database).find().toArray();
  const text = ({ asset_id, assetId, kind, cause, start, end }: Document) =>
    [asset_id ?? assetId, kind, cause, new Date(start).toISOString(), new Date(end).toISOString()].join();
  assert.deepEqual(stored.map(text).sort(), (await answered(database)).map(text).sort());
  assert.ok(stored.length > 0);
}

test('as answers says; through refresh, trims and --clean', async () => {
  const database = file.freshDatabase();
  await file.load(database, { ...TWO_DAYS, events: true });
  await assertAsAnswered(database);
  assert.equal((await assertEqualToPlan(place(database))).exit, 0);
  for (const flags of [
    ['--end', '2025-02-10T07:11Z'],
    ['--end', '2025-02-11', '--keep-days', '2'],
  ]) {
    const refreshed = await runCli(['refresh', ...placeFlags(place(database)), ...flags]);
    assert.equal(refreshed.status, 0, refreshed.stderr);
    await assertAsAnswered(database);
    await assertEqualToPlan(place(database));
  }
  // Another load without any: they are this program's, and go.
  await file.load(database, { ...TWO_DAYS, existing: 'clean' });
  assert.equal(await events(database).countDocuments(), 0);
  await assertEqualToPlan(place(database));
});

test('killed and resumed: all of them; what --resume says of the flag', async () => {
  const database = file.freshDatabase();
  const flags = ['--events', '--batch-size', '500', '--polling-only'];
  await killAfterShards(file.client, place(database), flags, 2);
  await events(database).deleteMany({});
  await resumeWell(place(database));
  await assertAsAnswered(database);
  const without = file.freshDatabase();
  await killAfterShards(file.client, place(without), flags.slice(1), 2);
  const refused = await runCli(['load', ...placeFlags(place(without)), '--resume', '--events']);
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, /--events/);
});

test('verify finds what is missing, different and foreign; --repair writes what is missing', async () => {
  const database = file.freshDatabase();
  await file.load(database, { fleet: DISTURBED, start: new Date('2025-02-07'), events: true });
  const [one, other] = await events(database).find().sort({ _id: 1 }).limit(2).toArray();
  await events(database).deleteOne({ _id: one._id });
  await events(database).updateOne({ _id: other._id }, { $set: { kind: 'bliss' } });
  const { insertedId } = await events(database).insertOne({ kind: 'mine' });
  const found = (await verify(place(database))) as unknown as { status: string; events: Document };
  assert.equal(found.status, 'different');
  const { missing, different, foreign } = found.events;
  assert.deepEqual(
    [missing, different, foreign],
    [[String(one._id)], [String(other._id)], [String(insertedId)]],
  );
  await events(database).deleteOne({ _id: insertedId });
  const repaired = await runCli(['verify', ...placeFlags(place(database)), '--repair', '--json']);
  assert.equal(repaired.status, 0, repaired.stdout + repaired.stderr);
  await assertAsAnswered(database);
});

test('a collection of that name that is somebody else’s: refused, untouched by a load without events, asked about by --clean', async () => {
  const database = file.freshDatabase();
  await events(database).insertOne({ title: 'marathon' });
  const everything = () => hashes(file.client.db(database), 'events', 'metrics', 'assets', 'seed_runs');
  const before = await everything();
  const hour: LoadOptions = { start: new Date('2025-02-08T23:00Z') };
  const isRefused = (named: RegExp) => (error: unknown) => {
    assert.ok(error instanceof SeedError, String(error));
    assert.equal(error.exitStatus, 5);
    assert.match(error.message, named);
    return true;
  };
  await assert.rejects(
    file.load(database, { ...hour, events: true }),
    isRefused(/events of database \S+ holds documents that no run of this program has made/),
  );
  assert.deepEqual(await everything(), before);
  // Without the flag it is in nobody's way, and --clean leaves it.
  await file.load(database, hour);
  await file.load(database, { ...hour, existing: 'clean' });
  assert.equal(await events(database).countDocuments({ title: 'marathon' }), 1);
  await assert.rejects(
    file.load(database, { ...hour, existing: 'clean', events: true }),
    isRefused(/--clean would remove .* events \(1 document\)/),
  );
  assert.equal(await events(database).countDocuments({ title: 'marathon' }), 1);
  await file.load(database, { ...hour, existing: 'clean', events: true, yes: true });
  assert.equal(await events(database).countDocuments({ title: 'marathon' }), 0);
  await assertEqualToPlan(place(database));
});

test('two parts write them once; the summary counts them', async () => {
  const database = file.freshDatabase();
  const flags = ['--events', '--polling-only', '--parts', '2'];
  await loadWell(place(database), ...flags, '--part', '1');
  const { database: counted } = await loadWell(place(database), ...flags, '--part', '2');
  await assertAsAnswered(database);
  assert.equal(counted.collections.events, await events(database).countDocuments());
});
