/**
 * The built program, killed and interrupted in the middle of a load, and resumed: every record,
 * each once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from 'mongodb';
import type { Layout, LoadSummary } from '../../src/index.js';
import { type CliResult, type RunningCli, runCli, startCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { daysBefore, hashes, seriesFigures, useServer } from '../support/loading.js';
import { until } from '../support/server.js';

const file = useServer({ slowInserts: true });
/** From noon to noon: of each asset two shards of half a day, and the backups of one night. */
const [START, STOP] = [daysBefore(1.5), daysBefore(0.5)];
const RECORDS = 135_370;
const SHARDS = 64;
const DATASET = [
  '--seed',
  '42',
  '--start',
  START.toISOString(),
  '--end',
  STOP.toISOString(),
  '--shard-days',
  '1',
];
/** No load is over before it is interrupted. */
const SLOW = ['--workers', '2', '--rate', '60000'];

function target(database: string): string[] {
  return ['--uri', file.server.uri, '--database', database];
}

function resultOf({ status, stdout, stderr }: CliResult): LoadSummary {
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as LoadSummary;
}

/** Starts the program and sends it a signal once so many shards more are done. */
async function interrupt(
  db: Db,
  args: string[],
  signal: NodeJS.Signals,
  shards: number,
  cwd: string,
): Promise<CliResult> {
  const checkpoints = db.collection('seed_shards');
  const enough = (await checkpoints.countDocuments()) + shards;
  const { child, result } = startCli([...args, ...target(db.databaseName)], { cwd });
  await until(`${enough} shards are done`, async () => {
    if (child.exitCode !== null)
      assert.fail(`the load ended before it was interrupted: ${(await result).stderr}`);
    return (await checkpoints.countDocuments()) >= enough;
  });
  child.kill(signal);
  return result;
}

let undisturbed: Record<string, string> | undefined;

/**
 * In the flat layout by the bytes of a load that nobody disturbed; a time-series has no unique key,
 * so its minutes are grouped.
 */
async function assertEachRecordOnce(db: Db, layout: Layout): Promise<void> {
  assert.equal(await db.collection('metrics').countDocuments(), RECORDS);
  if (layout === 'flat') {
    if (!undisturbed) {
      const whole = file.freshDatabase();
      await file.load(whole, { start: START, end: STOP });
      undisturbed = await hashes(file.client.db(whole), 'assets', 'metrics');
    }
    assert.deepEqual(await hashes(db, 'assets', 'metrics'), undisturbed);
    return;
  }
  const figures = await seriesFigures(db, layout);
  assert.equal(figures.length, 104);
  for (const { asset, metric, records, minutes } of figures) {
    const expected = metric === 'backup_status' ? 1 : 1440;
    assert.deepEqual([records, minutes], [expected, expected], `${asset} ${metric}`);
  }
}

for (const layout of LAYOUTS_HERE) {
  test(`${layout}: killed twice by SIGKILL, --resume completes the run, each record once`, async () => {
    const db = file.client.db(file.freshDatabase());
    await withFolder({}, async (cwd) => {
      const options = [...SLOW, '--layout', layout];
      const first = await interrupt(db, [...DATASET, ...options], 'SIGKILL', 5, cwd);
      assert.equal(first.signal, 'SIGKILL');
      const again = await interrupt(db, ['--resume', ...SLOW], 'SIGKILL', 5, cwd);
      assert.equal(again.signal, 'SIGKILL');
      const held = await db.collection('metrics').countDocuments();
      assert.ok(held < RECORDS, 'the load was killed too late');
      const done = await db.collection('seed_shards').countDocuments();

      const result = await runCli(['--resume', '--json', ...target(db.databaseName)], { cwd });
      const { status, resumed, records, shards, seed } = resultOf(result);
      assert.deepEqual([status, resumed, seed], ['complete', true, 42]);
      assert.deepEqual([records.inserted, records.planned], [RECORDS, RECORDS]);
      assert.deepEqual(shards, { total: SHARDS, done: SHARDS, skipped: done });
      await assertEachRecordOnce(db, layout);
    });
  });

  test(`${layout}: Ctrl-C ends with 130 and says how to go on; that command completes the run`, async () => {
    const db = file.client.db(file.freshDatabase());
    await withFolder({}, async (cwd) => {
      const args = [...DATASET, ...SLOW, '--layout', layout];
      const { status, signal, stdout, stderr } = await interrupt(db, args, 'SIGINT', 5, cwd);
      assert.deepEqual([status, signal, stderr], [130, null, '']);
      assert.doesNotMatch(stdout, /^\s+at /m);
      const [run] = await db.collection('seed_runs').find().toArray();
      assert.deepEqual([run.state, run.active], ['interrupted', undefined]);

      const command = /\n🎯 Continue with: seed-database (--resume [^\n]+)\n$/.exec(stdout);
      assert.ok(command, stdout);
      const { records, resumed } = resultOf(await runCli([...command[1].split(' '), '--json'], { cwd }));
      assert.deepEqual([resumed, records.inserted], [true, RECORDS]);
      await assertEachRecordOnce(db, layout);
    });
  });
}

test('SIGTERM stops a load as Ctrl-C does', async () => {
  const db = file.client.db(file.freshDatabase());
  await withFolder({}, async (cwd) => {
    const { status, stdout } = await interrupt(db, [...DATASET, ...SLOW, '--json'], 'SIGTERM', 1, cwd);
    assert.equal(status, 130);
    const { status: ended, records, shards } = JSON.parse(stdout) as LoadSummary;
    assert.equal(ended, 'interrupted');
    assert.ok(shards.done >= 1 && shards.done < shards.total, JSON.stringify(shards));
    assert.ok(records.inserted > 0 && records.inserted < records.planned, JSON.stringify(records));
    assert.equal(await db.collection('seed_shards').countDocuments(), shards.done);
  });
});

/** A load whose server has stopped answering, so that an orderly end takes its time. */
async function loadOnStoppedServer(
  signal: NodeJS.Signals,
  act: (running: RunningCli, db: Db) => Promise<void>,
): Promise<void> {
  const db = file.client.db(file.freshDatabase());
  await withFolder({}, async (cwd) => {
    const running = startCli([...DATASET, ...SLOW, ...target(db.databaseName)], { cwd });
    let said = '';
    running.child.stdout?.on('data', (text: string) => {
      said += text;
    });
    await until('records are loaded', () => db.collection('seed_shards').countDocuments());
    await file.server.kill('SIGSTOP');
    try {
      running.child.kill(signal);
      await until(`${signal} is heard`, async () => said.includes(`${signal}: finishing the batches`));
      await act(running, db);
    } finally {
      await file.server.kill('SIGCONT');
    }
    await running.result;
  });
}

test('a terminal that closes may send SIGHUP twice, and SIGTERM: the orderly stop goes on', async () => {
  let ended: RunningCli | undefined;
  await loadOnStoppedServer('SIGHUP', async (running) => {
    ended = running;
    for (const signal of ['SIGHUP', 'SIGTERM', 'SIGHUP'] as const) {
      running.child.kill(signal);
      await new Promise((done) => setTimeout(done, 50));
    }
    assert.equal(running.child.exitCode, null, 'it was not forced');
  });
  const result = await ended?.result;
  assert.equal(result?.status, 130);
  assert.match(result?.stdout ?? '', /\n🎯 Continue with: seed-database --resume [^\n]+\n$/);
});

test('a second Ctrl-C ends at once, with 130 and a last line that says how to go on', async () => {
  await loadOnStoppedServer('SIGINT', async ({ child, result }, db) => {
    child.kill('SIGINT');
    const { status, stderr } = await result;
    assert.equal(status, 130);
    const database = db.databaseName;
    assert.match(
      stderr,
      new RegExp(`^❌ Ctrl-C again: quit at once[^\n]*\n   └── .*seed-database --resume .*${database}\n$`),
    );
  });
});
