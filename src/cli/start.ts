/** Starts the command. Kept small: what a command needs is imported when it runs. */
import { setEngineFlags } from './engine-flags.js';
import { hideCredentials } from './process-title.js';

/** Everything has been closed and printed by then. */
const LINGERING_MS = 1_000;

/** Runs the command line of this process and sets its exit status. */
export async function start(): Promise<void> {
  const args = process.argv.slice(2);
  hideCredentials(args);
  setEngineFlags();
  const { run } = await import('./run.js');
  process.exitCode = await run(args);
  // After a lost network a monitor of the driver may have opened two connections and forgotten one of them, which would keep the process.
  setTimeout(() => process.exit(), LINGERING_MS).unref();
}
