/** How the JavaScript engine works for this program. For the command alone: a library has no business to set flags of its host. */
import { setFlagsFromString } from 'node:v8';

/**
 * In bytes of bytecode run; Node 20's own is 67,584. It optimises functions after little use: a load of five seconds
 * compiled 219 of them, mostly the driver's, in more than a second of CPU time of the engine's own threads.
 */
const INTERRUPT_BUDGET = 600_000;
/** How much the heap may grow before it is cleaned, in per cent of what lives. By itself V8 lets a thread with 23 MB grow to 88. */
const HEAP_GROWTH = 40;
/** Megabytes. Most of what a thread makes is gone after one insert. */
const SEMI_SPACE = 8;

/** Sets them for all threads that start from now on. bench/README.md has the measurements. */
export function setEngineFlags(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
  setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE}`);
  // Later versions of Node wait longer by themselves, and do not know this flag.
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
