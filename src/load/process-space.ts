/** Tells whether a process number that another process has written down can be looked up here. */
import { isAlive, PROCESS_SPACE } from '../store/process-identity.js';

export { PROCESS_SPACE };

/** True where the process is of this very space and has ended. */
export function hasEnded(pid: number, space: string | undefined): boolean {
  return space === PROCESS_SPACE && !isAlive(pid);
}
