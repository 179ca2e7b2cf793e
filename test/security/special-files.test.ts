/**
 * Names of files that are none: pipes, folders, devices, and what never ends. Each is refused in
 * one line, and nothing waits.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { type CliOptions, type CliResult, HOUR, runCli, startCli } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'seed-database-special-'));
after(() => rmSync(folder, { recursive: true }));
const pipe = join(folder, 'pipe');
const directory = join(folder, 'folder');
execFileSync('mkfifo', [pipe]);
mkdirSync(directory);

const DRAFT = [...HOUR, '--dry-run'];
const NOWHERE = [...HOUR, '--uri', 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500'];

/** Long enough for the patience with pipes, short enough for what would hang. */
function run(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return runCli(args, { cwd: folder, timeoutMs: 30_000, ...options });
}

const CASES: readonly (readonly [what: string, args: readonly string[], expected: RegExp, env?: object])[] = [
  [
    'a log into a pipe',
    [...NOWHERE, '--log-file', pipe],
    /--log-file \S+pipe cannot take a log: it is a pipe/,
  ],
  ['a log into a folder', [...NOWHERE, '--log-file', directory], /cannot take a log: it is a folder/],
  ['variables from a pipe', [...DRAFT, '--env-file', pipe], /\S+pipe: nobody writes into it/],
  ['variables from a folder', [...DRAFT, '--env-file', directory], /it is a folder/],
  ['variables without end', [...DRAFT, '--env-file', '/dev/zero'], /it has more than 1 MB/],
  ['a fleet from a pipe', [...DRAFT, '--fleet', pipe], /--fleet \S+ cannot be read: nobody writes into it/],
  ['a fleet without end', [...DRAFT, '--fleet', '/dev/zero'], /--fleet \/dev\/zero is no file/],
  ['a page into a pipe', ['preview', '--days', '1', '--html', pipe], /--html \S+pipe cannot be written/],
  ['a page into a folder', ['preview', '--days', '1', '--html', directory], /--html \S+ cannot be written/],
  ...['CA', 'CERT', 'KEY'].flatMap((name) =>
    [pipe, directory, '/dev/zero'].map(
      (path) =>
        [
          `MONGODB_SSL_${name}_PATH=${path}`,
          NOWHERE,
          new RegExp(`MONGODB_SSL_${name}_PATH=${path}: must be a file that can be read`),
          { MONGODB_SSL_CERT_PATH: import.meta.filename, [`MONGODB_SSL_${name}_PATH`]: path },
        ] as const,
    ),
  ),
  [
    'a pipe in the connection string',
    [...HOUR, '--uri', `mongodb://127.0.0.1:1/?tls=true&tlsCAFile=${encodeURIComponent(pipe)}`],
    /tlsCAFile of the connection string: must be a file that can be read/,
  ],
];

for (const [what, args, expected, env] of CASES) {
  test(`${what} is refused`, async () => {
    const { status, signal, stdout, stderr } = await run(args, { env: { ...env } });
    assert.equal(signal, null, 'it had to be killed');
    assert.equal(status, 2, stderr);
    assert.match(stderr, expected);
    assert.doesNotMatch(stdout + stderr, /unexpected|^ +at /m);
  });
}

test('a log may be a terminal, /dev/null or a full device, and the load goes on', async () => {
  for (const path of ['/dev/null', '/dev/full']) {
    const { status, stderr } = await run([...NOWHERE, '--log-file', path]);
    assert.equal(status, 3, stderr);
  }
});

test('variables may come through a pipe that somebody writes into', async () => {
  const { child, result } = startCli([...DRAFT, '--env-file', pipe], { cwd: folder, timeoutMs: 30_000 });
  await new Promise((done) => setTimeout(done, 300));
  writeFileSync(pipe, 'ENVIRONMENT=from_a_pipe\n');
  const { status, stderr } = await result;
  assert.equal(status, 0, stderr);
  assert.equal(child.killed, false);
});

test('a page may go into a pipe that somebody reads', async () => {
  const reading = promisify(execFile)('cat', [pipe], { timeout: 30_000, maxBuffer: 100_000_000 });
  const { result } = startCli(['preview', '--seed', '1', '--days', '1', '--html', pipe], { cwd: folder });
  const { stdout: page } = await reading;
  const { status, stderr } = await result;
  assert.equal(status, 0, stderr);
  assert.match(page, /<html/);
});

test('standard output that is closed, or whose reader is gone, ends nothing', async () => {
  for (const redirection of ['>&-', '2>&-', '| true']) {
    const command = `"$0" "$@" ${redirection}; echo "status $?" >> '${folder}/status'`;
    const entry = startCli([...DRAFT]).child.spawnargs;
    execFileSync('sh', ['-c', command, entry[0], ...entry.slice(1)], { cwd: folder, stdio: 'ignore' });
    assert.match(readFileSync(join(folder, 'status'), 'utf8'), /status 0\n$/, redirection);
  }
});
