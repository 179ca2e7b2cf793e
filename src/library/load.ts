/** Loading a dataset. */
import type { LoadEvent, LoadObserver, LoadSummary } from '../output/types.js';

export { runLoad } from '../load/load.js';

/**
 * Runs a load and tells `onEvent` what happens. Where that throws, or returns a promise that
 * rejects, the load is stopped as by a signal, so that its run can be resumed and nobody has to
 * wait for its lease; then what was thrown is thrown.
 */
export async function observed(
  onEvent: (event: LoadEvent) => unknown,
  signal: AbortSignal | undefined,
  run: (reporter: LoadObserver, interrupt: AbortSignal) => Promise<LoadSummary>,
): Promise<LoadSummary> {
  const stop = new AbortController();
  let thrown: { readonly error: unknown } | undefined;
  const failed = (error: unknown) => {
    thrown ??= { error };
    stop.abort();
  };
  const on = (event: LoadEvent) => {
    if (thrown) return;
    try {
      const returned = onEvent(event);
      if (isThenable(returned)) returned.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
  const interrupt = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  try {
    const summary = await run({ on }, interrupt);
    if (!thrown) return summary;
  } catch (error) {
    if (!thrown) throw error;
  }
  throw thrown.error;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
