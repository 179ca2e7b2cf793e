/** Tells whether a process number that another process has written down can be looked up here. */
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

/** True where the process is of this very space and has ended. */
export function hasEnded(pid: number, space: string | undefined): boolean {
  if (space !== PROCESS_SPACE) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
