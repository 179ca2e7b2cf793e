/** What each way of reporting prints, for the same load. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Screen } from '../../src/output/screen.js';
import { LiveBar } from '../../src/output/tree-reporter.js';
import type { LoadSummary } from '../../src/output/types.js';
import { widthOf } from '../../src/output/width.js';
import { CONTROL_CODE } from '../support/cli.js';
import {
  Capture,
  FULL_DISK as FULL,
  LOAD,
  NOW,
  progressAt,
  render,
  STARTED,
  SUMMARY,
  tell,
} from '../support/reporting.js';

const folder = mkdtempSync(join(tmpdir(), 'seed-database-report-'));
after(() => rmSync(folder, { recursive: true }));
const logFile = join(folder, 'load.log');

const finish =
  (changes: Partial<LoadSummary> = {}) =>
  (reporter: { finish(summary: LoadSummary): void }) =>
    reporter.finish({ ...SUMMARY, ...changes });

/** The promised fields of the JSON object, nested ones in full. */
const JSON_FIELDS = {
  status: 'complete',
  runId: STARTED.runId,
  seed: 2_147_483_646,
  layout: 'timeseries',
  window: { start: '2025-01-26T00:00:00.000Z', end: '2025-02-09T00:00:00.000Z' },
  assets: { machines: 10, services: 22, jobs: 2, total: 34 },
  records: { planned: 1_895_180, inserted: 1_895_180, metrics: 604_800, polling: 1_290_240, backup: 140 },
  shards: { total: 96, done: 96, skipped: 0 },
  resumed: false,
  elapsedMs: 4738,
  recordsPerSecond: 402_113,
  loader: { cpuMs: 1900, maxRssMb: 210, workers: 2, writer: { kind: 'sequence', reason: null } },
  database: {
    name: 'pmi_infrastructure_dev',
    collections: { assets: 34, metrics: 1_895_180, seed_runs: 1, seed_shards: 96 },
    dataSizeBytes: 45_200_000,
    storageSizeBytes: 12_000_000,
    indexSizeBytes: 9_000_000,
  },
  server: { version: '6.0.5', embedded: false, uri: 'mongodb://pmi:****@db.example:27017/' },
};

test('a file gets the whole tree, a progress line every few seconds, and no control codes', async () => {
  const { stdout, stderr } = await tell({ logFile }, finish(), { connectionFlags: ' --host db.example' });
  assert.equal(stderr, '');
  assert.doesNotMatch(stdout, CONTROL_CODE);
  const expected = [
    '🚀 Filling MongoDB with infrastructure telemetry',
    '   · an info notice',
    '',
    '✅ Connected to MongoDB 6.0.5',
    '   ├── URI: mongodb://pmi:****@db.example:27017/',
    '   └── Database: pmi_infrastructure_dev',
    '',
    '✅ Cleaned: these collections were removed',
    '   └── seed_shards, metrics',
    '',
    '📊 Configuration: 10 machines, 14 days, batch 10,000, 2 workers',
    '   └── layout timeseries, seed 2147483646 (drawn)',
    '',
    '🏗️  Infrastructure assets written',
    '   ├── 10 machines',
    '   ├── 22 services',
    '   └── 2 backup jobs',
    '',
    '📈 Generating records',
    '   ├── Period: 2025-01-26 → 2025-02-09 UTC',
    '   ├── Records: 1,895,180 (604,800 metrics, 1,290,240 polling, 140 backups)',
    /^ {3}├── 63\.3% \(1,200,000\/1,895,180\), 400,000 records\/s, 2s left, ETA \d\d:\d\d:\d\d$/,
    '   ├── ⚠️  a warning of two lines',
    '   ├── building an index',
    '   └── [████████████████████] 100% (1,895,180/1,895,180)',
    '',
    '✅ Load complete in 4.7s',
    '',
    '📊 Final statistics',
    '   ├── Total time: 4.7s',
    '   ├── Assets: 34 (10 machines + 22 services + 2 backup jobs)',
    '   ├── Records: 1,895,180 of 1,895,180 planned',
    '   │   ├── metrics 604,800 of 604,800',
    '   │   ├── polling 1,290,240 of 1,290,240',
    '   │   └── backups 140 of 140',
    '   ├── Rate: 402,113 records/s',
    '   ├── Database size: 45.2 MB data, 12.0 MB storage, 9.0 MB indexes',
    '   ├── Period: 2025-01-26 → 2025-02-09 UTC',
    '   ├── Seed: 2147483646',
    `   ├── Log: ${logFile}`,
    '   ├── Open: mongosh mongodb://pmi@db.example:27017/pmi_infrastructure_dev',
    '   └── Check: seed-database status --host db.example',
    '',
    '🎯 Database ready to use!',
    '',
  ];
  const lines = stdout.split('\n');
  for (const [index, wanted] of expected.entries()) {
    if (typeof wanted === 'string') assert.equal(lines[index], wanted);
    else assert.match(lines[index], wanted);
  }
  assert.equal(lines.length, expected.length);
});

test('retries, a fallback of the writer, a resumed run and a part of the sections are told', async () => {
  const started = {
    ...STARTED,
    resumed: true,
    sections: ['polling', 'backup'] as const,
    shards: { total: 96, skipped: 50 },
    recordsBefore: 900_000,
  };
  const events = LOAD.map((event) => (event.type === 'started' ? started : event));
  const { stdout } = await tell(
    { logFile },
    finish({
      retries: 3,
      resumed: true,
      loader: { ...SUMMARY.loader, writer: { kind: 'bulkwrite', reason: 'no such class' } },
      plannedBySection: { ...SUMMARY.plannedBySection, metrics: 0 },
      server: { ...SUMMARY.server, embedded: true },
    }),
    { events },
  );
  for (const line of [
    '   ├── layout timeseries, seed 2147483646',
    '   ├── only polling and backup',
    '   └── resuming: 900,000 of 1,895,180 records are there (50 of 96 shards)',
    '✅ Resumed load complete in 4.7s',
    '   ├── Retries: 3',
    '   ├── Writer: bulkwrite, since no such class',
    '   ├── Open: seed-database serve\n   │   └── it prints the URI for mongosh',
  ]) {
    assert.ok(stdout.includes(`${line}\n`), `${line}\n${stdout}`);
  }
  assert.doesNotMatch(stdout, /metrics 604/);
});

test('a terminal: live lines that never wrap, gone when the load has ended', async () => {
  const ending = finish({ server: { ...SUMMARY.server, uri: 'mongodb://h' } });
  const file = await tell({ logFile: '/dev/null' }, ending);
  const settled = file.stdout.split('\n').filter((line) => !line.includes('records/s, 2s left'));
  for (const columns of [80, 120]) {
    const { stdout } = await tell({ logFile: '/dev/null' }, ending, { columns });
    assert.deepEqual(render(stdout).lines, settled, `${columns} columns`);
  }
  // Where there is little room lines are broken between words, and the words are the same.
  const words = (lines: readonly string[]) => lines.join(' ').match(/[^\s│├└─]+/gu);
  for (const columns of [40, 60]) {
    const { lines } = render((await tell({ logFile: '/dev/null' }, ending, { columns })).stdout);
    const unbarred = (all: readonly string[]) => all.map((line) => line.replace(/\[[█░]+\] /, ''));
    assert.deepEqual(words(unbarred(lines)), words(unbarred(settled)), `${columns} columns`);
    for (const line of lines) {
      const isOneWord = (words([line]) ?? []).length <= 1 || /seed-database|mongosh/.test(line);
      assert.ok(widthOf(line) < columns || isOneWord, line);
    }
  }
});

test('the live lines are two, and show the load as it is', async () => {
  const shown = async (columns: number, changes: object = {}) => {
    const stdout = new Capture(columns);
    const live = new LiveBar(new Screen(stdout, true, 'xterm'), () => NOW);
    live.show(progressAt(2_000, changes));
    const screen = render(stdout.text);
    live.clear();
    assert.deepEqual(render(stdout.text).lines, [''], 'nothing is left');
    return screen;
  };
  const { lines } = await shown(80);
  assert.equal(lines.length, 2);
  assert.match(lines[0], /^ {3}├── \[█+░+\] {2}42% {3}800,000\/1,895,180 · 400,000\/s · 3s left$/);
  assert.match(
    lines[1],
    /^ {3}└── svc-acronis-agent-phys… availability_status · batch 4\.2ms · ETA \d\d:\d\d:\d\d$/,
  );
  for (const columns of [80, 100, 200, 40, 20]) {
    const { widest } = await shown(columns, { planned: 99_999_999_999, remainingMs: 1e10 });
    assert.ok(widest < columns, `${widest} of ${columns}`);
  }
});

test('on a terminal every write leaves the modes of the terminal alone', async () => {
  const { stdout } = await tell({ logFile: '/dev/null' }, finish(), { columns: 80 });
  assert.ok(!stdout.includes('\u001b[?'));
});

test('no line of the tree is wider than 80 columns, but the one to be copied', async () => {
  const { stdout } = await tell({ logFile: '/dev/null' }, finish());
  for (const line of stdout.split('\n')) assert.ok(widthOf(line) <= 80 || /Open:/.test(line), line);
});

test('colours on a terminal only, and not there with --no-color or on a dumb one', async () => {
  const COLOR = /\p{Cc}\[[\d;]*m/u;
  assert.match((await tell({ logFile }, finish(), { columns: 80 })).stdout, COLOR);
  assert.doesNotMatch((await tell({ logFile, color: false }, finish(), { columns: 80 })).stdout, COLOR);
  assert.doesNotMatch((await tell({ logFile }, finish())).stdout, COLOR);
  const dumb = new Capture(80);
  const screen = new Screen(dumb, true, 'dumb');
  screen.print(['   ├── a'], 'good');
  assert.equal(dumb.text, '   ├── a\n');
  assert.equal(screen.interactive, false);
});

test('--quiet: one final line, and nothing on standard error', async () => {
  const line = async (changes: Partial<LoadSummary>) => {
    const told = await tell({ logFile, quiet: true }, finish(changes), { connectionFlags: ' --port 1' });
    assert.equal(told.stderr, '');
    return told.stdout;
  };
  assert.equal(
    await line({}),
    '🎯 Database ready to use! 1,895,180 of 1,895,180 records, seed 2147483646, in 4.7s\n',
  );
  assert.equal(
    await line({ status: 'already complete' }),
    '🎯 Database ready to use! Already complete: 1,895,180 of 1,895,180 records, seed 2147483646\n',
  );
  assert.equal(
    await line({ status: 'interrupted', records: { ...SUMMARY.records, inserted: 900_000 } }),
    '⚠️  Interrupted: 900,000 of 1,895,180 records are safe; continue with: seed-database --resume --port 1\n',
  );
  assert.equal(
    await line({ status: 'nothing to resume' }),
    '✅ Nothing to resume: database pmi_infrastructure_dev holds no unfinished run\n',
  );
});

test('--json: one object with exactly the promised fields on standard output, the tree on standard error', async () => {
  const { stdout, stderr } = await tell({ logFile, json: true }, finish({ retries: 7 }));
  assert.match(stdout, /^\{.*\}\n$/);
  assert.deepEqual(JSON.parse(stdout), JSON_FIELDS);
  assert.match(stderr, /^🚀/);
  assert.match(stderr, /🎯 Database ready to use!\n$/);
  const quiet = await tell({ logFile, json: true, quiet: true }, finish());
  assert.deepEqual(JSON.parse(quiet.stdout), JSON_FIELDS);
  assert.equal(quiet.stderr, '');
});

test('already complete, nothing to resume and interrupted are said plainly', async () => {
  const events = LOAD.filter(({ type }) => type === 'connected');
  const complete = await tell({ logFile }, finish({ status: 'already complete' }), { events });
  assert.match(complete.stdout, /\n✅ Already complete: this dataset is there, nothing was written\n/);
  assert.match(complete.stdout, /├── Records: 1,895,180 of 1,895,180 planned\n/);
  assert.doesNotMatch(complete.stdout, /Total time|📈/);
  const nothing = await tell({ logFile }, finish({ status: 'nothing to resume' }), { events });
  assert.match(
    nothing.stdout,
    /✅ Nothing to resume: database pmi_infrastructure_dev holds no unfinished run\n$/,
  );
  const interrupted = await tell(
    { logFile },
    finish({ status: 'interrupted', records: { ...SUMMARY.records, inserted: 900_000 } }),
    { connectionFlags: ' --database x', resumeFlags: ' --parts 4 --part 2' },
  );
  assert.match(
    interrupted.stdout,
    /\n⚠️ {2}Interrupted after 4\.7s\n {3}├── 900,000 of 1,895,180 records are safe\n/,
  );
  assert.match(
    interrupted.stdout,
    /\n🎯 Continue with: seed-database --resume --parts 4 --part 2 --database x\n$/,
  );
});

test('assets only: no section of records', async () => {
  const none = { metrics: 0, polling: 0, backup: 0 };
  const started = { ...STARTED, sections: [], planned: none };
  const { stdout } = await tell(
    { logFile },
    finish({ records: { planned: 0, inserted: 0, ...none }, plannedBySection: none, recordsPerSecond: 0 }),
    {
      events: [
        started,
        { type: 'assetsWritten', assets: STARTED.assets },
        progressAt(9, { planned: 0, acknowledged: 0 }),
      ],
    },
  );
  assert.match(stdout, /└── assets only, no records\n/);
  assert.match(stdout, /\n✅ Assets written in 4\.7s\n/);
  assert.doesNotMatch(stdout, /📈|Records|Rate/);
});

test('--writer none: measured, with nothing to look at', async () => {
  const nowhere = { name: '', collections: {}, dataSizeBytes: 0, storageSizeBytes: 0, indexSizeBytes: 0 };
  const measured = { server: { version: '', embedded: false, uri: '' }, database: nowhere };
  const events = [{ ...STARTED, runId: 'none' }, progressAt(4_738)];
  const { stdout } = await tell({ logFile }, finish(measured), { events });
  assert.match(stdout, /📈 Generating records\n.*└── \[█{20}\] 100% /s);
  assert.match(stdout, /\n🎯 Measured, nothing written!\n$/);
  assert.doesNotMatch(stdout, /Database|Open|Check/);
  const failed = await tell({ logFile }, (reporter) => reporter.fail(FULL), { events });
  assert.doesNotMatch(failed.stderr, /--resume/);
});

test('debug notices, stages and the writer are shown with --log-level debug only', async () => {
  const debug = await tell({ logFile, logLevel: 'debug' }, finish());
  assert.match(debug.stdout, / a debug notice\n/);
  assert.match(debug.stdout, / connecting took \d+ms\n/);
  assert.match(
    debug.stdout,
    / writer sequence; 2 workers and the main thread used 1\.9s of CPU, 210 MB of memory\n/,
  );
  const info = await tell({ logFile }, finish());
  assert.doesNotMatch(info.stdout, /debug|took|writer sequence/);
  const error = await tell({ logFile, logLevel: 'error' }, finish());
  assert.doesNotMatch(error.stdout, /info notice|a warning/);
});
