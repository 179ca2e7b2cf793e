/** What can run the program: the Node of this process, others from npm, and Bun. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

const RELEASES = ['20', '22', '24', '26'] as const;
export const RUNTIME_NAMES = [...RELEASES.map((release) => `node${release}`), 'bun'] as const;

export interface Runtime {
  /** As `Node 24.21.0`. */
  readonly title: string;
  readonly path: string;
  /** Whether its own `--test` runs the tests; otherwise this Node does, and it runs the program. */
  readonly runsTests: boolean;
}

/** This process's own. */
export const THIS_NODE: Runtime = {
  title: `Node ${process.versions.node}`,
  path: process.execPath,
  runsTests: true,
};

const FETCH_TIMEOUT_MS = 600_000;

/**
 * The newest of a release, from npm's cache or its registry.
 * @param name `node24`, or `bun`
 * @throws Error where npm has none for this machine
 */
export async function runtime(name: string): Promise<Runtime> {
  if (name === 'bun') {
    const [path, version] = await ask('bun', 'bun', 'console.log(process.execPath, Bun.version)', '-e');
    return { title: `Bun ${version}`, path, runsTests: false };
  }
  const release = name.replace('node', '');
  if (process.versions.node.split('.')[0] === release) return THIS_NODE;
  const script = 'process.execPath + " " + process.versions.node';
  const [path, version] = await ask(`node@${release}`, 'node', script, '-p');
  return { title: `Node ${version}`, path, runsTests: true };
}

async function ask(requirement: string, command: string, script: string, flag: string): Promise<string[]> {
  const args = ['--yes', '--package', requirement, '--', command, flag, script];
  // Outside the checkout, whose own packages come first otherwise.
  const { stdout } = await promisify(execFile)('npx', args, { timeout: FETCH_TIMEOUT_MS, cwd: tmpdir() });
  return stdout.trim().split(' ');
}
