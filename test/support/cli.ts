/** Runs the built program as a user does: as a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withFolder } from './config.js';

/** The built entry, beside the compiled tests. */
export const CLI_ENTRY = fileURLToPath(new URL('../../bundled/src/cli/main.js', import.meta.url));

/**
 * As `npm run seed` starts it: without the dashes Node takes an `--env-file` for its own, wherever
 * it stands.
 */
const NODE_ARGS = ['--'];

/** What runs it: this Node, or what `npm run test:servers` names in its place. */
export const RUNTIME = process.env.TEST_RUNTIME || process.execPath;

/** An hour: 1,800 metrics, 3,840 polling records, and the backups of that hour. */
export const HOUR = ['--start', '2025-02-08T02:00Z', '--end', '2025-02-08T03:00Z', '--seed', '42'];

/** What a file or a pipe must not be sent. */
export const CONTROL_CODE = /[^\n\P{Cc}]/u;

export interface CliOptions {
  /**
   * The whole environment of the program, but for PATH and HOME: no variable of the machine leaks
   * in.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the temporary folder, so that no `.env` of a checkout is read. */
  readonly cwd?: string;
  readonly stdin?: string;
  /** After this long the program is killed and the result has a signal. Default: two minutes. */
  readonly timeoutMs?: number;
}

export interface CliResult {
  /** Null where a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that is running. */
export interface RunningCli {
  readonly child: ChildProcess;
  /** Resolves at its end. */
  readonly result: Promise<CliResult>;
}

/** Runs the program to its end. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return startCli(args, options).result;
}

/** Starts the program, for tests that do something to it while it runs. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(RUNTIME, [...NODE_ARGS, CLI_ENTRY, ...args], {
    env: { PATH, HOME, ...options.env },
    cwd: options.cwd ?? tmpdir(),
    stdio: 'pipe',
    timeout: options.timeoutMs ?? 120_000,
    killSignal: 'SIGKILL',
  });
  const result = new Promise<CliResult>((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
  child.stdin.on('error', () => undefined); // a program that reads no input may be gone already
  child.stdin.end(options.stdin ?? '');
  return { child, result };
}

/** Runs the program in a folder of its own, and looks into it before it goes. */
export async function inFolder(
  args: readonly string[],
  check: (result: CliResult, folder: string) => void | Promise<void>,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await withFolder({}, async (cwd) => {
    const result = await runCli(args, { cwd, env: { SEED_DATABASE_HOME: join(cwd, 'home'), ...env } });
    await check(result, cwd);
  });
}
