/** When the JavaScript engine optimises a function. */
import { setFlagsFromString } from 'node:v8';

/** In bytes of bytecode run; Node 20's own is 67,584. */
const INTERRUPT_BUDGET = 600_000;

/**
 * Node 20 optimises functions after little use: a load of five seconds compiled 219 of them, mostly the driver's, in more than a
 * second of CPU time of the engine's own threads. Later is cheaper (bench/README.md has the measurement). Later versions of
 * Node wait longer by themselves, and do not know this flag. Holds for all threads; a library has no business to set it.
 */
export function compileLater(): void {
  if (process.versions.v8.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
