/**
 * Fleets of one's own, end to end: loaded, verified, and known again by everything that comes after
 * the load.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Document } from 'mongodb';
import { type CliResult, runCli } from '../support/cli.js';
import {
  assertEqualToPlan,
  load,
  loadWell,
  type Place,
  placeFlags,
  resumeWell,
  verify,
} from '../support/dataset.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { useServer } from '../support/loading.js';

const EXAMPLES = fileURLToPath(new URL('../../../examples/fleets/', import.meta.url));
const OFFICE = join(EXAMPLES, 'small-office.yaml');
const DEFAULT = join(EXAMPLES, 'default.yaml');

const file = useServer();
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'seed-database-fleets-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const freshPlace = (): Place => ({ uri: file.server.uri, database: file.freshDatabase() });
const HOUR = ['--seed', '7', '--start', '2025-02-08T10:00:00Z', '--end', '2025-02-08T11:00:00Z'];

function loadHour(place: Place, ...flags: readonly string[]): Promise<CliResult> {
  return runCli(['load', ...placeFlags(place), ...HOUR, '--json', '--log-file', '/dev/null', ...flags]);
}

async function loadHourWell(place: Place, ...flags: readonly string[]): Promise<Document> {
  const { status, stdout, stderr } = await loadHour(place, ...flags);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

for (const layout of LAYOUTS_HERE) {
  test(`the small office loads and verifies: ${layout}`, async () => {
    const place = freshPlace();
    const { assets, records } = await loadWell(place, '--fleet', OFFICE, '--layout', layout);
    assert.deepEqual(assets, { machines: 4, services: 5, jobs: 2, total: 11 });
    // Four machines, of which one has two metrics of its own and one has one.
    assert.equal(records.metrics, (4 * 3 + 3) * 1440);
    assert.equal(records.polling, 9 * 2 * 1440);
    await assertEqualToPlan(place);
    const metrics = file.client.db(place.database).collection('metrics');
    const prefix = layout === 'flat' ? '' : 'meta.';
    const filter = { [`${prefix}asset_id`]: 'file-store', [`${prefix}metric_name`]: 'disk_usage' };
    const values = (await metrics.find(filter).toArray()).map(({ value }) => Number(value));
    assert.equal(values.length, 1440);
    assert.ok(values.every((value) => value >= 55 && value <= 93));
  });

  // A thousand sites take minutes: docs/fleets.md has what they took. Three are the same work, less
  // of it.
  test(`many sites of the default fleet for an hour load and verify: ${layout}`, async () => {
    const place = freshPlace();
    const flags = ['--fleet', DEFAULT, '--scale', '3', '--layout', layout];
    const { assets, records, shards } = await loadHourWell(place, ...flags);
    assert.equal(assets.total, 3 * 34);
    assert.equal(records.inserted, 3 * 5640);
    assert.equal(shards.total, 3 * 32);
    const { records: found } = await assertEqualToPlan(place);
    assert.equal(found.found, 3 * 5640);
  });
}

test('the example of the default fleet gives the very dataset of no --fleet at all', async () => {
  const [named, unnamed] = [freshPlace(), freshPlace()];
  await loadHourWell(named, '--fleet', DEFAULT);
  await loadHourWell(unnamed);
  const fingerprints = await Promise.all(
    [named, unnamed].map(async (place) => (await assertEqualToPlan(place)).fingerprint),
  );
  assert.equal(fingerprints[0], fingerprints[1]);
});

test('a run knows its fleet: resume, status, verify, refresh and report need no flag, and no file', async () => {
  const place = freshPlace();
  const path = join(folder, 'office.yaml');
  writeFileSync(path, readFileSync(OFFICE));
  const fleet = ['--fleet', path, '--scale', '2', '--timezone', 'America/New_York'];
  // Over midnight and into the night's backups, in two parts.
  const window = (end: string) => ['--start', '2025-02-07T22:00Z', '--end', end];
  const { records } = await loadWell(place, ...fleet, ...window('2025-02-08T02:00Z'));
  rmSync(path);

  const database = file.client.db(place.database);
  await database.collection('seed_runs').updateOne({}, { $set: { state: 'interrupted' } });
  await database.collection('metrics').deleteMany({ asset_id: 'site-00002-vm-mail' });
  const { deletedCount } = await database
    .collection('seed_shards')
    .deleteOne({ asset: 'site-00002-vm-mail' });
  assert.equal(deletedCount, 1);
  const run = (subcommand: string, ...flags: string[]): Promise<CliResult> =>
    runCli([subcommand, ...placeFlags(place), ...flags], { cwd: folder });
  const resumed = await resumeWell(place);
  assert.equal(resumed.records.planned, records.planned);
  assert.equal(resumed.shards.skipped, resumed.shards.total - 1);

  const end = '2025-02-08T05:00Z';
  const refreshed = await run('refresh', '--end', end, '--log-file', '/dev/null', '--json');
  assert.equal(refreshed.status, 0, refreshed.stderr);
  const { assets } = await assertEqualToPlan(place);
  assert.equal((assets as Document).found, 22);
  const status = await run('status', '--json');
  assert.equal(status.status, 0, status.stderr);
  const page = join(folder, 'report.html');
  const report = await run('report', '--html', page);
  assert.equal(report.status, 0, report.stderr);
  assert.match(readFileSync(page, 'utf8'), /site-00002-svc-accounting/);

  // One longer load of the same fleet is the same.
  const whole = freshPlace();
  writeFileSync(path, readFileSync(OFFICE));
  await loadWell(whole, ...fleet, ...window(end));
  const [grown, one] = await Promise.all([verify(place), verify(whole)]);
  assert.equal(grown.fingerprint, one.fingerprint);
});

test('a fleet that a run was not made with is refused', async () => {
  const place = freshPlace();
  await loadHourWell(place, '--fleet', OFFICE);
  await file.client
    .db(place.database)
    .collection('seed_runs')
    .updateOne({}, { $set: { state: 'interrupted' } });
  for (const [flags, named] of [
    [['--fleet', DEFAULT], /--fleet/],
    [['--scale', '3'], /--scale/],
    [['--timezone', 'UTC'], /--timezone/],
  ] as const) {
    const { status, stderr } = await loadHour(place, '--resume', '--fleet', OFFICE, ...flags);
    assert.equal(status, 2, stderr);
    assert.match(stderr, named);
  }
});

test('verify of a dataset given by hand takes the fleet by hand', async () => {
  const place = freshPlace();
  await loadHourWell(place, '--fleet', OFFICE);
  await file.client.db(place.database).dropCollection('seed_runs');
  assert.equal((await verify(place, ...HOUR, '--fleet', OFFICE)).exit, 0);
  assert.equal((await verify(place, ...HOUR)).exit, 1);
});

test('a broken file is refused before anything is connected to', async () => {
  const path = join(folder, 'broken.yaml');
  writeFileSync(
    path,
    readFileSync(OFFICE, 'utf8').replace('pattern: io_wait_nights', 'pattern: io_wait_night'),
  );
  const place = { uri: 'mongodb://127.0.0.1:1', database: 'x' };
  const { status, stderr } = await load(place, ['--fleet', path]);
  assert.equal(status, 2);
  assert.match(stderr, /broken\.yaml, line \d+: machines\[1\]\.pattern .+ did you mean io_wait_nights\?/);
  assert.doesNotMatch(stderr, /^ +at /m);
});
