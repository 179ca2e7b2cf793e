/** `answers` says what the server's own aggregations find. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { answers, events } from '../../src/index.js';
import { runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { DISTURBED } from '../support/disturbed.js';
import { END, useServer } from '../support/loading.js';

const file = useServer();

const FIELD = { flat: '$', timeseries: '$meta.' } as const;

/** As a dashboard would ask: mean, extremes and nearest rank by series and day. */
async function asked(db: Db, layout: keyof typeof FIELD): Promise<Document[]> {
  const at = (share: number) => ({
    $subtract: [{ $ceil: { $multiply: [share, '$count'] } }, 1],
  });
  return db
    .collection('metrics')
    .aggregate(
      [
        {
          $group: {
            _id: {
              assetId: `${FIELD[layout]}asset_id`,
              metricName: `${FIELD[layout]}metric_name`,
              day: { $dateToString: { date: '$timestamp', format: '%Y-%m-%d' } },
            },
            count: { $sum: 1 },
            mean: { $avg: '$value' },
            min: { $min: '$value' },
            max: { $max: '$value' },
            values: { $push: '$value' },
          },
        },
        { $set: { values: { $sortArray: { input: '$values', sortBy: 1 } } } },
        { $set: { p95: { $arrayElemAt: ['$values', { $toInt: at(0.95) }] } } },
        { $project: { values: 0 } },
        { $sort: { _id: 1 } },
      ],
      { allowDiskUse: true },
    )
    .toArray();
}

const key = ({ assetId, metricName, day }: Document) => `${assetId} ${metricName} ${day}`;
const byKey = (a: Document, b: Document) => (key(a) < key(b) ? -1 : 1);

for (const layout of ['flat', 'timeseries'] as const) {
  test(`14 days, ${layout}: by day, to the last digit`, async () => {
    const database = file.freshDatabase();
    await file.load(database, { layout, days: 14, end: END, seed: 7 });
    const found = await asked(file.client.db(database), layout);
    const result = await runCli(['answers', '--uri', file.server.uri, '--database', database]);
    assert.equal(result.status, 0, result.stderr);
    const { daily, run, seed, layout: said } = JSON.parse(result.stdout);
    assert.equal(seed, 7);
    assert.equal(said, layout);
    assert.equal(typeof run, 'string');
    const flattened = found.map(({ _id, ...figures }) => ({ ..._id, ...figures })).sort(byKey);
    assert.deepEqual(daily.sort(byKey), flattened);
  });
}

test('by asset: availability, outages and recovery points, counted by the server', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  const dataset = ['--days', '7', '--seed', '7', '--end', END.toISOString()];
  await file.load(database, { days: 7, end: END, seed: 7 });
  const { stdout } = await runCli(['answers', ...dataset]);
  const { assets, events } = JSON.parse(stdout);
  for (const { assetId, availability, backups } of assets) {
    const states = await db
      .collection('metrics')
      .find({ asset_id: assetId, metric_name: 'availability_status' })
      .sort({ timestamp: 1 })
      .toArray();
    const values = states.map(({ value }) => value);
    assert.deepEqual(availability, {
      mean: values.reduce((sum, value) => sum + value, 0) / values.length,
      downMinutes: values.filter((value) => value === 0).length,
      degradedMinutes: values.filter((value) => value === 50).length,
      outages: values.filter((value, i) => value === 0 && values[i - 1] !== 0).length,
    });
    const runs = await db
      .collection('metrics')
      .find({ asset_id: assetId, metric_name: 'backup_status' })
      .sort({ timestamp: 1 })
      .toArray();
    const good = runs.filter(({ value }) => value === 1);
    assert.equal(backups?.planned ?? 0, runs.length);
    assert.equal(backups?.succeeded ?? 0, good.length);
    assert.equal(backups?.lastGood, good.at(-1)?.timestamp.toISOString());
    // A detector that knows nothing but records: what is below 100 is an event, and nothing else is.
    const spans = (events as Document[])
      .filter((one) => one.assetId === assetId && one.kind !== 'failed backup')
      .map(({ kind, start, end }) => ({ kind, start: Date.parse(start), end: Date.parse(end) }));
    for (const { timestamp, value } of states) {
      const now = timestamp.getTime();
      const during = spans.filter(({ start, end }) => start <= now && now < end);
      const worst = during.some(({ kind }) => kind === 'down') ? 0 : during.length > 0 ? 50 : 100;
      if (value !== worst) assert.fail(`${assetId} ${timestamp.toISOString()}: ${value}, not ${worst}`);
    }
    const failed = (events as Document[]).filter(
      (one) => one.assetId === assetId && one.kind === 'failed backup',
    );
    assert.deepEqual(
      failed.map(({ start }) => start),
      runs.filter(({ value }) => value === 0).map(({ timestamp }) => timestamp.toISOString()),
    );
  }
});

test('CSV: one table at a time, on standard output or in a file; the parts of a dataset', async () => {
  await withFolder({}, async (cwd) => {
    const dataset = ['answers', '--seed', '7', '--days', '2', '--end', '2025-02-09', '--format', 'csv'];
    const daily = await runCli(dataset, { cwd });
    const [header, ...rows] = daily.stdout.trimEnd().split('\n');
    assert.equal(header, 'asset_id,metric_name,day,count,mean,min,max,p95');
    // Ten machines of five series and a backup, 22 services of two series.
    assert.equal(rows.length, 2 * (10 * 6 + 22 * 2));
    const out = join(cwd, 'events.csv');
    const written = await runCli([...dataset, '--table', 'events', '--out', out], { cwd });
    assert.deepEqual([written.status, written.stdout, written.stderr], [0, '', '']);
    assert.match(
      readFileSync(out, 'utf8'),
      /^asset_id,kind,cause,start,end,metrics\n\S+,(down|degraded|failed backup),/,
    );
    const load = await runCli([...dataset, '--metrics-only', '--table', 'events'], { cwd });
    assert.equal(load.stdout, 'asset_id,kind,cause,start,end,metrics\n');
  });
});

test('what describes too little, or a table without CSV, is refused', async () => {
  const noSeed = await runCli(['answers', '--days', '3']);
  assert.equal(noSeed.status, 2);
  assert.match(noSeed.stderr, /a dataset is described by --seed/);
  const noCsv = await runCli(['answers', '--seed', '3', '--table', 'events']);
  assert.equal(noCsv.status, 2);
  assert.match(noCsv.stderr, /--table is for --format csv/);
});

test('the library gives what the command prints', async () => {
  const options = { seed: 7, days: 2, end: END, fleet: DISTURBED } as const;
  await withFolder({ 'fleet.json': JSON.stringify(DISTURBED) }, async (folder) => {
    const flags = ['--seed', '7', '--days', '2', '--end', END.toISOString()];
    const { stdout } = await runCli(['answers', ...flags, '--fleet', join(folder, 'fleet.json')]);
    const printed = JSON.parse(stdout);
    const plain = (values: Iterable<unknown>) => JSON.parse(JSON.stringify([...values]));
    const all = plain(answers(options)) as Document[];
    const without = ({ kind: _, ...answer }: Document) => answer;
    assert.deepEqual(all.filter(({ kind }) => kind === 'day').map(without), printed.daily);
    assert.deepEqual(all.filter(({ kind }) => kind === 'asset').map(without), printed.assets);
    assert.deepEqual(plain(events(options)), printed.events);
    assert.throws(() => answers({ ...options, dayz: 2 } as object), /dayz/);
  });
});
