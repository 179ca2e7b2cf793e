/** Signals to processes, and waiting for their end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from '../process-identity.js';

export { isAlive };

/** Milliseconds between two looks at a process that is not our child. */
const POLL_MS = 20;

/** Sends a signal; false when the process is gone already. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** Waits until the process has ended, at most `timeoutMs`. False when it still lives then. */
export async function waitForExit(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(pid)) {
    if (Date.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
}
