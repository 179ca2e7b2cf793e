/** What the built program prints and logs, on a real server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CLI_ENTRY, CONTROL_CODE, HOUR, inFolder, RUNTIME, runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';
import { LAYOUTS_HERE } from '../support/features.js';
import { freePort, startTestServer, type TestServer } from '../support/server.js';

const LOG_LINE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:DEBUG {4}|INFO {5}|WARNING {2}|ERROR {4})\S.*$/;

let server: TestServer;
let databases = 0;
before(async () => {
  server = await startTestServer();
});
after(() => server.stop());

/** Flags that name a database nobody used before. */
function freshDatabase(): string[] {
  return ['--uri', server.uri, '--database', `output_${databases++}`];
}

interface Result {
  readonly status: string;
  readonly records: { readonly planned: number; readonly inserted: number };
  readonly [field: string]: unknown;
}

test('piped: the whole tree without control codes, a log in the format of the manual, then "already complete"', async () => {
  const database = freshDatabase();
  await inFolder([...HOUR, ...database], async ({ status, stdout, stderr }, cwd) => {
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    assert.doesNotMatch(stdout, CONTROL_CODE);
    for (const part of [
      '🚀',
      '✅ Connected',
      '📊 Configuration',
      '🏗️',
      '📈',
      '✅ Load complete',
      '📊 Final',
    ]) {
      assert.ok(stdout.includes(part), part);
    }
    assert.match(stdout, /\n🎯 Database ready to use!\n$/);
    const records = /Records: ([\d,]+) of \1 planned\n/.exec(stdout);
    assert.ok(records, stdout);

    const [log] = readdirSync(join(cwd, 'logs'));
    assert.match(log, /^seed_database_\d{8}_\d{6}\.log$/);
    assert.ok(stdout.includes(`Log: ${join('logs', log)}\n`));
    assert.equal(statSync(join(cwd, 'logs')).mode & 0o777, 0o700);
    assert.equal(statSync(join(cwd, 'logs', log)).mode & 0o777, 0o600);
    const lines = readFileSync(join(cwd, 'logs', log), 'utf8')
      .trimEnd()
      .split('\n');
    for (const line of lines) assert.match(line, LOG_LINE);
    assert.ok(lines.some((line) => line.includes(`Complete after`) && line.includes(records[1])));

    const again = await runCli([...HOUR, ...database], { cwd });
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /\n✅ Already complete: [^\n]+\n/);
    const resumed = await runCli(['--resume', ...database], { cwd });
    assert.equal(resumed.status, 0, resumed.stderr);
    assert.match(resumed.stdout, /\n✅ Nothing to resume: [^\n]+\n$/);
  });
});

test('--json: one object with exactly the promised fields on standard output, the tree on standard error', async () => {
  await inFolder([...HOUR, ...freshDatabase(), '--json'], ({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^\{[^\n]*\}\n$/);
    const result = JSON.parse(stdout) as Result;
    assert.deepEqual(shapeOf(result), {
      status: 'string',
      runId: 'string',
      seed: 'number',
      layout: 'string',
      window: { start: 'string', end: 'string' },
      assets: { machines: 'number', services: 'number', jobs: 'number', total: 'number' },
      records: {
        planned: 'number',
        inserted: 'number',
        metrics: 'number',
        polling: 'number',
        backup: 'number',
      },
      shards: { total: 'number', done: 'number', skipped: 'number' },
      resumed: 'boolean',
      elapsedMs: 'number',
      recordsPerSecond: 'number',
      inserts: { count: 'number', p50Ms: 'number', p95Ms: 'number', p99Ms: 'number', maxMs: 'number' },
      loader: {
        cpuMs: 'number',
        maxRssMb: 'number',
        workers: 'number',
        writer: { kind: 'string', reason: 'object' },
      },
      database: {
        name: 'string',
        collections: { assets: 'number', metrics: 'number', seed_runs: 'number', seed_shards: 'number' },
        dataSizeBytes: 'number',
        storageSizeBytes: 'number',
        indexSizeBytes: 'number',
      },
      server: { version: 'string', embedded: 'boolean', uri: 'string' },
    });
    assert.deepEqual(result.window, { start: '2025-02-08T02:00:00.000Z', end: '2025-02-08T03:00:00.000Z' });
    assert.equal(result.status, 'complete');
    assert.equal(result.records.inserted, result.records.planned);
    assert.match(stderr, /^🚀.*🎯 Database ready to use!\n$/s);
    assert.doesNotMatch(stderr, CONTROL_CODE);
  });
});

/** The types of an object's fields, objects in full. */
function shapeOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
}

test('--quiet: the final line alone; with --json the object alone', async () => {
  const database = freshDatabase();
  await inFolder([...HOUR, ...database, '--quiet'], ({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^🎯 Database ready to use! [\d,]+ of [\d,]+ records, seed 42, in [^\n]+\n$/);
    assert.equal(stderr, '');
  });
  await inFolder([...HOUR, ...database, '--quiet', '--json'], ({ stdout, stderr }) => {
    assert.equal((JSON.parse(stdout) as Result).status, 'already complete');
    assert.equal(stderr, '');
  });
});

test('--log-level debug says which writer was used and what the stages cost, on the terminal and in --log-file', async () => {
  const flags = ['--log-level', 'DEBUG', '--log-file', join('my logs', 'x.log')];
  await inFolder([...HOUR, ...freshDatabase(), ...flags], ({ status, stdout, stderr }, cwd) => {
    assert.equal(status, 0, stderr);
    const log = readFileSync(join(cwd, 'my logs', 'x.log'), 'utf8');
    for (const text of [stdout, log]) {
      assert.match(text, /writer sequence; \d+ workers?/);
      assert.match(text, /connecting took \d/);
    }
    assert.ok(!existsSync(join(cwd, 'logs')));
  });
});

test('a failure is one line with the cause, and with --json an object as well', async () => {
  const port = String(await freePort());
  const env = { MONGODB_SERVER_SELECTION_TIMEOUT_MS: '300' };
  await inFolder(
    ['--host', '127.0.0.1', '--port', port, '--json', '--quiet'],
    ({ status, stdout, stderr }, cwd) => {
      assert.equal(status, 3);
      assert.match(stderr, /^❌ cannot connect to MongoDB at [^\n]+\n {3}└── check that [^\n]+\n$/);
      const { status: state, exitStatus, error, remedy, ...more } = JSON.parse(stdout) as Result;
      assert.deepEqual([state, exitStatus, more], ['failed', 3, {}]);
      assert.match(String(error), /^cannot connect/);
      assert.match(String(remedy), /^check that/);
      const [log] = readdirSync(join(cwd, 'logs'));
      assert.match(readFileSync(join(cwd, 'logs', log), 'utf8'), /ERROR {4}cannot connect to MongoDB/);
    },
    env,
  );
  await inFolder(['--json', '--days', '0'], ({ status, stdout }) => {
    assert.equal(status, 2);
    const { exitStatus, error } = JSON.parse(stdout) as Result;
    assert.equal(exitStatus, 2);
    assert.match(String(error), /^--days 0: must be/);
  });
});

test('status: connection, sizes, runs and counts, as a tree and as one object', async () => {
  const database = freshDatabase();
  const ask = ['status', ...database];
  await inFolder(ask, ({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    assert.match(stdout, /└── Nothing of this program yet\n/);
    assert.match(stdout, /🚀 Runs\n {3}└── none\n/);
  });
  for (const layout of LAYOUTS_HERE) {
    await inFolder([...HOUR, ...database, '--quiet', '--clean', '--layout', layout], ({ status, stderr }) =>
      assert.equal(status, 0, stderr),
    );
    await inFolder(ask, ({ status, stdout, stderr }) => {
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      assert.doesNotMatch(stdout, CONTROL_CODE);
      assert.match(stdout, /^✅ Connected to MongoDB \d/);
      assert.match(stdout, /\n {3}└── [0-9a-f]{24}: complete\n/);
      assert.match(stdout, /├── service +22\n/);
      assert.match(stdout, /├── cpu_usage +600\n/);
      assert.match(stdout, /└── response_time_ms +1,920\n$/);
    });
    await inFolder([...ask, '--json'], ({ stdout }) => {
      const {
        server: about,
        runs,
        assets,
        records,
        ...more
      } = JSON.parse(stdout) as {
        server: { embedded: boolean };
        runs: { state: string; layout: string; records: number }[];
        assets: Record<string, number>;
        records: Record<string, number>;
      };
      assert.equal(about.embedded, false);
      assert.deepEqual(Object.keys(more), ['database']);
      assert.deepEqual([runs.length, runs[0].state, runs[0].layout], [1, 'complete', layout]);
      const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
      assert.equal(runs[0].records, sum(records));
      assert.equal(sum(assets), 34);
    });
  }
});

test('a log that cannot be written does not end a load', async () => {
  await withFolder({ file: '' }, async (cwd) => {
    const args = [...HOUR, ...freshDatabase(), '--log-file', join('file', 'x.log')];
    const { status, stdout, stderr } = await runCli(args, { cwd });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^⚠️ {2}the log \S+ cannot be written[^\n]+\n$/);
    assert.match(stdout, /🎯 Database ready to use!\n$/);
  });
});

test('readers that go away do not end a load, and output that cannot be written is no success', async () => {
  await withFolder({}, async (cwd) => {
    const database = freshDatabase();
    const child = spawn(RUNTIME, [CLI_ENTRY, ...HOUR, ...database], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    child.stderr.destroy();
    const [status] = await once(child, 'close');
    assert.equal(status, 0);
    const again = await runCli([...HOUR, ...database, '--quiet'], { cwd });
    assert.match(again.stdout, /Already complete/);

    const readOnly = join(cwd, 'read-only');
    writeFileSync(readOnly, '');
    const descriptor = openSync(readOnly, 'r');
    const deaf = spawn(RUNTIME, [CLI_ENTRY, ...HOUR, ...database, '--json', '--quiet'], {
      cwd,
      stdio: ['ignore', descriptor, 'pipe'],
    });
    let stderr = '';
    deaf.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [deafStatus] = await once(deaf, 'close');
    closeSync(descriptor);
    assert.match(stderr, /^❌ cannot write to standard output: [^\n]+\n$/);
    assert.equal(deafStatus, 1);
  });
});

test('Ctrl-C: exit 130, and how to go on', async () => {
  await withFolder({}, async (cwd) => {
    const database = freshDatabase();
    const flags = ['--days', '60', '--seed', '42', '--end', '2025-02-09', ...database];
    const child = spawn(RUNTIME, [CLI_ENTRY, ...flags], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (text.includes('📈')) child.kill('SIGINT');
    });
    const [status] = await once(child, 'close');
    assert.equal(status, 130, stderr);
    assert.match(stdout, /⚠️ {2}SIGINT: finishing the batches in flight; Ctrl-C again quits at once\n/);
    assert.match(stdout, /\n⚠️ {2}Interrupted after /);
    const resume = `seed-database --resume ${database.join(' ').replace('/ ', ' ')}`;
    assert.ok(stdout.endsWith(`\n🎯 Continue with: ${resume}\n`), stdout);
  });
});

test('a second signal ends the program at once, and the log has every line up to it', async () => {
  await withFolder({}, async (cwd) => {
    const flags = ['--days', '60', '--seed', '42', ...freshDatabase(), '--log-file', 'x.log'];
    const child = spawn(RUNTIME, [CLI_ENTRY, ...flags], {
      cwd,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let begun = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (begun || !text.includes('📈')) return;
      begun = true;
      child.kill('SIGINT');
      child.kill('SIGTERM');
    });
    const [status] = await once(child, 'close');
    assert.equal(status, 130);
    const log = readFileSync(join(cwd, 'x.log'), 'utf8');
    assert.match(log, /INFO {5}Wrote 10 machines/);
    assert.match(log, /WARNING {2}SIG(?:INT|TERM): finishing the batches in flight/);
  });
});
