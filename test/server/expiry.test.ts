/**
 * Records that are older than the collection keeps them: all of them are refused, some are said
 * before and after.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { verify } from '../support/dataset.js';
import { HAS_TIME_SERIES, timeSeriesTest } from '../support/features.js';
import { END, useServer } from '../support/loading.js';

const file = useServer();
const DAY_MS = 86_400_000;
/** Midnight: the records of today and those of the days before are counted from here. */
const TODAY = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
const daysAgo = (days: number) => new Date(TODAY.getTime() - days * DAY_MS).toISOString();
/** One machine, with 7,200 records a day, so that it is quick. */
const FLEET = JSON.stringify({
  machines: [{ id: 'm', type: 'vm', hostname: 'm', pattern: 'stable_low_load' }],
});
const DAY_RECORDS = 5 * 1440;

async function loaded(database: string, ...flags: string[]) {
  const args = ['load', '--uri', file.server.uri, '--database', database, '--log-file', '/dev/null'];
  const dataset = ['--layout', 'timeseries', '--seed', '1', '--metrics-only', '--polling-only'];
  const options = ['--fleet', 'fleet.json', '--workers', '1', '--json'];
  return withFolder({ 'fleet.json': FLEET }, async (cwd) => {
    const result = await runCli([...args, ...dataset, ...options, ...flags], { cwd });
    return { ...result, json: JSON.parse(result.stdout) };
  });
}

timeSeriesTest('--ttl-days shorter than the age of all records: exit 2, nothing written', async () => {
  const database = file.freshDatabase();
  const period = ['--start', daysAgo(40), '--end', daysAgo(39)];
  const { status, json } = await loaded(database, ...period, '--ttl-days', '30');
  assert.equal(status, 2);
  assert.match(
    json.error,
    /^--ttl-days is too short: all 7,200 records are older than metrics keeps them \(for 30 days\)/,
  );
  assert.deepEqual(await file.client.db(database).listCollections().toArray(), []);
  assert.equal((await loaded(database, ...period, '--ttl-days', '50')).status, 0);
});

timeSeriesTest('some expire at once: said before, in the result, and by verify', async () => {
  const database = file.freshDatabase();
  const period = ['--start', daysAgo(3), '--end', daysAgo(0)];
  const { status, json, stderr } = await loaded(database, ...period, '--ttl-days', '2');
  assert.equal(status, 0, stderr);
  assert.match(stderr, /⚠️ +[\d,]+ of the 21,600 records are older than metrics keeps them \(for 2 days\)/);
  assert.equal(json.status, 'complete');
  assert.ok(json.expired >= DAY_RECORDS && json.expired <= 2 * DAY_RECORDS, String(json.expired));
  const { expired } = (await verify({ uri: file.server.uri, database })) as unknown as { expired: number };
  assert.ok(expired >= json.expired, String(expired));
  // What is there decides from now on.
  const before = await file.client.db(database).collection('seed_runs').find().toArray();
  const older = await loaded(database, '--start', daysAgo(9), '--end', daysAgo(8), '--skip-cleanup');
  assert.equal(older.status, 5);
  assert.match(older.json.error, /^all 7,200 records are older than metrics keeps them \(for 2 days\)/);
  const longer = ['--start', daysAgo(0), '--days', '1', '--skip-cleanup', '--ttl-days', '30'];
  const other = await loaded(database, ...longer);
  assert.equal(other.status, 5);
  assert.match(
    other.json.error,
    /^--ttl-days 30 would change nothing: metrics .* keeps its records for 2 days$/,
  );
  assert.deepEqual(await file.client.db(database).collection('seed_runs').find().toArray(), before);
});

test('nothing is said where nothing expires', async () => {
  const layout = HAS_TIME_SERIES ? 'timeseries' : 'flat';
  const start = new Date(END.getTime() - 600_000);
  const summary = await file.load(file.freshDatabase(), { start, layout });
  assert.deepEqual([summary.status, summary.expired], ['complete', undefined]);
});
