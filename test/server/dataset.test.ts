/**
 * One day of the default fleet: every record of the manual, once, in its own shape, in both
 * layouts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db, Document } from 'mongodb';
import type { LoadSummary, SECTIONS } from '../../src/index.js';
import { timeSeriesTest } from '../support/features.js';
import { daysBefore, END, type SeriesFigures, seriesFigures, useServer } from '../support/loading.js';

const file = useServer();
const DAY = { days: 1 };
const MINUTE_MS = 60_000;

/** What each metric's records bear besides their value. */
const UNITS: Readonly<Record<string, string>> = {
  cpu_usage: 'percentage',
  memory_usage: 'percentage',
  io_wait: 'percentage',
  availability_status: 'percentage',
  response_time_ms: 'milliseconds',
  backup_status: 'boolean',
};

let flat: { db: Db; summary: LoadSummary; figures: readonly SeriesFigures[] };

test('one day has 135,370 records: 43,200 metrics, 92,160 polling, 10 backups', async () => {
  const database = file.freshDatabase();
  const summary = await file.load(database, { ...DAY, environment: 'staging' });
  const db = file.client.db(database);
  flat = { db, summary, figures: await seriesFigures(db, 'flat') };

  assert.equal(summary.status, 'complete');
  assert.deepEqual(summary.records, {
    planned: 135_370,
    inserted: 135_370,
    metrics: 43_200,
    polling: 92_160,
    backup: 10,
  });
  assert.deepEqual(summary.window, { start: daysBefore(1), end: END });
  assert.equal(await db.collection('metrics').countDocuments(), 135_370);

  const bySection = { metrics: 0, polling: 0, backup: 0 };
  for (const { metric, records } of flat.figures) bySection[sectionOf(metric)] += records;
  assert.deepEqual(bySection, { metrics: 43_200, polling: 92_160, backup: 10 });
});

function sectionOf(metric: string): (typeof SECTIONS)[number] {
  if (metric === 'backup_status') return 'backup';
  return metric === 'availability_status' || metric === 'response_time_ms' ? 'polling' : 'metrics';
}

test('no minute is missing or doubled for any asset and metric', () => {
  assert.equal(flat.figures.length, 10 * 3 + 32 * 2 + 10);
  for (const { asset, metric, records, minutes, uneven, first, last } of flat.figures) {
    const name = `${asset} ${metric}`;
    assert.equal(records, metric === 'backup_status' ? 1 : 1440, name);
    assert.equal(minutes, records, `${name}: doubled minutes`);
    assert.equal(uneven, 0, `${name}: timestamps that are no whole minute`);
    if (metric === 'backup_status') {
      const minute = (first.getTime() - daysBefore(1).getTime()) / MINUTE_MS;
      assert.ok(minute >= 60 && minute < 300, `${name}: a backup at minute ${minute} of the day`);
    } else {
      // So many different whole minutes fit between these two only if none is missing.
      assert.deepEqual([first, last], [daysBefore(1), new Date(END.getTime() - MINUTE_MS)], name);
    }
  }
});

test('34 assets: 10 machines, 22 services, 2 jobs', async () => {
  assert.deepEqual(flat.summary.assets, { machines: 10, services: 22, jobs: 2, total: 34 });
  const groups = await flat.db
    .collection('assets')
    .aggregate<{ _id: string; count: number }>([{ $group: { _id: '$asset_type', count: { $sum: 1 } } }])
    .toArray();
  const counts = Object.fromEntries(groups.map(({ _id, count }) => [_id, count]));
  assert.deepEqual(counts, {
    proxmox_node: 1,
    vm: 5,
    container: 2,
    physical_host: 2,
    service: 22,
    acronis_backup_job: 2,
  });
});

/** The manual's documents. */
const MANUAL_ASSETS: readonly Document[] = [
  {
    asset_id: 'pve-node-01',
    asset_type: 'proxmox_node',
    hostname: 'PVE-HOST-01',
    data: {
      status: 'running',
      cpu_cores: 32,
      memory_gb: 128,
      storage_gb: 2000,
      hypervisor_version: '7.4-3',
      cluster_name: 'production',
    },
  },
  {
    asset_id: 'vm-101',
    asset_type: 'vm',
    hostname: 'DB-SERVER-PROD',
    data: {
      status: 'running',
      cpu_cores: 8,
      memory_gb: 32,
      storage_gb: 500,
      hypervisor: 'pve-node-01',
      os: 'Ubuntu 22.04 LTS',
    },
  },
  {
    asset_id: 'ct-201',
    asset_type: 'container',
    hostname: 'CACHE-SERVER-01',
    data: { status: 'running', cpu_cores: 2, memory_gb: 8, container_type: 'LXC', os: 'Ubuntu 22.04 LTS' },
  },
  {
    asset_id: 'physical-01',
    asset_type: 'physical_host',
    hostname: 'BACKUP-SERVER-01',
    data: {
      status: 'running',
      cpu_cores: 16,
      memory_gb: 64,
      manufacturer: 'Dell',
      model: 'PowerEdge R740',
      location: 'Datacenter Rack A1',
    },
  },
  {
    asset_id: 'svc-mysql-101',
    asset_type: 'service',
    service_name: 'MySQL Database',
    data: { parent_asset_id: 'vm-101', status: 'running', service_type: 'database', port: 3306 },
  },
  {
    asset_id: 'backup-job-001',
    asset_type: 'acronis_backup_job',
    data: {
      job_name: 'Daily VM Backup',
      status: 'running',
      schedule: 'daily_2am',
      target_assets: ['vm-101', 'vm-102', 'vm-103'],
      backup_type: 'incremental',
      retention_days: 30,
    },
  },
];

test('assets have the fields and values that the manual shows, and the window as their age', async () => {
  const assets = flat.db.collection<{ _id: string; data: Document }>('assets');
  for (const { data: expectedData, ...expected } of MANUAL_ASSETS) {
    const found = await assets.findOne({ _id: expected.asset_id });
    assert.ok(found, expected.asset_id);
    const { data, ...fields } = found;
    assert.deepEqual(fields, { _id: expected.asset_id, ...expected, last_updated: END });
    assert.deepEqual({ ...data, ...expectedData }, data, expected.asset_id);
  }
  const withoutHost = { asset_type: { $in: ['vm', 'container'] }, 'data.hypervisor': { $ne: 'pve-node-01' } };
  assert.equal(await assets.countDocuments(withoutHost), 0);
});

test('flat: every record has the fields of the manual in its order, with their types', async () => {
  // One group for each different shape that occurs anywhere.
  const shapes = await flat.db
    .collection('metrics')
    .aggregate([
      {
        $group: {
          _id: {
            metric: '$metric_name',
            unit: '$unit',
            environment: '$tags.environment',
            assetType: '$tags.asset_type',
            fields: { $map: { input: { $objectToArray: '$$ROOT' }, in: '$$this.k' } },
            tags: { $map: { input: { $objectToArray: '$tags' }, in: '$$this.k' } },
            types: [{ $type: '$_id' }, { $type: '$timestamp' }, { $type: '$value' }],
          },
        },
      },
    ])
    .toArray();
  const seen = new Set<string>();
  for (const { _id: shape } of shapes) {
    assert.equal(shape.unit, UNITS[shape.metric], shape.metric);
    assert.equal(shape.environment, 'staging');
    assert.deepEqual(shape.fields, ['_id', 'asset_id', 'metric_name', 'timestamp', 'value', 'unit', 'tags']);
    assert.deepEqual(shape.tags, ['environment', 'asset_type']);
    assert.deepEqual(shape.types, ['objectId', 'date', 'double']);
    seen.add(`${shape.assetType} ${shape.metric}`);
  }
  // Four types of machines with six metrics, services with two.
  assert.equal(seen.size, 4 * 6 + 2);
});

test('the tags of a record name the type of its asset', async () => {
  const wrong = await flat.db
    .collection('metrics')
    .aggregate([
      { $group: { _id: { asset: '$asset_id', type: '$tags.asset_type' } } },
      { $lookup: { from: 'assets', localField: '_id.asset', foreignField: '_id', as: 'asset' } },
      { $match: { $expr: { $ne: ['$_id.type', { $first: '$asset.asset_type' }] } } },
    ])
    .toArray();
  assert.deepEqual(wrong, []);
});

for (const writer of ['sequence', 'bulkwrite'] as const) {
  timeSeriesTest(
    `timeseries, writer ${writer}: the same counts, sums, least and greatest values, in documents of three fields`,
    async () => {
      const database = file.freshDatabase();
      const summary = await file.load(database, { ...DAY, layout: 'timeseries', writer });
      assert.equal(summary.records.inserted, 135_370);
      assert.deepEqual(summary.loader.writer, { kind: writer });
      const db = file.client.db(database);
      assert.deepEqual(await seriesFigures(db, 'timeseries'), flat.figures);
      const documents = { $group: { _id: { fields: FIELDS_OF_ROOT, value: { $type: '$value' } } } };
      const shapes = await db.collection('metrics').aggregate([documents]).toArray();
      assert.deepEqual(
        shapes.map(({ _id }) => [[..._id.fields].sort(), _id.value]),
        [[['meta', 'timestamp', 'value'], 'double']],
      );
      const metas = await db.collection('metrics').distinct('meta');
      assert.equal(metas.length, flat.figures.length);
      for (const meta of metas) assert.deepEqual(Object.keys(meta), ['asset_id', 'metric_name']);
      const noAge = { projection: { last_updated: 0 } };
      const assets = (from: Db) => from.collection('assets').find({}, noAge).sort({ _id: 1 }).toArray();
      assert.deepEqual(await assets(db), await assets(flat.db));
    },
  );
}

const FIELDS_OF_ROOT = { $map: { input: { $objectToArray: '$$ROOT' }, in: '$$this.k' } };

test('--availability-scale unit: the same states as 1, 0.5 and 0, and nothing else changes', async () => {
  const database = file.freshDatabase();
  await file.load(database, { ...DAY, sections: ['polling'], availabilityScale: 'unit' });
  const figures = await seriesFigures(file.client.db(database), 'flat');
  const expected = flat.figures
    .filter(({ metric }) => sectionOf(metric) === 'polling')
    .map((one) => {
      if (one.metric !== 'availability_status') return one;
      return { ...one, sum: one.sum / 100, min: one.min / 100, max: one.max / 100 };
    });
  assert.deepEqual(figures, expected);
  const states = await file.client
    .db(database)
    .collection('metrics')
    .distinct('value', { metric_name: 'availability_status' });
  assert.ok(states.includes(1) && states.every((state) => [0, 0.5, 1].includes(state)), String(states));
});
