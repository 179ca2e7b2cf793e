/** Fetches wheels with pip, whichever there is. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Whole download, in milliseconds: 42 MB at some 70 kB/s. */
export const DOWNLOAD_TIMEOUT_MS = 600_000;

/** How to start pip: the first that exists is used. */
const PIPS: readonly (readonly string[])[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']];

const DOWNLOAD = [
  'download',
  '--no-deps',
  '--only-binary=:all:',
  '--no-cache-dir',
  '--quiet',
  '--retries=2',
  '--disable-pip-version-check',
  '--no-input',
];

/**
 * Downloads a wheel into a folder that holds no other, and returns its path.
 * @param requirement name and version, as pip takes them
 * @param platform options of pip that choose a wheel for another machine or Python than this one
 * @throws Error with pip's own words
 */
export async function pipDownload(
  requirement: string,
  folder: string,
  platform: readonly string[] = [],
): Promise<string> {
  let cause = 'there is no python3 with pip';
  for (const [command, ...first] of PIPS) {
    const args = [...first, ...DOWNLOAD, ...platform, '--dest', folder, requirement];
    try {
      // Its own scratch files go beside the wheel: the temporary folder of a container may be tiny.
      const env = { ...process.env, TMPDIR: folder };
      await promisify(execFile)(command, args, { timeout: DOWNLOAD_TIMEOUT_MS, env });
      const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
      if (wheel !== undefined) return join(folder, wheel);
      cause = 'pip delivered no wheel';
    } catch (error) {
      cause = pipFailure(error) ?? cause;
    }
  }
  throw new Error(cause);
}

/** pip's own last error line; undefined when this pip does not exist. */
function pipFailure(error: unknown): string | undefined {
  const { code, killed, stderr = '' } = error as { code?: unknown; killed?: boolean; stderr?: string };
  if (code === 'ENOENT' || /No module named pip/.test(stderr)) return undefined;
  if (killed) return `pip took longer than ${DOWNLOAD_TIMEOUT_MS / 60_000} minutes`;
  const all = stderr.trimEnd().split('\n');
  const lines = all.filter((line) => line.startsWith('ERROR') && !/^ERROR: Exception:/.test(line));
  // What pip did not expect it shows as a trace, whose last line is the cause.
  return `pip: ${(lines.at(-1) || all.at(-1) || `exit status ${String(code)}`).replace(/^ERROR:\s*/, '').slice(0, 200)}`;
}
