/** A run's hold on its database, kept by signs of life for as long as the loader lives. */
import { ExitStatus, SeedError } from '../errors.js';
import { type Counters, clocks } from './counters.js';
import { type RetryOptions, withRetry } from './retry.js';
import { HEARTBEAT_MS, LEASE_MS, type RunStore } from './run-store.js';

export class Hold {
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #counters: Counters | undefined;
  #lose: ((error: unknown) => void) | undefined;
  #lost: { error: unknown } | undefined;
  #heldSince = clocks();

  /** For a run that the store has just begun or resumed. */
  constructor(
    readonly store: Pick<RunStore, 'heartbeat'>,
    readonly runId: string,
    readonly retry: RetryOptions,
  ) {
    this.#schedule();
  }

  /** From now on the workers' counters say whether the run is held, and `lose` is called when it is not any more. */
  attach(counters: Counters, lose: (error: unknown) => void): void {
    this.#counters = counters;
    this.#lose = lose;
    counters.holdFor(LEASE_MS, this.#heldSince);
    if (this.#lost) lose(this.#lost.error);
  }

  /**
   * A sign of life that the server has made durable, and with it everything that it acknowledged before.
   * @throws SeedError when another loader has taken the run over
   */
  async beat(): Promise<void> {
    if (this.#lost) throw this.#lost.error;
    await withRetry(async () => {
      // Read before the server stamps it, so that this side never thinks longer of its hold than others do.
      const now = clocks();
      if (!(await this.store.heartbeat(this.runId))) throw lostHold();
      this.#heldSince = now;
      this.#counters?.holdFor(LEASE_MS, now);
    }, this.retry).catch((error) => {
      this.#lost ??= { error };
      throw error;
    });
  }

  /** Ends the signs of life. The run's end is the store's to write. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.beat().then(
        () => this.#ended || this.#schedule(),
        (error: unknown) => this.#ended || this.#lose?.(error),
      );
    }, HEARTBEAT_MS);
  }
}

function lostHold(): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    'another loader took this run over, because no sign of life of this one reached the server in time',
    'let the other one finish',
  );
}
