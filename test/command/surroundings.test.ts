/**
 * Machines as others set them up: no home, a user that nobody knows, folders that are gone or
 * cannot be written, few open files.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { obtainBinary } from '../../src/embedded/binary.js';
import { CLI_ENTRY, HOUR } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'seed-database-around-'));
/** Where the program may find no home; a container's would be `/tmp`. */
const scratch = join(folder, 'tmp');
let mongod: string;

before(async () => {
  // A copy, since an unknown user may not enter the folder of the one that is there.
  mongod = join(folder, 'mongod');
  cpSync((await obtainBinary(() => undefined)).path, mongod);
  chmodSync(folder, 0o755);
  mkdirSync(scratch);
  chmodSync(scratch, 0o777);
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command of a shell; `$0` is Node and `$1` the program. The environment holds PATH, TMPDIR
 * and what is given.
 */
function shell(command: string, env: Record<string, string> = {}, ids = {}): Promise<Ended> {
  const options = {
    env: { PATH: process.env.PATH ?? '', TMPDIR: scratch, ...env },
    cwd: folder,
    timeout: 120_000,
    ...ids,
  };
  return new Promise((resolve) => {
    const child = execFile(
      'sh',
      ['-c', command, process.execPath, CLI_ENTRY, ...HOUR],
      options,
      (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

function assertOneCause({ stdout, stderr }: Ended): void {
  assert.doesNotMatch(stdout + stderr, /unexpected|^ +at /m);
  assert.ok(stderr.trimEnd().split('\n').length <= 2, stderr);
}

const isRoot = process.getuid?.() === 0;
const UNKNOWN = 54_321;

test('no home, an unknown user, a working folder that cannot be written: the first command of README works', async () => {
  const ids = isRoot ? { uid: UNKNOWN, gid: UNKNOWN } : {};
  const readOnly = join(folder, 'read-only');
  mkdirSync(readOnly);
  chmodSync(readOnly, 0o555);
  const home = join(scratch, `seed-database-${isRoot ? UNKNOWN : process.getuid?.()}`);
  for (const HOME of [undefined, '/', '/nonexistent']) {
    const env = { NODE_ENV: 'production', MONGOMS_SYSTEM_BINARY: mongod, ...(HOME && { HOME }) };
    // A home that this user may write to would be used: only somebody unknown has none.
    const unset = HOME === undefined && !isRoot ? { HOME: '/nonexistent' } : {};
    const ended = await shell(`cd '${readOnly}' && "$0" "$@" --clean`, { ...env, ...unset }, ids);
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stdout, /no home folder can be written: data go to/);
    assert.match(ended.stdout, /🎯 Database ready to use!\n$/);
    if (isRoot)
      assert.match(ended.stderr, /^⚠️ {2}the log \S+ cannot be written, and is done without: E[^\n]+\n$/);
    const { mode, uid } = lstatSync(home);
    assert.deepEqual([mode & 0o777, uid], [0o700, isRoot ? UNKNOWN : uid]);
  }
});

test('a temporary folder that others may enter is not used', async () => {
  const name = `seed-database-${process.getuid?.()}`;
  const open = join(folder, 'open');
  mkdirSync(join(open, name), { recursive: true });
  chmodSync(join(open, name), 0o755);
  const env = { TMPDIR: open, XDG_DATA_HOME: '/dev/null', MONGOMS_SYSTEM_BINARY: mongod };
  const ended = await shell('"$0" "$@" --quiet', env);
  assert.equal(ended.status, 1);
  assert.match(ended.stderr, /is not this user's alone\n {3}└── set SEED_DATABASE_HOME/);
  assert.deepEqual(readdirSync(join(open, name)), []);
});

test('a working folder that is gone is said', async () => {
  for (const command of ['', 'status', 'preview', 'verify']) {
    const call = command === '' ? '"$0" "$@"' : `"$0" "$1" ${command}`;
    const ended = await shell(`mkdir gone && cd gone && rmdir ../gone && ${call}`);
    assert.equal(ended.status, 2, ended.stderr);
    assert.match(ended.stderr, /^❌ the working folder is gone[^\n]*\n {3}└── change to a folder[^\n]*\n$/);
  }
});

test('too few open files are said at once, wherever the limit is met', async () => {
  const env = { SEED_DATABASE_HOME: join(folder, 'data'), MONGOMS_SYSTEM_BINARY: mongod };
  for (const [limit, workers] of [
    [24, 1],
    [30, 1],
    [64, 4],
    [128, 16],
  ]) {
    const ended = await shell(`ulimit -n ${limit} && "$0" "$@" --quiet --clean --workers ${workers}`, env);
    assert.equal(ended.status, 1, `${limit}: ${ended.stderr}`);
    assert.match(ended.stderr, /too (?:many open files|few files may be open)[^\n]*\n[^\n]*ulimit -n 1024/);
    assertOneCause({ ...ended, stderr: ended.stderr.replace(/^⚠️ {2}the log [^\n]*\n/m, '') });
  }
});
