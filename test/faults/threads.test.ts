/** A worker thread that dies is replaced, and its shard loaded again, each record once. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Layout } from '../../src/config/settings.js';
import { assertEqualToPlan, resumeWell } from '../support/dataset.js';
import { SERIES_WRITERS, UNKEYED_LAYOUT } from '../support/features.js';
import { TcpProxy } from '../support/proxy.js';
import { RunningLoad } from '../support/running.js';
import { startTestServer, type TestServer } from '../support/server.js';

let server: TestServer;
let scratch: string;

before(async () => {
  server = await startTestServer();
  scratch = await mkdtemp(join(tmpdir(), 'seed-database-threads-'));
});
after(async () => {
  await server?.stop();
  await rm(scratch, { recursive: true, force: true });
});

const HOOK = new URL('thread-death.js', import.meta.url).href;
const FLAGS = ['--metrics-only', '--days', '3', '--shard-days', '3', '--batch-size', '500', '--workers', '2'];

/** Loads through a slow line, so that threads die in the middle of their shards. */
async function loadWithDeaths(
  database: string,
  die: string,
  deaths: number,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const proxy = await TcpProxy.start(server.port, { delayMs: 4 });
  try {
    const running = RunningLoad.load({ uri: proxy.uri, database }, [...FLAGS, ...flags], {
      env: {
        NODE_OPTIONS: `--import=${HOOK} --max-old-space-size=160`,
        DIE: die,
        DEATHS: String(deaths),
        DIED: join(scratch, database),
        ...env,
      },
    });
    return await running.ended;
  } finally {
    await proxy.stop();
  }
}

type Writer = 'sequence' | 'buckets';

const DEATHS: readonly [die: string, layout: Layout, deaths: number, said: RegExp, writer?: Writer][] = [
  ['throw', UNKEYED_LAYOUT, 2, /a worker thread died \(planted in a worker\)/],
  ['reject', 'flat', 2, /a worker thread died \(rejected in a worker\)/],
  ['exit', UNKEYED_LAYOUT, 2, /a worker thread died \(worker exited with code: 3\)/],
  ['exit', 'flat', 2, /a worker thread died \(worker exited with code: 3\)/],
  ['exit', UNKEYED_LAYOUT, 2, /a worker thread died \(worker exited with code: 3\)/, 'buckets'],
  ['memory', UNKEYED_LAYOUT, 1, /a worker thread died \(Worker terminated due to reaching memory limit/],
];

for (const [index, [die, layout, deaths, said, writer = 'sequence']] of DEATHS.entries()) {
  if (!SERIES_WRITERS.includes(writer)) continue;
  test(`${die}: ${layout} by ${writer}`, async () => {
    const database = `thread_${index}_${die}`;
    const env: Record<string, string> = writer === 'buckets' ? { BATCH_BYTES: '1500', LAST_BATCH: '2' } : {};
    const flags = ['--layout', layout, '--writer', writer];
    const { status, stderr } = await loadWithDeaths(database, die, deaths, flags, env);
    assert.equal(status, 0, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /^ +at /m);
    await assertEqualToPlan({ uri: server.uri, database });
  });
}

test('threads that die again and again: a failure with its cause, and --resume completes', async () => {
  const database = 'thread_always';
  const { status, stderr } = await loadWithDeaths(database, 'exit', 1000, ['--days', '1']);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /worker threads die at shard .*: worker exited with code: 3/);
  assert.match(stderr, /--resume/);
  await resumeWell({ uri: server.uri, database });
  await assertEqualToPlan({ uri: server.uri, database });
});

test('threads that cannot even start: a failure, not a wait for ever', async () => {
  const { status, stderr } = await loadWithDeaths('thread_start', 'start', 1000);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /no worker thread is left|worker threads die/);
});
