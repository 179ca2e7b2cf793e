/** Signals that ask the program to stop. */
import { ExitStatus } from '../errors.js';
import type { Failure } from '../report/types.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  stop(): void;
}

/**
 * The first signal asks for an orderly stop and is announced. Only a second SIGINT is a person who cannot wait, and ends the
 * process at once: a terminal that closes, or whoever shuts a machine down, may send the same signal several times.
 * @param quit tells the last line, which the caller completes with the way to go on
 */
export function listenForInterrupts(
  announce: (message: string) => void,
  quit: (failure: Failure) => void,
): Interrupts {
  const controller = new AbortController();
  let impatient = false;
  const interrupted = (signal: NodeJS.Signals) => {
    const byHand = signal === 'SIGINT';
    if (byHand && impatient) {
      const message = 'Ctrl-C again: quit at once, in the middle of the work';
      quit({ exitStatus: ExitStatus.interrupted, message, remedy: '' });
      process.exit(ExitStatus.interrupted);
    }
    if (controller.signal.aborted && !byHand) return;
    impatient = byHand;
    controller.abort();
    announce(`${signal}: finishing the batches in flight${byHand ? '; Ctrl-C again quits at once' : ''}`);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return {
    signal: controller.signal,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, interrupted);
    },
  };
}
