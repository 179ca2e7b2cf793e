/**
 * Which process a number means. Numbers are used again, after a boot and in the next container, so one that was
 * written down counts only together with the space it was valid in and the moment its process started.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Changes with every boot and every container: within one value a pid names one process at a time. */
export const PROCESS_SPACE = processSpace();

function processSpace(): string {
  try {
    // Containers may share their host's name, and even its network.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** A process as it is written down. */
export interface ProcessIdentity {
  readonly pid: number;
  /** See {@link PROCESS_SPACE}. */
  readonly space: string;
  /** When it started, in the system's own words; empty where the system does not say. */
  readonly started: string;
}

/** The process that has this number here and now. */
export function identityOf(pid: number): ProcessIdentity {
  return { pid, space: PROCESS_SPACE, started: startOf(pid) };
}

let mine: ProcessIdentity | undefined;

/** This process. */
export function ownIdentity(): ProcessIdentity {
  mine ??= identityOf(process.pid);
  return mine;
}

/** True where the process that was written down runs. One of another space, which cannot be looked up, does not count. */
export function isRunning({ pid, space, started }: ProcessIdentity): boolean {
  if (space !== PROCESS_SPACE || !isAlive(pid)) return false;
  const now = startOf(pid);
  return now === started || now === '' || started === '';
}

export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, space, started } = value as Record<string, unknown>;
  return Number.isInteger(pid) && typeof space === 'string' && typeof started === 'string';
}

/** True when some process has this number, whoever owns it. */
export function isAlive(pid: number): boolean {
  if (pid <= 0) return false; // to kill(2), 0 and below name groups
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  // One that has ended and that nobody waits for, as in a container whose first process collects no children.
  return statFields(pid)?.[0] !== 'Z';
}

/** Field 22 of `/proc/PID/stat` (ticks since the boot); elsewhere what `ps` says, the name beside its whole seconds. */
function startOf(pid: number): string {
  if (process.platform === 'linux') return statFields(pid)?.[19] ?? '';
  if (process.platform === 'win32') return '';
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const ps = execFileSync('ps', ['-o', 'lstart=,comm=', '-p', String(pid)], { env, stdio: 'pipe' });
    return ps.toString('utf8').trim();
  } catch {
    return '';
  }
}

/** The fields of `/proc/PID/stat` from the third on; the second, the name, may hold blanks and brackets. */
function statFields(pid: number): readonly string[] | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

// Tells whether a process number that another process has written down can be looked up here.

/** True where the process is of this very space and has ended. */
export function hasEnded(pid: number, space: string | undefined): boolean {
  return space === PROCESS_SPACE && !isAlive(pid);
}
