/**
 * What this version of the server can hold is used, and what it cannot is refused before anything
 * is written.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Document, MongoClient } from 'mongodb';
import { runCli } from '../support/cli.js';
import { assertEqualToPlan, load, loadWell, type Place, placeFlags } from '../support/dataset.js';
import {
  HAS_CLUSTERED,
  HAS_TIME_SERIES,
  refusesTimeSeries,
  SERVER_VERSION,
  TRIMS_TIME_SERIES,
} from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let client: MongoClient;
const place = (database: string): Place => ({ uri: server.uri, database });

before(async () => {
  server = await startTestServer();
  client = await new MongoClient(server.uri).connect();
});
after(async () => {
  await client?.close();
  await server?.stop();
});

async function optionsOf(database: string): Promise<Document> {
  const [info] = (await client.db(database).listCollections({ name: 'metrics' }).toArray()) as Document[];
  return info.options;
}

/** What `doctor` says of one subject. */
async function diagnosed(flags: readonly string[], subject: string): Promise<Document> {
  const { stdout, stderr } = await runCli(['doctor', ...flags, '--json']);
  const checks: readonly Document[] = JSON.parse(stdout).checks;
  const found = checks.find((check) => check.subject === subject);
  assert.ok(found, stdout + stderr);
  return found;
}

test('the server has the version that it should have', async () => {
  const { version } = await client.db('admin').command({ buildInfo: 1 });
  assert.equal(version, SERVER_VERSION);
});

test('flat: every record once, in a clustered collection where there are such', async () => {
  await loadWell(place('flat'));
  assert.equal('clusteredIndex' in (await optionsOf('flat')), HAS_CLUSTERED);
  await assertEqualToPlan(place('flat'));
});

test('time-series: every record once, or refused by name where there are none', async () => {
  const flags = [...placeFlags(place('series')), '--layout', 'timeseries'];
  const { state, detail } = await diagnosed(flags, HAS_TIME_SERIES ? 'Layout' : 'Server');
  if (!HAS_TIME_SERIES) {
    assert.equal(state, 'bad');
    assert.match(detail, /has no time-series collections/);
    return refusesTimeSeries();
  }
  assert.equal(state, 'good');
  await loadWell(place('series'), '--layout', 'timeseries');
  assert.ok('timeseries' in (await optionsOf('series')));
  await assertEqualToPlan(place('series'));
});

test('trimming: from a flat collection always, from a time-series collection where the server deletes by time', async () => {
  await loadWell(place('trim'), '--days', '2', '--backup-only');
  const refreshed = (database: string) =>
    runCli(['refresh', ...placeFlags(place(database)), '--end', '2025-02-09', '--keep-days', '1']);
  const flat = await refreshed('trim');
  assert.equal(flat.status, 0, flat.stderr);
  if (!HAS_TIME_SERIES) return;
  await loadWell(place('trim_series'), '--days', '2', '--backup-only', '--layout', 'timeseries');
  const series = await refreshed('trim_series');
  if (TRIMS_TIME_SERIES) assert.equal(series.status, 0, series.stderr);
  else {
    assert.notEqual(series.status, 0);
    assert.match(series.stderr, /cannot delete by time from a time-series collection/);
    await assertEqualToPlan(place('trim_series'));
  }
});

test('doctor says what the server can', async () => {
  const { state, detail } = await diagnosed(placeFlags(place('anywhere')), 'Layout');
  assert.equal(state, 'good');
  assert.equal(/time-series collections/.test(detail), HAS_TIME_SERIES, detail);
  assert.equal(/clustered collections/.test(detail), HAS_CLUSTERED, detail);
  assert.equal(/trimming of time-series/.test(detail), TRIMS_TIME_SERIES, detail);
});

test('a second load of another seed into a full database is refused, and --clean replaces it', async () => {
  const refused = await load(place('flat'), ['--seed', '8']);
  assert.equal(refused.status, 5, refused.stderr);
  await loadWell(place('flat'), '--seed', '8', '--clean');
  await assertEqualToPlan(place('flat'));
});
