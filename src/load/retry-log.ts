/** Counts retries and says them aloud, without a line for each of a hundred that have one cause. */
import { maskUris } from '../config/mask.js';

/** One notice for a cause in this time; the next one says how many there were in between. */
const QUIET_MS = 5_000;

/** A retry as a worker thread reports it to the main thread. */
export interface RetryMessage {
  readonly retry: { readonly what: string; readonly cause: string };
}

/** The message for a retry of `what`. */
export function retryMessage(what: string, error: unknown): RetryMessage {
  return { retry: { what, cause: error instanceof Error ? error.message : String(error) } };
}

export function isRetryMessage(message: unknown): message is RetryMessage {
  return typeof message === 'object' && message !== null && 'retry' in message;
}

export class RetryLog {
  /** Retries noted so far. */
  count = 0;
  readonly #said = new Map<string, { at: number; since: number }>();

  constructor(readonly notice: (message: string) => void) {}

  /** Notes that `what` failed and is tried again. */
  note(what: string, error: unknown): void {
    this.noteMessage(retryMessage(what, error));
  }

  /** The same, from another thread. */
  noteMessage({ retry: { what, cause } }: RetryMessage): void {
    this.count++;
    // Connection numbers and addresses differ from one message of a kind to the next.
    const kind = cause.replace(/\d+/g, '#');
    const said = this.#said.get(kind);
    const now = performance.now();
    if (said && now - said.at < QUIET_MS) {
      said.since++;
      return;
    }
    const more = said && said.since > 0 ? ` (and ${said.since} more like it)` : '';
    this.#said.set(kind, { at: now, since: 0 });
    this.notice(`trying again: ${what}: ${maskUris(cause.replace(/\s+/g, ' ').trim())}${more}`);
  }
}
