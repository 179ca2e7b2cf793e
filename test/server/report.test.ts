/**
 * `report` on loaded databases of both layouts: what the page shows is what the database's own
 * aggregations say.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Db, Document } from 'mongodb';
import type { Layout } from '../../src/config/settings.js';
import { DEFAULT_FLEET } from '../../src/index.js';
import type { AvailabilityPicture, DatasetPicture, MetricPicture } from '../../src/picture/picture.js';
import { type CliResult, runCli } from '../support/cli.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { END, useServer } from '../support/loading.js';
import { assertClose, pictureOf } from '../support/pictures.js';

const file = useServer();
const DAYS = 2;
const SCRATCH = mkdtempSync(join(tmpdir(), 'seed-database-reports-'));
process.once('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

before(async () => {
  for (const layout of LAYOUTS_HERE) {
    const availabilityScale = layout === 'flat' ? 'percent' : 'unit';
    await file.load(`report_${layout}`, { days: DAYS, layout, availabilityScale });
  }
});

function report(database: string, ...flags: string[]): Promise<CliResult> {
  return runCli(['report', '--uri', file.server.uri, '--database', database, ...flags]);
}

const reports = new Map<string, Promise<DatasetPicture>>();

/** The page's own data; of a database that stays as it is, asked for once. */
function reportOf(database: string): Promise<DatasetPicture> {
  const known = reports.get(database) ?? reported(database);
  reports.set(database, known);
  return known;
}

/** The page's own data. */
async function reported(database: string, ...flags: string[]): Promise<DatasetPicture> {
  const path = join(SCRATCH, `${database}.html`);
  const { status, stderr } = await report(database, '--html', path, ...flags);
  assert.equal(status, 0, stderr);
  const page = readFileSync(path, 'utf8');
  assert.ok(page.length < 3_000_000);
  return pictureOf(page);
}

/** Groups of `metrics`, by what is asked for, as the server makes them. */
function grouped(db: Db, layout: Layout, by: Document, values: Document, filter: Document = {}) {
  const prefix = layout === 'flat' ? '$' : '$meta.';
  const _id = { asset: `${prefix}asset_id`, metric: `${prefix}metric_name`, ...by };
  return db
    .collection('metrics')
    .aggregate([{ $match: filter }, { $group: { _id, ...values } }])
    .toArray();
}

for (const layout of LAYOUTS_HERE) {
  const database = `report_${layout}`;
  const upState = layout === 'flat' ? 100 : 1;

  test(`${layout}: metrics, heat maps and weeks equal the database's aggregations`, async () => {
    const picture = await reportOf(database);
    const db = file.client.db(database);
    assert.deepEqual(picture.source.kind === 'database' && [picture.source.layout, picture.source.seed], [
      layout,
      42,
    ]);
    assert.deepEqual(
      picture.machines.map(({ assetId, pattern }) => [assetId, pattern]),
      DEFAULT_FLEET.machines.map(({ assetId, pattern }) => [assetId, pattern]),
    );
    const values = {
      n: { $sum: 1 },
      mean: { $avg: '$value' },
      min: { $min: '$value' },
      max: { $max: '$value' },
      deviation: { $stdDevPop: '$value' },
    };
    const field = layout === 'flat' ? 'metric_name' : 'meta.metric_name';
    const load = {
      $or: [
        { [field]: { $in: ['cpu_usage', 'memory_usage', 'io_wait'] } },
        { [field]: 'response_time_ms', value: { $lt: 30_000 } },
      ],
    };
    const whole = await grouped(db, layout, {}, values, load);
    const hourly = await grouped(
      db,
      layout,
      { day: { $dayOfWeek: '$timestamp' }, hour: { $hour: '$timestamp' } },
      values,
      load,
    );
    const { start, stepMinutes } = picture.means;
    const stepMs = stepMinutes * 60_000;
    const time = { $toLong: '$timestamp' };
    const steps = await grouped(
      db,
      layout,
      { step: { $subtract: [time, { $mod: [time, stepMs] }] } },
      values,
      load,
    );
    const key = (...parts: unknown[]) => parts.join(' ');
    const byHour = new Map(
      hourly.map(({ _id, mean }) => [key(_id.asset, _id.metric, _id.day - 1, _id.hour), mean]),
    );
    const byStep = new Map(
      steps.map(({ _id, mean }) => [key(_id.asset, _id.metric, Number(_id.step)), mean]),
    );
    let compared = 0;
    for (const { assetId, metrics: load, availability } of picture.machines) {
      const metrics = [...load, availability?.response as MetricPicture];
      assert.deepEqual(
        metrics.map(({ metricName, unit }) => [metricName, unit]),
        [
          ['cpu_usage', 'percentage'],
          ['memory_usage', 'percentage'],
          ['io_wait', 'percentage'],
          ['response_time_ms', 'milliseconds'],
        ],
      );
      for (const metric of metrics) {
        const name = `${assetId} ${metric.metricName}`;
        const own = whole.find(({ _id }) => _id.asset === assetId && _id.metric === metric.metricName);
        assert.equal(metric.records, own?.n);
        for (const one of ['mean', 'min', 'max', 'deviation'] as const)
          assertClose(metric[one], own?.[one], name);
        for (const [day, row] of metric.heat.entries()) {
          for (const [hour, mean] of row.entries()) {
            assertClose(mean, byHour.get(key(assetId, metric.metricName, day, hour)) ?? null, name);
          }
        }
        for (const [i, mean] of metric.means.entries()) {
          const from = start * 60_000 + i * stepMs;
          const stored = byStep.get(key(assetId, metric.metricName, from)) ?? null;
          assertClose(mean, stored, name, 0.0051 * Math.max(1, stored ?? 0));
          compared++;
        }
      }
    }
    assert.equal(compared, 40 * DAYS * 96);
  });

  test(`${layout}: availability, incidents, recovery points and backup success equal the database's`, async () => {
    const picture = await reportOf(database);
    const db = file.client.db(database);
    const only = (name: string) => ({ [layout === 'flat' ? 'metric_name' : 'meta.metric_name']: name });
    const status = only('availability_status');
    const states = await grouped(db, layout, { value: '$value' }, { n: { $sum: 1 } }, status);
    const answers = { n: { $sum: 1 }, mean: { $avg: '$value' }, max: { $max: '$value' } };
    const answered = { ...only('response_time_ms'), value: { $lt: 30_000 } };
    const responses = await grouped(db, layout, {}, answers, answered);
    const minutesOf = (asset: string, value: number) =>
      states.find(
        ({ _id }) => _id.asset === asset && _id.metric === 'availability_status' && _id.value === value,
      )?.n ?? 0;
    let incidents = 0;
    for (const { assetId, availability } of [...picture.machines, ...picture.services]) {
      const one = availability as AvailabilityPicture;
      assert.equal(one.polled, DAYS * 1440);
      assert.equal(one.up, minutesOf(assetId, upState), assetId);
      assert.equal(one.degraded, minutesOf(assetId, upState / 2), assetId);
      assert.equal(one.down, minutesOf(assetId, 0), assetId);
      assertClose(one.uptime, (100 * one.up) / one.polled, assetId);
      const response = responses.find(
        ({ _id }) => _id.asset === assetId && _id.metric === 'response_time_ms',
      );
      assertClose(one.response?.mean ?? null, response?.mean, assetId);
      assertClose(one.response?.max ?? null, response?.max, assetId);
      assert.deepEqual([one.response?.records, one.response?.timedOut], [response?.n, one.down], assetId);
      const minutes = (cells: readonly number[]) => cells.reduce((sum, n) => sum + n, 0);
      assert.deepEqual(
        [minutes(one.cells.down), minutes(one.cells.degraded)],
        [one.down, one.degraded],
        assetId,
      );
      const lasted = (state: string) =>
        one.incidents.filter((i) => i.state === state).reduce((sum, { from, to }) => sum + to - from, 0);
      assert.deepEqual([lasted('down'), lasted('degraded')], [one.down, one.degraded], assetId);
      incidents += one.incidents.length;
    }
    assert.ok(incidents > 5, `${incidents} incidents`);
    assert.equal(picture.services.length, 22);

    const good = await grouped(
      db,
      layout,
      {},
      {
        n: { $sum: 1 },
        good: { $sum: '$value' },
        last: { $max: { $cond: [{ $eq: ['$value', 1] }, '$timestamp', null] } },
      },
      only('backup_status'),
    );
    for (const { assetId, backups } of picture.machines) {
      const own = good.find(({ _id }) => _id.asset === assetId && _id.metric === 'backup_status');
      assert.deepEqual([backups?.attempted, backups?.succeeded], [own?.n, own?.good], assetId);
      assertClose(backups?.successRate ?? null, (100 * own?.good) / own?.n, assetId);
      assert.equal(backups?.recoveryPoint, (END.getTime() - own?.last.getTime()) / 60_000, assetId);
    }
  });

  test(`${layout}: the terminal shows the same, and --json the picture itself`, async () => {
    const [text, json] = await Promise.all([report(database), report(database, '--json')]);
    assert.equal(text.status, 0, text.stderr);
    const picture = JSON.parse(json.stdout) as DatasetPicture;
    assert.deepEqual(picture, await reportOf(database));
    const [machine] = picture.machines;
    const { uptime } = machine.availability as AvailabilityPicture;
    assert.match(text.stdout, new RegExp(`── ${machine.assetId} +${uptime?.toFixed(2)} % `));
    assert.match(
      text.stdout,
      new RegExp(`── ${machine.assetId} +\\d of ${DAYS} +[\\d.]+ % +\\d+ % +\\d+h \\d\\dm`),
    );
    assert.equal([...text.stdout.matchAll(/[▁-█ ]{24} {2}[▁-█ ]{21}/g)].length, 40);
    for (const line of text.stdout.split('\n')) assert.ok(line.length <= 80, line);
  });
}

test('a part of the period, and one without records', async () => {
  const picture = await reported('report_flat', '--end', '2025-02-08', '--days', '1');
  assert.deepEqual(
    [picture.window.start, picture.window.end].map((minute) => new Date(minute * 60_000).toISOString()),
    ['2025-02-07T00:00:00.000Z', '2025-02-08T00:00:00.000Z'],
  );
  assert.equal(picture.machines[0].metrics[0].records, 1440);
  assert.equal(picture.machines[0].backups?.attempted, 1);
  const before = await report('report_flat', '--end', '2024-01-01');
  assert.equal(before.status, 5);
  assert.match(
    before.stderr,
    /^❌ database report_flat holds records from 2025-02-07\S+ to 2025-02-09\S+, and none/,
  );
});

test('only backups: the recovery point is as of the end of the run', async () => {
  const database = file.freshDatabase();
  await file.load(database, { days: 2, sections: ['backup'] });
  const picture = await reported(database);
  assert.equal(picture.window.end, END.getTime() / 60_000);
  const [{ metrics, availability, backups }] = picture.machines;
  assert.deepEqual([metrics, availability], [[], null]);
  assert.ok(backups && backups.attempted === 2 && (backups.recoveryPoint ?? 0) > 18 * 60);
});

test('what others have put there: unknown metrics and machines are shown, hostile names are text', async () => {
  const database = file.freshDatabase();
  const db = file.client.db(database);
  const evil = '<script>alert(1)</script>';
  await db.collection<Document>('assets').insertOne({
    _id: 'x-1' as never,
    asset_id: 'x-1',
    asset_type: 'vm',
    hostname: evil,
    data: {},
    last_updated: END,
  });
  // Nothing says that these documents are complete.
  await db.collection<Document>('assets').insertMany([
    { _id: 'x-2' as never, asset_id: 'x-2', asset_type: 'container' },
    { _id: 'x-3' as never, asset_id: 'x-3', asset_type: 'service' },
  ]);
  const records = ['cpu_usage', 'fan_speed'].flatMap((metric_name) =>
    Array.from({ length: 120 }, (_, i) => ({
      asset_id: 'x-1',
      metric_name,
      unit: metric_name === 'fan_speed' ? 'rpm' : 'percentage',
      timestamp: new Date(END.getTime() - (i + 1) * 60_000),
      value: i,
    })),
  );
  await db.collection('metrics').insertMany(records);
  await db.collection('metrics').insertOne({ ...records[0], _id: undefined, value: 'high' });
  const picture = await reported(database);
  const [{ name, pattern, figures, metrics, backups }, incomplete] = picture.machines;
  assert.deepEqual([incomplete.name, incomplete.metrics], ['x-2', []]);
  assert.deepEqual(picture.counts, { machines: 2, services: 1 });
  assert.deepEqual([name, pattern, figures, backups], [evil, null, [], null]);
  assert.deepEqual(
    metrics.map(({ metricName, unit, records: n, mean }) => [metricName, unit, n, mean]),
    [
      ['cpu_usage', 'percentage', 120, 59.5],
      ['fan_speed', 'rpm', 120, 59.5],
    ],
  );
  const page = readFileSync(join(SCRATCH, `${database}.html`), 'utf8');
  assert.ok(!page.includes(evil) && page.includes('&#60;script&#62;alert(1)'));
});

test('an empty database, and a server that is not there, are one line and a status', async () => {
  const empty = await report(file.freshDatabase());
  assert.equal(empty.status, 5);
  assert.match(empty.stderr, /^❌ database \S+ holds no machines\n {3}└── load first[^\n]+\n$/);
  const nowhere = await runCli(['report', '--uri', 'mongodb://127.0.0.1:1/x']);
  assert.equal(nowhere.status, 3);
  const seeded = await report('report_flat', '--seed', '1');
  assert.equal(seeded.status, 2);
});
