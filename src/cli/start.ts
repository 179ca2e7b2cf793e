/** Starts the command. Kept small: what a command needs is imported when it runs. */
import { setEngineFlags } from './engine-flags.js';
import { hideCredentials } from './process-title.js';

/** Runs the command line of this process and sets its exit status. */
export async function start(): Promise<void> {
  const args = process.argv.slice(2);
  hideCredentials(args);
  setEngineFlags();
  const { run } = await import('./run.js');
  process.exitCode = await run(args);
}
