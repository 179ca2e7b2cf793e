/** Fleets whose measuring goes wrong: verified like any other, and found by simple detectors. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Db, Document } from 'mongodb';
import { assertValidBuckets } from '../support/buckets.js';
import { runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import {
  assertEqualToPlan,
  loadWell,
  type Place,
  placeFlags,
  resumeWell,
  verify,
} from '../support/dataset.js';
import { DISTURBED } from '../support/disturbed.js';
import { LAYOUTS_HERE, UNKEYED_LAYOUT, WAYS_HERE } from '../support/features.js';
import { useServer } from '../support/loading.js';
import { killAfterShards } from '../support/running.js';

const file = useServer({ args: ['--setParameter', 'enableTestCommands=1'] });
const place = (database: string): Place => ({ uri: file.server.uri, database });

const TWO_DAYS = ['--start', '2025-02-07', '--shard-days', '1'];

interface Event {
  readonly assetId: string;
  readonly kind: string;
  readonly metrics?: readonly string[];
  readonly start: string;
  readonly end: string;
}

async function eventsOf(database: string): Promise<Event[]> {
  const { status, stdout, stderr } = await runCli(['answers', ...placeFlags(place(database))]);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout).events;
}

/** Minutes and values of a series, as they are stored, in the order of time. */
async function stored(db: Db, layout: string, assetId: string, metricName: string) {
  const prefix = layout === 'flat' ? '' : 'meta.';
  const filter = { [`${prefix}asset_id`]: assetId, [`${prefix}metric_name`]: metricName };
  const documents = await db.collection('metrics').find(filter).sort({ timestamp: 1 }).toArray();
  return documents.map(({ timestamp, value }: Document) => ({ ms: timestamp.getTime(), value }));
}

const minutesOf = ({ start, end }: Event) => (Date.parse(end) - Date.parse(start)) / 60_000;

for (const [layout, writer] of WAYS_HERE) {
  test(`${layout} by ${writer}: every kind, killed and resumed, equal; events name what is found`, async () => {
    const database = file.freshDatabase();
    await withFolder({ 'fleet.json': JSON.stringify(DISTURBED) }, async (folder) => {
      const fleet = join(folder, 'fleet.json');
      const flags = [...TWO_DAYS, '--layout', layout, '--writer', writer, '--fleet', fleet];
      await killAfterShards(file.client, place(database), [...flags, '--batch-size', '500'], 3);
    });
    await resumeWell(place(database));
    const { records } = await assertEqualToPlan(place(database));
    const db = file.client.db(database);
    if (layout === 'timeseries') await assertValidBuckets(db);
    assert.equal(await db.collection('metrics').countDocuments(), records.found);
    const events = await eventsOf(database);
    const of = (assetId: string, kind: string) =>
      events.filter((event) => event.assetId === assetId && event.kind === kind);

    // A missing minute: each of a gap, and no other.
    for (const [assetId, metricName] of [
      ['silent', 'response_time_ms'],
      ['silent', 'cpu_usage'],
      ['web', 'response_time_ms'],
      ['still', 'cpu_usage'],
    ] as const) {
      const there = new Set((await stored(db, layout, assetId, metricName)).map(({ ms }) => ms));
      const gaps = of(assetId, 'gap').filter(({ metrics }) => metrics?.includes(metricName));
      for (let ms = Date.parse('2025-02-07'); ms < Date.parse('2025-02-09'); ms += 60_000) {
        const isSilent = gaps.some(({ start, end }) => ms >= Date.parse(start) && ms < Date.parse(end));
        assert.equal(there.has(ms), !isSilent, `${assetId} ${metricName} ${new Date(ms).toISOString()}`);
      }
    }
    assert.ok(of('web', 'gap').length >= 3);
    assert.equal(of('still', 'gap').length, 0);

    // A value that does not change for half an hour.
    const cpu = await stored(db, layout, 'stuck', 'cpu_usage');
    const [flat] = of('stuck', 'flatline');
    assert.equal(minutesOf(flat), 600);
    const inside = cpu.filter(({ ms }) => ms >= Date.parse(flat.start) && ms < Date.parse(flat.end));
    assert.equal(new Set(inside.map(({ value }) => value)).size, 1);
    let longest = 0;
    for (let i = 0, same = 1; i + 1 < cpu.length; i++) {
      const isOutside = cpu[i].ms < Date.parse(flat.start) || cpu[i + 1].ms >= Date.parse(flat.end);
      same = isOutside && cpu[i].value === cpu[i + 1].value ? same + 1 : 1;
      longest = Math.max(longest, same);
    }
    assert.ok(longest < 30, `${longest} equal values in a row elsewhere`);

    // Values beyond five sigma: those of spikes, all of them, and nothing else.
    for (const metricName of ['cpu_usage', 'memory_usage']) {
      const series = await stored(db, layout, 'spiky', metricName);
      const usual = await stored(db, layout, 'still', metricName);
      const mean = usual.reduce((sum, { value }) => sum + value, 0) / usual.length;
      const sigma = Math.sqrt(usual.reduce((sum, { value }) => sum + (value - mean) ** 2, 0) / usual.length);
      const beyond = series.filter(({ value }) => Math.abs(value - mean) > 5 * sigma).map(({ ms }) => ms);
      const spikes = of('spiky', 'spike').filter(({ metrics }) => metrics?.includes(metricName));
      const expected = series
        .map(({ ms }) => ms)
        .filter((ms) => spikes.some(({ start, end }) => ms >= Date.parse(start) && ms < Date.parse(end)));
      assert.deepEqual(beyond, expected, metricName);
      assert.ok(expected.length > 0);
    }

    // A mean that leaves its place: slowly, or at once and for good.
    const mean = (series: readonly { ms: number; value: number }[], from: string, to: string) => {
      const part = series.filter(({ ms }) => ms >= Date.parse(from) && ms < Date.parse(to));
      return part.reduce((sum, { value }) => sum + value, 0) / part.length;
    };
    const [drift] = of('drifting', 'drift');
    assert.deepEqual(drift.metrics, ['cpu_usage', 'memory_usage', 'io_wait']);
    const memory = await stored(db, layout, 'drifting', 'memory_usage');
    const [begin, late] = [
      mean(memory, '2025-02-08T00:00Z', '2025-02-08T01:00Z'),
      mean(memory, '2025-02-08T11:00Z', '2025-02-08T12:00Z'),
    ];
    assert.ok(late - begin > 20 && late - begin < 35, `${begin} to ${late}`);
    const wait = await stored(db, layout, 'shifted', 'io_wait');
    const [shift] = of('shifted', 'level_shift');
    assert.equal(shift.end, '2025-02-09T00:00:00.000Z');
    const step = mean(wait, shift.start, shift.end) - mean(wait, '2025-02-07T00:00Z', shift.start);
    assert.ok(Math.abs(step - 25) < 2, `${step}`);

    // Twice: in its span, where there is no gap.
    const twice = new Map<number, number>();
    for (const { ms } of await stored(db, layout, 'echoing', 'cpu_usage'))
      twice.set(ms, (twice.get(ms) ?? 0) + 1);
    const [double] = of('echoing', 'duplicate');
    const doubled = [...twice].filter(([, times]) => times === 2).map(([ms]) => ms);
    assert.equal(doubled.length, 30);
    assert.ok(doubled.every((ms) => ms >= Date.parse(double.start) && ms < Date.parse(double.end)));
    assert.ok([...twice.values()].every((times) => times <= 2));

    // It comes and goes, and its service and backups with it.
    for (const assetId of ['guest', 'visitor']) {
      const polls = await stored(db, layout, assetId, 'availability_status');
      assert.deepEqual(
        [polls[0].ms, polls[polls.length - 1].ms],
        [Date.parse('2025-02-07T06:30Z'), Date.parse('2025-02-08T17:59Z')],
      );
      assert.deepEqual(
        of(assetId, 'absent').map(({ start, end }) => [start, end]),
        [
          ['2025-02-07T00:00:00.000Z', '2025-02-07T06:30:00.000Z'],
          ['2025-02-08T18:00:00.000Z', '2025-02-09T00:00:00.000Z'],
        ],
      );
    }
    assert.equal((await stored(db, layout, 'guest', 'backup_status')).length, 1);
    assert.equal((await stored(db, layout, 'still', 'backup_status')).length, 2);
    assert.equal(of('tardy', 'late').length, 1);

    const asked = ['--requests', '200', '--clients', '1', '--max-wrong', '0', '--json'];
    const workload = await runCli(['workload', ...placeFlags(place(database)), ...asked]);
    assert.equal(workload.status, 0, workload.stdout + workload.stderr);
  });
}

test('what is late arrives after what was measured after it, where records keep their order', async () => {
  const database = file.freshDatabase();
  await withFolder({ 'fleet.json': JSON.stringify(DISTURBED) }, async (folder) => {
    const fleet = join(folder, 'fleet.json');
    const flags = [
      ...TWO_DAYS,
      '--fleet',
      fleet,
      '--no-clustered',
      '--workers',
      '1',
      '--writer',
      'bulkwrite',
    ];
    await loadWell(place(database), ...flags);
  });
  const arrived = await file.client
    .db(database)
    .collection('metrics')
    .find({ asset_id: 'tardy', metric_name: 'cpu_usage' }, { hint: { $natural: 1 } })
    .toArray();
  const times = arrived.map(({ timestamp }) => timestamp.toISOString());
  assert.equal(times.indexOf('2025-02-08T03:00:00.000Z'), times.indexOf('2025-02-08T04:30:00.000Z') - 1);
  assert.equal(new Set(times).size, 2880);
});

for (const layout of LAYOUTS_HERE) {
  test(`${layout}: verify finds what is spoilt in such a dataset, and repairs it`, async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    const metrics = db.collection('metrics');
    await file.load(database, {
      fleet: DISTURBED,
      layout,
      start: new Date('2025-02-08'),
      writer: 'sequence',
    });
    const at = (time: string) => new Date(`2025-02-08T${time}Z`);
    const record = (assetId: string, time: string, value: number): Document =>
      layout === 'flat'
        ? { asset_id: assetId, metric_name: 'cpu_usage', timestamp: at(time), value }
        : { timestamp: at(time), meta: { asset_id: assetId, metric_name: 'cpu_usage' }, value };
    // In a gap, of an asset that is gone, and a third one of a minute that is there twice.
    const { insertedIds } = await metrics.insertMany([
      record('silent', '10:20:00', 1),
      record('guest', '19:00:00', 1),
      record('echoing', '11:55:00', 1),
    ]);
    const { status, records } = await verify(place(database));
    assert.equal(status, 'different');
    assert.deepEqual([records.missing, records.foreign + records.doubled], [0, 3]);
    if (layout === 'timeseries') return;
    await metrics.deleteMany({ _id: { $in: Object.values(insertedIds) } });
    const [, second] = await metrics
      .find({ asset_id: 'echoing', metric_name: 'cpu_usage', timestamp: at('11:55:00') })
      .toArray();
    await metrics.deleteOne({ _id: second._id });
    assert.equal((await verify(place(database))).records.missing, 1);
    const repaired = await runCli(['verify', ...placeFlags(place(database)), '--repair', '--json']);
    assert.equal(repaired.status, 0, repaired.stdout + repaired.stderr);
    await assertEqualToPlan(place(database));
  });
}

test('refresh goes on through disturbances; exports hold as many records as are planned, and the events', async () => {
  const database = file.freshDatabase();
  await file.load(database, {
    fleet: DISTURBED,
    layout: UNKEYED_LAYOUT,
    start: new Date('2025-02-07'),
    end: new Date('2025-02-08T09:59Z'),
  });
  const refreshed = await runCli(['refresh', ...placeFlags(place(database)), '--end', '2025-02-08T12:01Z']);
  assert.equal(refreshed.status, 0, refreshed.stderr);
  await assertEqualToPlan(place(database));

  await withFolder({ 'fleet.json': JSON.stringify(DISTURBED) }, async (folder) => {
    const fleet = join(folder, 'fleet.json');
    const dataset = ['--seed', '42', '--fleet', fleet, '--start', '2025-02-07', '--end', '2025-02-09'];
    const planned = JSON.parse((await runCli(['load', '--dry-run', '--json', ...dataset])).stdout).records
      .planned;
    for (const format of ['ndjson', 'csv'] as const) {
      const { stdout } = await runCli(['export', ...dataset, '--format', format, '--out', '-']);
      assert.equal(stdout.trimEnd().split('\n').length, planned + (format === 'csv' ? 1 : 0));
    }
    const out = join(folder, 'bson');
    const exported = await runCli(['export', ...dataset, '--events', '--format', 'csv', '--out', out]);
    assert.equal(exported.status, 0, exported.stderr);
    const events = readFileSync(join(out, 'pmi_infrastructure_dev', 'events.csv'), 'utf8');
    for (const kind of ['gap', 'flatline', 'spike', 'drift', 'level_shift', 'late', 'duplicate', 'absent'])
      assert.match(events, new RegExp(`^\\w+,${kind},`, 'm'));
  });
});
