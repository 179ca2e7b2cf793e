/** A run's lease on its database, kept by signs of life for as long as the loader lives. */
import type { Db } from 'mongodb';
import type { ConnectionSettings, Layout, Part } from '../config/settings.js';
import { type Books, refuseUnmetWrites } from '../connect/bookkeeping.js';
import { isOtherPart, waitForStragglers } from '../connect/loader-connections.js';
import { Deadline, explainFailure, type RetryOptions, withRetry } from '../connect/retry.js';
import { openLoaderTarget, type Target } from '../connect/target.js';
import type { WriteLimit } from '../store/schema.js';
import { serverIdentity } from '../store/server.js';
import { type Counters, clocks, NotHeld } from '../threads/counters.js';
import { drawLoader, EarlierLoaderConnected, HEARTBEAT_MS, LEASE_MS, refuseWhileHeld } from './owner.js';
import { RUNS } from './run-document.js';
import { RunStore } from './run-store.js';

/** With less of its lease left a loader renews it before it writes. */
const ENOUGH_MS = LEASE_MS / 2;
/** What a write needs at least. */
const LEAST_MS = 1_000;

export class Lease {
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #counters: Counters | undefined;
  #lose: ((error: unknown) => void) | undefined;
  #lost: { error: unknown } | undefined;
  #heldSince: ReturnType<typeof clocks>;

  /** For a run that the store has just begun or resumed. */
  constructor(
    readonly store: Pick<RunStore, 'heartbeat' | 'heldSince' | 'loss' | 'limit'>,
    readonly runId: string,
    readonly retry: RetryOptions,
  ) {
    this.#heldSince = store.heldSince;
    this.#schedule();
  }

  /**
   * From now on the workers' counters say whether the run is held, and `lose` is called when it is
   * not any more.
   */
  attach(counters: Counters, lose: (error: unknown) => void): void {
    this.#counters = counters;
    this.#lose = lose;
    counters.holdFor(LEASE_MS, this.#heldSince);
    if (this.#lost) lose(this.#lost.error);
  }

  /**
   * A sign of life that the server has made durable, and with it everything that it acknowledged
   * before.
   * @throws SeedError when another loader has taken the run over
   */
  async renew(): Promise<void> {
    if (this.#lost) throw this.#lost.error;
    // Several may be under way at once; none goes on when another one knows that the lease is lost,
    // or when nobody needs it.
    const stopping = () => this.#ended || this.#lost !== undefined || this.retry.stopping?.() === true;
    const attempt = async () => {
      // Read before the server stamps it, so that this side never thinks longer of its lease than
      // others do.
      const now = clocks();
      if (!(await this.store.heartbeat(this.runId))) throw await this.store.loss(this.runId);
      this.#heldSince = now;
      this.#counters?.holdFor(LEASE_MS, now);
    };
    await withRetry(attempt, { ...this.retry, stopping }).catch((error) => {
      this.#lost ??= { error };
      throw this.#lost.error;
    });
  }

  /**
   * Every write of this thread goes through here: of data and of bookkeeping. It is made while the
   * lease is known to be this loader's, by the server's word and within its time; `limit` has the
   * driver give it up, and the server refuse it, before that time is over.
   * @throws SeedError when another loader has taken the run over: nothing is written then
   */
  readonly guard = <T>(write: (limit: WriteLimit) => Promise<T>): Promise<T> =>
    this.guardLong((limit) => this.store.limit(write(limit)));

  /** The same for work of many commands, which together may take as long as they take. */
  readonly guardLong = async <T>(write: (limit: WriteLimit) => Promise<T>): Promise<T> => {
    if (this.#lost) throw this.#lost.error;
    if (this.#leftMs() < ENOUGH_MS) await this.renew();
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
      this.renew().then(
        () => this.#ended || this.#schedule(),
        (error: unknown) => this.#ended || this.#lose?.(error),
      );
    }, HEARTBEAT_MS);
  }
}

// Work outside the shards that has to survive a server's crash as well: dropping, creating, the
// assets.

/**
 * Does `work`, which must bear repetition, until a durable write has followed it on the very server
 * process, in the same term, that did it. Only then is it certain to be there after a crash.
 */
export async function durably(db: Db, lease: Lease, work: () => Promise<void>): Promise<void> {
  await withRetry(async () => {
    for (;;) {
      const before = await lease.store.limit(serverIdentity(db));
      await work();
      await lease.renew();
      if ((await lease.store.limit(serverIdentity(db))) === before) return;
    }
  }, lease.retry);
}

// Work on a database that is loaded already: under a lease like a load's, and over connections that
// bear the holder's name.

export interface HoldingInput {
  /** Names a server that runs. */
  readonly connection: ConnectionSettings;
  readonly layout: Layout;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
  /** Takes the lease, and says of which run. */
  readonly take: (store: RunStore) => Promise<string>;
  readonly release: (store: RunStore, runId: string) => Promise<void>;
}

/** What the work has at hand. */
export interface HeldWork {
  readonly target: Target;
  readonly store: RunStore;
  readonly lease: Lease;
  readonly loader: string;
  readonly runId: string;
  readonly retry: RetryOptions;
}

/** @throws SeedError where another loader holds the database, or takes it over meanwhile */
export async function whileHeld<T>(input: HoldingInput, work: (held: HeldWork) => Promise<T>): Promise<T> {
  const { connection, layout, retry, warn, take, release } = input;
  const loader = drawLoader();
  const target = await openLoaderTarget(connection, loader, { inform: () => undefined, warn }, retry);
  try {
    const store = new RunStore(target.books, loader, retry);
    await withRetry(() => refuseUnmetWrites(target.db), retry);
    await refuseWhileHeld(store, warn);
    await store.createIndexes();
    const runId = await take(store);
    const lease = new Lease(store, runId, retry);
    try {
      await awaitEarlierLoaders({ target, loader, layout, cleaning: false, retry, warn });
      return await work({ target, store, lease, loader, runId, retry });
    } finally {
      lease.end();
      await release(store, runId).catch(() => undefined);
    }
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

// Whoever takes a database over waits until nothing of an earlier loader can reach the data any
// more.

export interface EarlierLoaders {
  readonly target: Pick<Target, 'db' | 'books'>;
  readonly loader: string;
  readonly layout: Layout;
  /** True where this loader is about to remove what is there. */
  readonly cleaning: boolean;
  readonly part?: Part;
  readonly retry: RetryOptions;
  readonly warn: (message: string) => void;
}

/**
 * Waits for them, for as long as a lease. A stopped process that only inserts cannot harm what a
 * run of the same identifiers writes, and is left alone then; one that may be about to remove
 * something could, as it could anything else.
 * @throws EarlierLoaderConnected where one is still connected that could do harm
 */
export async function awaitEarlierLoaders(input: EarlierLoaders): Promise<void> {
  const { target, loader, layout, cleaning, part, retry, warn } = input;
  const deadline = new Deadline(target.books.client);
  const gone = await withRetry(
    () =>
      waitForStragglers(target.db, {
        deadline,
        isStraggler: (seen) => seen.loader !== loader && !isOtherPart(seen.loader, part),
        limitMs: LEASE_MS,
        notice: warn,
      }),
    retry,
  );
  if (gone) return;
  if (cleaning || layout === 'timeseries' || (await withRetry(() => isRemoving(target.books), retry))) {
    throw new EarlierLoaderConnected();
  }
}

/** True where some loader was cleaning or trimming when it was last seen. */
async function isRemoving(books: Books): Promise<boolean> {
  const removing = { $or: [{ cleaning: true }, { trimmedFrom: { $exists: true } }] };
  return (await books.collection(RUNS).countDocuments(removing, { limit: 1 })) > 0;
}
