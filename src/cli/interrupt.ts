/** Signals that ask the program to stop. */
import { ExitStatus } from '../errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Gives the signals back to their defaults. */
  stop(): void;
}

/** The first signal asks for an orderly stop and is announced; the second ends the process at once. */
export function listenForInterrupts(announce: (message: string) => void): Interrupts {
  const controller = new AbortController();
  const interrupted = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(ExitStatus.interrupted);
    controller.abort();
    const again = signal === 'SIGINT' ? '; Ctrl-C again quits at once' : '';
    announce(`${signal}: finishing the batches in flight${again}`);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return {
    signal: controller.signal,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, interrupted);
    },
  };
}
