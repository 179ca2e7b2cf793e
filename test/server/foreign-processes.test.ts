/**
 * The embedded server's folder, found by a machine on which its numbers of processes mean others.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { obtainBinary } from '../../src/embedded/binary.js';
import { startEmbeddedServer } from '../../src/embedded/server.js';
import { SeedError } from '../../src/errors.js';
import {
  identityOf,
  isRunning,
  ownIdentity,
  PROCESS_SPACE,
  withFileLock,
} from '../../src/system/file-lock.js';
import { scratchFolder, withEnvironment } from '../support/scratch.js';

const ANOTHER_SPACE = '00000000-0000-0000-0000-000000000000/pid:[1]';

/** A process that has nothing to do with this program, such as a user's shell. */
function bystander(context: TestContext): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  context.after(() => child.kill('SIGKILL'));
  return child;
}

/** What a killed server leaves, with the numbers of processes that live and are others. */
const LEFT_BEHIND: Readonly<Record<string, (pid: number) => readonly [state: object, lock: string]>> = {
  'numbers used again since': (pid) => {
    const started = { [pid]: '1', [process.pid]: '1' };
    return [
      { space: PROCESS_SPACE, started },
      JSON.stringify({ ...ownIdentity(), started: '1', host: 'here' }),
    ];
  },
  'numbers of a container that is gone': (pid) => {
    const identity = { ...identityOf(pid), space: ANOTHER_SPACE };
    return [
      { space: ANOTHER_SPACE, started: { [pid]: identity.started } },
      JSON.stringify({ ...identity, host: 'gone' }),
    ];
  },
  'bare numbers': (pid) => [{}, `${pid}`],
};

for (const [what, leftBy] of Object.entries(LEFT_BEHIND)) {
  test(`a folder with ${what} is used, and nobody is signalled`, async (context) => {
    const { path } = await obtainBinary((message) => context.diagnostic(message));
    const home = join(await scratchFolder(context), 'data');
    withEnvironment(context, { SEED_DATABASE_HOME: home, MONGOMS_SYSTEM_BINARY: path });
    const other = bystander(context);
    const pid = other.pid ?? 0;
    const [marks, lock] = leftBy(pid);
    const state = { pid, port: 27999, version: '6.0.5', owner: process.pid, guardian: pid, users: [pid] };
    await mkdir(join(home, 'mongodb'), { recursive: true });
    await writeFile(join(home, 'server.json'), JSON.stringify({ ...state, ...marks }));
    await writeFile(join(home, 'server.lock'), lock);
    await writeFile(join(home, 'mongodb', 'mongod.lock'), `${pid}\n`);

    const server = await startEmbeddedServer({ notice: () => undefined });
    assert.equal(server.startedHere, true);
    assert.notEqual(server.pid, pid);
    await server.stop();
    assert.equal(other.exitCode ?? other.signalCode, null, 'the other process lives');
  });
}

test('a process is known by its number, its start and its space', (context) => {
  const identity = identityOf(bystander(context).pid ?? 0);
  assert.equal(isRunning(identity), true);
  assert.equal(isRunning({ ...identity, started: '1' }), false);
  assert.equal(isRunning({ ...identity, space: ANOTHER_SPACE }), false);
  assert.notEqual(identity.started, '');
});

test('a lock of another container holds while it is touched', async (context) => {
  const file = join(await scratchFolder(context), 'a.lock');
  const foreign = `${JSON.stringify({ pid: 1, space: ANOTHER_SPACE, started: '5', host: 'pod-7' })}\n`;
  await writeFile(file, foreign);
  const touching = setInterval(() => void writeFile(file, foreign), 100);
  try {
    await assert.rejects(
      withFileLock(file, { timeoutMs: 0 }, async () => assert.fail('held by two')),
      (error: unknown) =>
        error instanceof SeedError && /^process 1 of host pod-7 has held/.test(error.message),
    );
  } finally {
    clearInterval(touching);
  }
  await sleep(200); // the last write of the other one
  assert.equal(await readFile(file, 'utf8'), foreign);
});

test('a living holder is waited for, and named where it takes too long', async (context) => {
  const file = join(await scratchFolder(context), 'a.lock');
  const order: string[] = [];
  const first = withFileLock(file, { timeoutMs: 0 }, async () => {
    await sleep(200);
    order.push('first');
  });
  await sleep(50);
  await assert.rejects(
    withFileLock(file, { timeoutMs: 0 }, async () => undefined),
    new RegExp(`process ${process.pid} has held`),
  );
  await withFileLock(file, { timeoutMs: 5_000 }, async () => void order.push('second'));
  await first;
  assert.deepEqual(order, ['first', 'second']);
});
