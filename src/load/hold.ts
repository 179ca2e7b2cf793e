/** A run's hold on its database, kept by signs of life for as long as the loader lives. */
import type { WriteLimit } from '../store/guard.js';
import { type Counters, clocks } from './counters.js';
import { lostHold } from './database-held.js';
import { HEARTBEAT_MS, LEASE_MS } from './holder.js';
import { type RetryOptions, withRetry } from './retry.js';
import type { RunStore } from './run-store.js';
import { NotHeld } from './until-held.js';

/** With less of its lease left a loader renews it before it writes. */
const ENOUGH_MS = LEASE_MS / 2;
/** What a write needs at least. */
const LEAST_MS = 1_000;

export class Hold {
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #counters: Counters | undefined;
  #lose: ((error: unknown) => void) | undefined;
  #lost: { error: unknown } | undefined;
  #heldSince: ReturnType<typeof clocks>;

  /** For a run that the store has just begun or resumed. */
  constructor(
    readonly store: Pick<RunStore, 'heartbeat' | 'heldSince'>,
    readonly runId: string,
    readonly retry: RetryOptions,
  ) {
    this.#heldSince = store.heldSince;
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
    // Several may be under way at once; none goes on when another one knows that the hold is lost, or when nobody needs it.
    const stopping = () => this.#ended || this.#lost !== undefined || this.retry.stopping?.() === true;
    const attempt = async () => {
      // Read before the server stamps it, so that this side never thinks longer of its hold than others do.
      const now = clocks();
      if (!(await this.store.heartbeat(this.runId))) throw lostHold();
      this.#heldSince = now;
      this.#counters?.holdFor(LEASE_MS, now);
    };
    await withRetry(attempt, { ...this.retry, stopping }).catch((error) => {
      this.#lost ??= { error };
      throw this.#lost.error;
    });
  }

  /**
   * Every write of this thread goes through here: of data and of bookkeeping. It is made while the lease is known to be this loader's, by
   * the server's word and within its time; `limit` has the driver give it up, and the server refuse it, before that time is over.
   * @throws SeedError when another loader has taken the run over: nothing is written then
   */
  readonly guard = async <T>(write: (limit: WriteLimit) => Promise<T>): Promise<T> => {
    if (this.#lost) throw this.#lost.error;
    if (this.#leftMs() < ENOUGH_MS) await this.beat();
    const timeoutMS = this.#leftMs();
    // So slow a server answers when the lease is over: as after any failure that passes, try again.
    if (timeoutMS < LEAST_MS) throw new NotHeld();
    return write({ timeoutMS });
  };

  /** Milliseconds in which nobody takes this run over. */
  #leftMs(): number {
    const [steady, wall] = clocks();
    const [steadySince, wallSince] = this.#heldSince;
    const passed = Math.max(Number(steady - steadySince), Number(wall - wallSince));
    return LEASE_MS - passed;
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
