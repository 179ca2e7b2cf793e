/** What `status` and `--dry-run` print. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  databaseLines,
  dryRunLines,
  metricLines,
  type PlannedLoad,
  type RunText,
  runLines,
  serverLines,
  storedAssetLines,
} from '../../src/output/tree-text.js';
import { widthOf } from '../../src/output/width.js';
import { NOW, STARTED, SUMMARY } from '../support/reporting.js';

/** `2025-02-09 10:30:15` */
const utc = (instant: Date) => instant.toISOString().slice(0, 19).replace('T', ' ');

const RUN: RunText = {
  runId: STARTED.runId,
  state: 'complete',
  seed: 42,
  layout: 'flat',
  window: STARTED.window,
  sections: ['metrics', 'polling', 'backup'],
  planned: STARTED.planned,
  records: 1_895_180,
  shards: { total: 96, done: 96 },
  startedAt: NOW,
  finishedAt: new Date(NOW.getTime() + 154_000),
  silentMs: undefined,
  host: 'laptop',
  pid: 4711,
  version: '0.1.0',
};

test('server and database, collections in a column', () => {
  assert.deepEqual(serverLines({ ...SUMMARY.server, embedded: true }, 'pmi'), [
    '✅ Connected to MongoDB 6.0.5 (embedded)',
    '   ├── URI: mongodb://pmi:****@db.example:27017/',
    '   └── Database: pmi',
  ]);
  assert.deepEqual(databaseLines({ ...SUMMARY.database, collections: { metrics: 1_895_180, assets: 34 } }), [
    '📊 Database statistics',
    '   ├── Size: 45.2 MB data, 12.0 MB storage, 9.0 MB indexes',
    '   └── Documents',
    '       ├── assets          34',
    '       └── metrics  1,895,180',
  ]);
  assert.equal(
    databaseLines({ ...SUMMARY.database, collections: {} })[2],
    '   └── Nothing of this program yet',
  );
});

test('a complete run, one that waits to be resumed, one that is loading, one that cannot be used', () => {
  const waiting = {
    ...RUN,
    runId: 'b',
    state: 'interrupted',
    records: 900_000,
    shards: { total: 96, done: 40 },
  };
  const loading = { ...waiting, runId: 'c', state: 'loading', silentMs: 2_100, finishedAt: undefined };
  const unusable = { runId: 'd', problem: 'document d of seed_runs cannot be used:\nseed: expected number' };
  const began = utc(NOW);
  const later = new Date(NOW.getTime() + 154_000);
  const nextDay = new Date(NOW.getTime() + 86_400_000);
  const ended = utc(later).slice(11);
  assert.deepEqual(runLines([RUN, { ...waiting, sections: ['polling'] }, loading, unusable]), [
    '🚀 Runs',
    '   ├── 67a8f2d0c0ffee0123456789: complete',
    '   │   ├── 1,895,180 of 1,895,180 records, 96 of 96 shards',
    '   │   ├── seed 42, layout flat, 2025-01-26 → 2025-02-09 UTC',
    `   │   └── started ${began}, ended ${ended} UTC, version 0.1.0`,
    '   ├── b: interrupted',
    '   │   ├── 900,000 of 1,895,180 records, 40 of 96 shards',
    '   │   ├── seed 42, layout flat, 2025-01-26 → 2025-02-09 UTC, only polling',
    `   │   ├── started ${began}, ended ${ended} UTC, version 0.1.0`,
    '   │   └── finish it with: seed-database --resume',
    '   ├── c: loading',
    '   │   ├── 900,000 of 1,895,180 records, 40 of 96 shards',
    '   │   ├── seed 42, layout flat, 2025-01-26 → 2025-02-09 UTC',
    `   │   ├── started ${began} UTC, version 0.1.0`,
    '   │   └── held by process 4711 on laptop, last seen 2.1s ago',
    '   └── d',
    '       └── ⚠️  document d of seed_runs cannot be used: seed: expected number',
  ]);
  const overnight = runLines([{ ...RUN, finishedAt: nextDay }]);
  assert.equal(overnight[4], `       └── started ${began}, ended ${utc(nextDay)} UTC, version 0.1.0`);
  assert.deepEqual(runLines([]), ['🚀 Runs', '   └── none']);
  assert.equal(runLines(Array.from({ length: 8 }, () => RUN)).at(-1), '   └── and 3 older');
});

test('counts by type and by metric are sorted and aligned', () => {
  assert.deepEqual(storedAssetLines({ vm: 5, container: 12 }), [
    '🏗️  Assets by type',
    '   ├── container  12',
    '   └── vm          5',
  ]);
  assert.deepEqual(metricLines({}), ['📈 Records by metric', '   └── none']);
});

test('a preview says what would be loaded, and that nothing was', () => {
  const preview: PlannedLoad = {
    seed: undefined,
    layout: 'timeseries',
    window: STARTED.window,
    days: 14,
    assets: STARTED.assets,
    records: STARTED.planned,
    shards: 64,
    shardDays: 7,
    batchSize: 1000,
    size: { documentBytes: 381_649_000, storageBytes: 60_000_000, indexBytes: 44_000_000 },
  };
  const lines = dryRunLines(preview);
  assert.deepEqual(lines, [
    '📊 Plan of the load',
    '   ├── Seed: drawn when the load starts',
    '   ├── Period: 2025-01-26 → 2025-02-09 UTC (14 days)',
    '   ├── Assets: 34 (10 machines + 22 services + 2 backup jobs)',
    '   ├── Records: 1,895,180',
    '   │   ├── metrics 604,800',
    '   │   ├── polling 1,290,240',
    '   │   └── backups 140',
    '   ├── Work: 64 shards of up to 7 days, batch 1,000',
    '   └── Size: 381.6 MB of documents, layout timeseries',
    '       └── on disk about 60.0 MB, and 44.0 MB of indexes',
    '',
    '🎯 Dry run: nothing was connected to, nothing written',
  ]);
  for (const line of lines) assert.ok(widthOf(line) <= 80);
  assert.equal(dryRunLines({ ...preview, seed: 0 })[1], '   ├── Seed: 0');
});

test('a shared run lists its parts, and what to do about each', () => {
  const part = { state: 'complete', host: 'laptop', pid: 1, silentMs: undefined };
  const begun = [
    { ...part, part: 1 },
    { ...part, part: 2, state: 'interrupted' },
    { ...part, part: 3, state: 'loading', pid: 7, silentMs: 2_000 },
  ];
  const lines = runLines([{ ...RUN, state: 'loading', parts: { count: 4, begun } }]);
  assert.deepEqual(lines.slice(-5), [
    '       └── shared by 4 loaders',
    '           ├── part 1: complete',
    '           ├── part 2: interrupted; finish it with: seed-database --resume --parts 4 --part 2',
    '           ├── part 3: loading, held by process 7 on laptop, last seen 2.0s ago',
    '           └── 1 part not begun',
  ]);
});
