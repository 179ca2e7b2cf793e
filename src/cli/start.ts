/** Starts the command. Kept small: what a command needs is imported when it runs. */
import { setFlagsFromString } from 'node:v8';
import { maskUri } from '../config/uri.js';
import { keepCompiledCode } from '../system/home.js';

/** Everything has been closed and printed by then. */
const LINGERING_MS = 1_000;

/** Runs the command line of this process and sets its exit status. */
export async function start(): Promise<void> {
  const args = process.argv.slice(2);
  hideCredentials(args);
  setEngineFlags();
  keepCompiledCode();
  const { run } = await import('./run.js');
  process.exitCode = await run(args);
  // After a lost network a monitor of the driver may have opened two connections and forgotten one
  // of them, which would keep the process.
  setTimeout(() => process.exit(), LINGERING_MS).unref();
}

// How the JavaScript engine works for this program. For the command alone: a library has no
// business to set flags of its host.

/**
 * In bytes of bytecode run; Node 20's own is 67,584. It optimises functions after little use: a
 * load of five seconds compiled 219 of them, mostly the driver's, in more than a second of CPU time
 * of the engine's own threads.
 */
const INTERRUPT_BUDGET = 600_000;
/**
 * How much the heap may grow before it is cleaned, in per cent of what lives. By itself V8 lets a
 * thread with 23 MB grow to 88.
 */
const HEAP_GROWTH = 40;
/** Megabytes. Most of what a thread makes is gone after one insert. */
const SEMI_SPACE = 8;

/** Sets them for all threads that start from now on. bench/README.md has the measurements. */
function setEngineFlags(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE}`);
  // Later versions of Node wait longer by themselves, and do not know this flag.
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}

// What others on the machine see of this process in `ps`.

/**
 * Takes credentials out of the command line as the system shows it. There is a moment before this
 * runs; a password that must never be seen belongs in MONGODB_PASSWORD.
 */
function hideCredentials(args: readonly string[]): void {
  // From the scheme on an argument is a connection string, whatever characters its password has.
  const shown = args.map((arg) => arg.replace(/mongodb(?:\+srv)?:\/\/.*$/is, maskUri));
  // Where there is nothing to hide the command line stays as it is.
  if (shown.some((arg, i) => arg !== args[i] && arg.includes('****')))
    process.title = ['seed-database', ...shown].join(' ');
}
