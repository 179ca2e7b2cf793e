/**
 * Runs one program and says what it cost: its own CPU and peak memory, and the server's CPU
 * meanwhile.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const ROOT = join(import.meta.dirname, '..', '..');
/** The compiled programs of the benchmark. */
export const COMPILED = import.meta.dirname;

const Usage = z.object({ user: z.number(), system: z.number(), maxRssMb: z.number(), wall: z.number() });

export interface Cost {
  readonly stdout: string;
  readonly wallSeconds: number;
  /** User and system time of the whole process, its start-up and all of its threads included. */
  readonly cpuSeconds: number;
  readonly maxRssMb: number;
}

/** An environment without the settings of the shell that the benchmark was started from. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(MONGODB_|NODE_OPTIONS$)/.test(name));
  return Object.fromEntries(kept);
}

/**
 * Runs a command in the folder `scratch` and waits for its end.
 * @throws Error with the end of its error output when it does not end well.
 */
export async function runMeasured(command: readonly string[], scratch: string): Promise<Cost> {
  const usageFile = join(scratch, 'usage.json');
  const child = spawn('python3', [join(ROOT, 'bench', 'measure.py'), usageFile, ...command], {
    cwd: scratch,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${stderr}`);
  const usage = Usage.parse(JSON.parse(readFileSync(usageFile, 'utf8')));
  return {
    stdout,
    wallSeconds: usage.wall,
    cpuSeconds: usage.user + usage.system,
    maxRssMb: usage.maxRssMb,
  };
}

const LoaderOutput = z.object({
  status: z.literal('complete'),
  records: z.object({ inserted: z.number() }),
  recordsPerSecond: z.number(),
  /** CPU of this process without its start-up. */
  loader: z.object({ cpuMs: z.number() }),
});
export type LoaderOutput = z.infer<typeof LoaderOutput>;

/**
 * The loader's `--json` object, as far as the benchmark reads it. @throws Error where the load is
 * not complete.
 */
export function loaderOutput(stdout: string): LoaderOutput {
  return LoaderOutput.parse(JSON.parse(stdout));
}

/** The built program of a checkout, this one unless said otherwise. */
export function programOf(checkout = ROOT): string {
  return join(checkout, 'dist', 'bundled', 'src', 'cli', 'main.js');
}

/** Command line of a load of the benchmark's dataset. */
export function loaderCommand(
  days: number,
  windowEnd: string,
  seed: number,
  options: string[],
  program = programOf(),
): string[] {
  const dataset = ['--days', `${days}`, '--seed', `${seed}`, '--end', windowEnd];
  return [process.execPath, program, 'load', ...dataset, '--json', '--log-file', 'load.log', ...options];
}
