/** Parts of the dataset and parts of days: what is loaded is exactly what was planned. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LoadOptions, SECTIONS, type Section } from '../../src/index.js';
import { UNKEYED_LAYOUT } from '../support/features.js';
import { daysBefore, END, seriesFigures, useServer } from '../support/loading.js';

const file = useServer();

const METRICS: Readonly<Record<Section, readonly string[]>> = {
  metrics: ['cpu_usage', 'io_wait', 'memory_usage'],
  polling: ['availability_status', 'response_time_ms'],
  backup: ['backup_status'],
};

/**
 * Loads into a database of its own, checks that plan and database agree, and returns the counts.
 */
async function loadAndCount(options: LoadOptions): Promise<Record<Section, number>> {
  const { layout = 'flat' } = options;
  const database = file.freshDatabase();
  const { records, plannedBySection, status } = await file.load(database, { workers: 1, ...options });
  const db = file.client.db(database);
  const figures = await seriesFigures(db, layout);
  const stored = { metrics: 0, polling: 0, backup: 0 };
  for (const section of SECTIONS) {
    for (const one of figures) if (METRICS[section].includes(one.metric)) stored[section] += one.minutes;
  }
  assert.equal(status, 'complete');
  assert.deepEqual(stored, plannedBySection);
  assert.equal(records.inserted, records.planned);
  assert.equal(await db.collection('metrics').countDocuments(), records.planned);
  assert.equal(await db.collection('assets').countDocuments(), 34);
  for (const one of figures) assert.equal(one.records, one.minutes, `${one.asset} ${one.metric}`);
  return stored;
}

const QUARTER = { start: daysBefore(1), end: daysBefore(0.75) };

test('--assets-only: the assets and no record', async () => {
  assert.deepEqual(await loadAndCount({ ...QUARTER, assetsOnly: true }), {
    metrics: 0,
    polling: 0,
    backup: 0,
  });
});

test('--polling-only, --metrics-only, and --metrics-only with --backup-only', async () => {
  assert.deepEqual(await loadAndCount({ ...QUARTER, sections: ['polling'] }), {
    metrics: 0,
    polling: 32 * 2 * 360,
    backup: 0,
  });
  assert.deepEqual(await loadAndCount({ ...QUARTER, sections: ['metrics'] }), {
    metrics: 10 * 3 * 360,
    polling: 0,
    backup: 0,
  });
  assert.deepEqual(await loadAndCount({ ...QUARTER, sections: ['metrics', 'backup'] }), {
    metrics: 10 * 3 * 360,
    polling: 0,
    backup: 10,
  });
});

test('--backup-only: one record a day and machine, over three weeks', async () => {
  assert.deepEqual(await loadAndCount({ days: 21, sections: ['backup'] }), {
    metrics: 0,
    polling: 0,
    backup: 210,
  });
});

test('a window in the middle of days holds exactly its minutes, and the backups that fall into it', async () => {
  // From 02:30 of one day to 02:30 of the next: of each machine's two backups the window may hold
  // none, one, or both.
  const start = new Date(daysBefore(2).getTime() + 150 * 60_000);
  const end = new Date(daysBefore(1).getTime() + 150 * 60_000);
  const counts = await loadAndCount({ start, end });
  assert.deepEqual([counts.metrics, counts.polling], [10 * 3 * 1440, 32 * 2 * 1440]);

  // The same backups, as a load of whole days has them.
  const database = file.freshDatabase();
  await file.load(database, { days: 2, end: END, sections: ['backup'] });
  const inside = { timestamp: { $gte: start, $lt: end } };
  const backups = await file.client.db(database).collection('metrics').countDocuments(inside);
  assert.equal(counts.backup, backups);
  assert.deepEqual(await loadAndCount({ start, end, layout: UNKEYED_LAYOUT }), counts);
});

test('a window of one minute, and one that ends before the nightly backups', async () => {
  const start = daysBefore(0.5);
  const minute = { start, end: new Date(start.getTime() + 60_000) };
  assert.deepEqual(await loadAndCount(minute), { metrics: 30, polling: 64, backup: 0 });
  const hour = { start: daysBefore(1), end: new Date(daysBefore(1).getTime() + 3_600_000) };
  assert.deepEqual(await loadAndCount(hour), { metrics: 30 * 60, polling: 64 * 60, backup: 0 });
});
