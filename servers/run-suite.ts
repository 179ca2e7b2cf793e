/** Runs one suite of test files against one server, by one runtime, and counts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Runtime, THIS_NODE } from './runtimes.js';
import { filesOf, type SuiteName } from './suites.js';

export interface SuiteInput {
  readonly suite: SuiteName;
  readonly runtime: Runtime;
  /** Path of mongod. */
  readonly server: string;
  /** Path of FerretDB, where it could be built. */
  readonly ferretdb: string | undefined;
  /** Folder for what the tests print. */
  readonly logs: string;
  /** Name of the file in it. */
  readonly title: string;
}

export interface SuiteResult {
  readonly passed: number;
  readonly failed: number;
  /** Names of the tests that failed, those in a `describe` by its name. */
  readonly failures: readonly string[];
  readonly seconds: number;
  readonly log: string;
}

/** No suite takes this long, even on two busy cores: one that does hangs. In milliseconds. */
const TIMEOUT_MS = 45 * 60_000;

/**
 * A test that is skipped or marked as to be done counts as one that failed: nothing may pass in
 * silence.
 */
export async function runSuite(input: SuiteInput): Promise<SuiteResult> {
  const { suite, runtime, server, ferretdb, logs, title } = input;
  const started = performance.now();
  const [tests, program] = runtime.runsTests ? [runtime.path, ''] : [THIS_NODE.path, runtime.path];
  const files = filesOf(suite, !runtime.runsTests);
  const child = spawn(tests, ['--test', '--test-concurrency=2', '--test-reporter=tap', ...files], {
    env: {
      ...process.env,
      MONGOMS_SYSTEM_BINARY: server,
      TEST_RUNTIME: program,
      FERRETDB_BINARY: ferretdb ?? '',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: TIMEOUT_MS,
  });
  const end = () => child.kill();
  process.once('exit', end);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child, 'close');
  process.removeListener('exit', end);
  const log = join(logs, `${title}.tap`);
  await writeFile(log, output);
  const count = (what: string) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const failures = [...output.matchAll(/^not ok \d+ - (.*)$/gm)].map(([, name]) => name);
  const failed = ['fail', 'cancelled', 'skipped', 'todo'].reduce((sum, what) => sum + count(what), 0);
  const passed = count('pass');
  return {
    passed,
    // A runner that died prints no counts.
    failed: passed + failed === 0 || (child.exitCode !== 0 && failed === 0) ? failed + 1 : failed,
    failures,
    seconds: (performance.now() - started) / 1000,
    log,
  };
}
