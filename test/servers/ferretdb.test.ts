/**
 * FerretDB speaks MongoDB's protocol and lacks stages that a load needs: it is refused by its own
 * name, and nothing is written.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MongoClient } from 'mongodb';
import { runCli } from '../support/cli.js';
import { freePort, until } from '../support/server.js';

/**
 * Built by `npm run test:servers`, which sets this. Where it could not be built, that is what these
 * tests fail with.
 */
const binary = process.env.FERRETDB_BINARY ?? '';

let scratch: string;
let ferret: ChildProcess;
let uri: string;

before(async () => {
  assert.notEqual(binary, '', 'FERRETDB_BINARY names no FerretDB: npm run test:servers builds it with Go');
  scratch = await mkdtemp(join(tmpdir(), 'seed-database-ferretdb-'));
  const port = await freePort();
  uri = `mongodb://127.0.0.1:${port}/`;
  const store = ['--handler=sqlite', `--sqlite-url=file:${scratch}/`, `--state-dir=${scratch}`];
  const quiet = ['--telemetry=disable', '--debug-addr=-', '--log-level=ERROR'];
  ferret = spawn(binary, [...store, ...quiet, `--listen-addr=127.0.0.1:${port}`], { stdio: 'ignore' });
  await until('FerretDB answers', () => databases().catch(() => undefined));
});
after(async () => {
  ferret?.kill('SIGKILL');
  if (ferret && ferret.exitCode === null && ferret.signalCode === null) await once(ferret, 'exit');
  if (scratch) await rm(scratch, { recursive: true, force: true });
});

async function databases(): Promise<string[]> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 500 });
  try {
    const { databases } = await client.db('admin').admin().listDatabases();
    return databases.map(({ name }) => name);
  } finally {
    await client.close();
  }
}

for (const layout of ['flat', 'timeseries']) {
  test(`a load is refused by name: ${layout}`, async () => {
    const flags = ['--days', '1', '--layout', layout, '--log-file', '/dev/null'];
    const { status, stderr } = await runCli(['load', '--uri', uri, '--database', 'ferret', ...flags]);
    assert.equal(status, 5, stderr);
    assert.match(stderr, /❌ [^\n]*FerretDB 1\.24\.2[^\n]*\n +└── [^\n]+\n$/);
    assert.doesNotMatch(stderr, /MongoDB 7\.0|not implemented|^ +at /m);
    assert.ok(!(await databases()).includes('ferret'));
  });
}

test('doctor does not call it ready', async () => {
  const { status, stdout } = await runCli(['doctor', '--uri', uri, '--database', 'ferret']);
  assert.equal(status, 5, stdout);
  assert.match(stdout, /FerretDB 1\.24\.2/);
  assert.doesNotMatch(stdout, /Ready to load/);
});
