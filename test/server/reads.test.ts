/** The read API: the same answers from both layouts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type ConnectedReader, connectReader, DEFAULT_FLEET, SeedError } from '../../src/index.js';
import { LAYOUTS_HERE, timeSeriesTest, UNKEYED_LAYOUT } from '../support/features.js';
import { daysBefore, useServer } from '../support/loading.js';
import { freePort } from '../support/server.js';

const file = useServer();
/** From 00:00 to 06:00: the backups of the night are in it. */
const START = daysBefore(1);
const STOP = daysBefore(0.75);
const MINUTE_MS = 60_000;

const open = new Map<string, ConnectedReader>();
before(async () => {
  for (const layout of LAYOUTS_HERE) {
    await file.load(`reads_${layout}`, { start: START, end: STOP, layout });
    open.set(layout, await connectReader(file.server.uri, `reads_${layout}`));
  }
});
after(async () => {
  for (const { close } of open.values()) await close();
});

function readerOf(layout: string) {
  const connected = open.get(layout);
  assert.ok(connected);
  return connected.reader;
}

for (const layout of LAYOUTS_HERE) {
  test(`${layout}: all assets, by type, by id, and the services of a machine`, async () => {
    const reader = readerOf(layout);
    assert.equal(reader.layout, layout);
    const assets = await reader.assets();
    const { machines, services, jobs } = DEFAULT_FLEET;
    const ids = [...machines, ...services, ...jobs].map(({ assetId }) => assetId).sort();
    assert.deepEqual(
      assets.map(({ asset_id }) => asset_id),
      ids,
    );
    const byType = async (type: string) => (await reader.assetsByType(type)).map(({ asset_id }) => asset_id);
    assert.deepEqual(await byType('container'), ['ct-201', 'ct-202']);
    assert.deepEqual(await byType('acronis_backup_job'), ['backup-job-001', 'backup-job-002']);
    assert.deepEqual(await byType('mainframe'), []);

    const asset = await reader.assetById('vm-102');
    assert.deepEqual(
      [asset?.hostname, asset?.asset_type, asset?.last_updated],
      ['WEB-SERVER-01', 'vm', STOP],
    );
    assert.equal(asset && '_id' in asset, false);
    assert.equal(await reader.assetById('vm-999'), undefined);

    const running = (await reader.servicesOf('vm-105')).map(({ asset_id, data }) => [asset_id, data.port]);
    assert.deepEqual(running, [
      ['svc-dovecot-105', 993],
      ['svc-postfix-105', 25],
      ['svc-rspamd-105', 11_332],
    ]);
    assert.deepEqual(await reader.servicesOf('svc-postfix-105'), []);
  });

  test(`${layout}: records by name and range, newest first, as many as asked for`, async () => {
    const reader = readerOf(layout);
    const cpu = await reader.records('vm-101', { metricName: 'cpu_usage' });
    assert.equal(cpu.length, 360);
    for (const [index, { assetId, metricName, timestamp, value }] of cpu.entries()) {
      assert.deepEqual([assetId, metricName], ['vm-101', 'cpu_usage']);
      assert.deepEqual(timestamp, new Date(STOP.getTime() - (index + 1) * MINUTE_MS));
      assert.ok(value >= 0 && value <= 100, String(value));
    }
    const newest = await reader.records('vm-101', { metricName: 'cpu_usage', limit: 3 });
    assert.deepEqual(newest, cpu.slice(0, 3));

    // Half open: the first instant is in, the last one is not.
    const at = (minutes: number) => new Date(START.getTime() + minutes * MINUTE_MS);
    const range = await reader.records('vm-101', { metricName: 'cpu_usage', from: at(10), to: at(20) });
    assert.deepEqual(
      range,
      cpu.filter(({ timestamp }) => timestamp >= at(10) && timestamp < at(20)),
    );
    assert.equal(range.length, 10);
    assert.deepEqual(await reader.records('vm-101', { metricName: 'cpu_usage', from: STOP }), []);
    const open = await reader.records('vm-101', { metricName: 'cpu_usage', to: at(5) });
    assert.equal(open.length, 5);

    // All metrics of the asset: five a minute, and a backup.
    const all = await reader.records('vm-101', { limit: 10_000 });
    assert.equal(all.length, 5 * 360 + 1);
    const times = all.map(({ timestamp }) => timestamp.getTime());
    assert.deepEqual(
      times,
      [...times].sort((a, b) => b - a),
    );
    assert.equal((await reader.records('vm-101')).length, 1000);
    assert.deepEqual(await reader.records('vm-999'), []);
  });

  test(`${layout}: the newest value of each metric of an asset`, async () => {
    const reader = readerOf(layout);
    const last = new Date(STOP.getTime() - MINUTE_MS);
    const latest = await reader.latest('vm-101');
    assert.deepEqual(
      latest.map(({ metricName }) => metricName),
      ['availability_status', 'backup_status', 'cpu_usage', 'io_wait', 'memory_usage', 'response_time_ms'],
    );
    for (const record of latest) {
      const [newest] = await reader.records('vm-101', { metricName: record.metricName, limit: 1 });
      assert.deepEqual(record, newest);
      if (record.metricName !== 'backup_status') assert.deepEqual(record.timestamp, last);
    }
    assert.equal((await reader.latest('svc-nginx-102')).length, 2);
    assert.deepEqual(await reader.latest('backup-job-001'), []);
  });
}

timeSeriesTest('both layouts give the same records and assets', async () => {
  const [flat, timeseries] = LAYOUTS_HERE.map(readerOf);
  for (const assetId of ['pve-node-01', 'svc-tomcat-103']) {
    const query = { limit: 10_000 };
    const byName = <T extends { metricName: string }>(records: T[]) =>
      // Within a minute the order of metrics is nobody's business.
      records.sort((a, b) => (a.metricName < b.metricName ? -1 : a.metricName > b.metricName ? 1 : 0));
    assert.deepEqual(
      byName(await flat.records(assetId, query)),
      byName(await timeseries.records(assetId, query)),
    );
    assert.deepEqual(await flat.latest(assetId), await timeseries.latest(assetId));
  }
  assert.deepEqual(await flat.assets(), await timeseries.assets());
});

test('flat: the newest values come from the index, not from reading all of an asset', async () => {
  const reader = readerOf('flat');
  await reader.db.command({ profile: 2 });
  await reader.latest('vm-101');
  await reader.db.command({ profile: 0 });
  const [profiled] = await reader.db.collection('system.profile').find({ op: 'command' }).toArray();
  assert.ok(profiled.docsExamined <= 20, `${profiled.docsExamined} documents, ${profiled.planSummary}`);
});

test('the database may stand in the connection string, and a database without records is read as flat', async () => {
  const uri = `${file.server.plainUri}reads_${UNKEYED_LAYOUT}`;
  const named = await connectReader(uri);
  try {
    assert.deepEqual(
      [named.db.databaseName, named.reader.layout],
      [`reads_${UNKEYED_LAYOUT}`, UNKEYED_LAYOUT],
    );
  } finally {
    await named.close();
  }
  const empty = await connectReader(uri, file.freshDatabase());
  try {
    assert.deepEqual([empty.reader.layout, await empty.reader.assets()], ['flat', []]);
    assert.deepEqual(await empty.reader.latest('vm-101'), []);
  } finally {
    await empty.close();
  }
});

test('a server that is not there, and a text that is no connection string', async () => {
  const nowhere = `mongodb://127.0.0.1:${await freePort()}/`;
  const started = performance.now();
  await assert.rejects(
    connectReader(nowhere),
    (error) => error instanceof SeedError && error.exitStatus === 3,
  );
  // The driver itself would try for ten seconds.
  assert.ok(performance.now() - started < 8000, 'it took long to say so');
  await assert.rejects(
    connectReader('localhost'),
    (error) => error instanceof SeedError && error.exitStatus === 2,
  );
});
