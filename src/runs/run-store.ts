/** Runs in the target database: what is being loaded, and by whom. */
import { hostname } from 'node:os';
import { type Collection, type Document, type Filter, MongoServerError, type UpdateFilter } from 'mongodb';
import type { Books } from '../connect/bookkeeping.js';
import { Deadline, type RetryOptions, withRetry } from '../connect/retry.js';
import type { SeedError } from '../errors.js';
import { makeIndexes } from '../store/collections.js';
import type { Guard } from '../store/schema.js';
import { PROCESS_SPACE } from '../system/file-lock.js';
import { clocks } from '../threads/counters.js';
import { AGE, DatabaseHeld, type Holder, holderOf, lostHold, runGone } from './owner.js';
import { PARTS, parseRun, RUN_INDEXES, RUNS, type RunDocument } from './run-document.js';

export const DUPLICATE_KEY = 11000;

/** A run as its loader describes it; who holds it and since when is the store's to add. */
export type NewRun = Omit<
  RunDocument,
  | 'joined'
  | 'heartbeat'
  | 'startedAt'
  | 'finishedAt'
  | 'active'
  | 'host'
  | 'pid'
  | 'holder'
  | 'processSpace'
  | 'state'
>;

/**
 * What is left of a lease that is lifted. A run that was complete stays so: its records are all
 * there.
 */
const LIFTED = [
  { $set: { state: { $cond: [{ $eq: ['$state', 'complete'] }, '$state', 'interrupted'] } } },
  { $unset: 'active' },
];

export class RunStore {
  /** When a run was taken hold of, or a moment before; see {@link clocks}. */
  heldSince = clocks();
  /** Runs that were there when the database was taken hold of. */
  #known: ReadonlySet<string> = new Set();
  readonly #runs: Collection<RunDocument>;
  readonly #parts: Collection<Document>;
  readonly #deadline: Deadline;

  constructor(
    readonly books: Books,
    /** Names this loader as the holder of a run; see {@link drawLoader}. */
    readonly holder: string,
    readonly retry: RetryOptions,
  ) {
    this.#runs = books.collection<RunDocument>(RUNS);
    this.#parts = books.collection(PARTS);
    this.#deadline = new Deadline(books.client);
  }

  /** Any operation of this client, ended where there is no answer in time; see {@link Deadline}. */
  limit<T>(operation: Promise<T>): Promise<T> {
    return this.#deadline.limit(operation);
  }

  /** All runs, newest first. @throws SeedError for one that cannot be used. */
  async list(): Promise<RunDocument[]> {
    const stored = await this.#trying(() => this.#runs.find().sort({ startedAt: -1 }).toArray());
    return stored.map(parseRun);
  }

  /** The documents of all runs as they are, whether they can be used or not. */
  async documents(): Promise<Document[]> {
    return this.#trying(() => this.#runs.find().toArray());
  }

  /** Who holds the database now. */
  async currentHolder(): Promise<Holder | undefined> {
    const pipeline = [
      { $match: { active: true } },
      { $set: { ageMs: AGE } },
      {
        $lookup: {
          from: PARTS,
          let: { run: '$_id' },
          pipeline: [
            { $match: { $expr: { $eq: ['$run', '$$run'] }, active: true } },
            { $set: { ageMs: AGE } },
          ],
          as: 'held',
        },
      },
    ];
    const [stored] = await this.#trying(() => this.#runs.aggregate<Document>(pipeline).toArray());
    return stored && holderOf(stored);
  }

  /** Lifts the lease of a loader that is dead, unless it has given a sign of life since. */
  async expire({ runId, heartbeat, shared }: Holder): Promise<void> {
    if (shared) return this.#expireShared(runId, shared);
    const filter = { _id: runId, active: true as const, heartbeat: heartbeat as Date };
    await this.#trying(() => this.#runs.updateOne(filter, LIFTED));
  }

  /** Parts first, the run last, and only if none has joined since it was looked at. */
  async #expireShared(runId: string, { held, joined }: NonNullable<Holder['shared']>): Promise<void> {
    const dead = { $unset: { active: '' }, $set: { state: 'interrupted' } };
    for (const { id, heartbeat } of held) {
      const filter = { _id: id, active: true, heartbeat } as Document;
      await this.#trying(() => this.#parts.updateOne(filter, dead));
    }
    const filter = { _id: runId, active: true as const, joined };
    await this.#trying(() => this.#runs.updateOne(filter, LIFTED));
  }

  /** What keeps two runs from being active at once. */
  async createIndexes(): Promise<void> {
    await this.#trying(() => makeIndexes(this.#runs, RUN_INDEXES));
  }

  /**
   * Writes a new run and takes hold of the database. @throws SeedError when another loader was
   * faster.
   */
  async begin(run: NewRun): Promise<void> {
    const { _id, ...fields } = run;
    await this.createIndexes();
    await this.#trying(() =>
      this.#hold(
        { _id, holder: { $in: [null, this.holder] } as Document },
        { ...fields, startedAt: '$$NOW' },
        true,
      ),
    );
  }

  /**
   * Takes hold of a stored run again, to go on with it as it was read.
   * @throws SeedError when another loader was faster: one that works on it, or has finished or
   *   changed it
   */
  async resume({ _id, state, window }: Pick<RunDocument, '_id' | 'state' | 'window'>): Promise<void> {
    const unchanged = { state, 'window.start': window.start, 'window.end': window.end };
    const free = { $or: [{ active: { $exists: false }, ...unchanged }, { holder: this.holder }] };
    await this.#trying(() => this.#hold({ _id, ...free }, {}, false));
  }

  /**
   * Takes hold of a complete run, to change what it holds and promises. It stays complete, also if
   * its holder dies.
   * @throws SeedError when another loader was faster
   */
  async holdComplete(runId: string): Promise<void> {
    const free = { $or: [{ active: { $exists: false } }, { holder: this.holder }] };
    const complete = { _id: runId, state: 'complete', ...free };
    await this.#trying(() => this.#hold(complete, { state: 'complete' }, false));
  }

  /**
   * A run that this loader holds, as it is now. @throws SeedError where it does not hold it any
   * more
   */
  async held(runId: string): Promise<RunDocument> {
    const stored = await this.#trying(() => this.#runs.findOne(this.#mine(runId)));
    if (!stored) throw await this.loss(runId);
    return parseRun(stored);
  }

  /**
   * Changes the document of a run that this loader holds. It must bear repetition.
   * @throws SeedError where it does not hold it any more: nothing is changed then
   */
  async change(runId: string, update: UpdateFilter<RunDocument>, guard: Guard): Promise<void> {
    const changed = await this.#trying(() =>
      guard((limit) => this.#runs.updateOne(this.#mine(runId), update, limit)),
    );
    if (changed.matchedCount === 0) throw await this.loss(runId);
  }

  /** Why a run that this loader has held is not its own any more. */
  async loss(runId: string): Promise<SeedError> {
    const stored = await this.#deadline
      .limit(this.#runs.find({}, { projection: { _id: 1 } }).toArray())
      .catch(() => undefined);
    return lossOf(runId, stored, this.#known);
  }

  /** Lets go of a complete run. */
  async release(runId: string): Promise<void> {
    // Where it matches nothing, it is somebody else's, or an earlier attempt has come through.
    await this.#trying(() => this.#runs.updateOne(this.#mine(runId), { $unset: { active: '' } }));
  }

  async #idsOfRuns(): Promise<ReadonlySet<string>> {
    const stored = await this.#runs.find({}, { projection: { _id: 1 } }).toArray();
    return new Set(stored.map(({ _id }) => _id));
  }

  #mine(runId: string) {
    return { _id: runId, active: true as const, holder: this.holder };
  }

  /** Repeating it after a cut connection is harmless: the filter knows its own holder. */
  async #hold(filter: Document, fields: Document, upsert: boolean): Promise<void> {
    const constants = {
      state: 'loading',
      ...fields,
      active: true,
      host: hostname(),
      pid: process.pid,
      holder: this.holder,
      processSpace: PROCESS_SPACE,
    };
    const literals = Object.entries(constants).map(([name, value]) => [name, literal(value)]);
    const set = { ...Object.fromEntries(literals), heartbeat: '$$NOW' };
    // A run that goes on has not ended; one that is held to be changed has.
    const unset = constants.state === 'complete' ? [] : [{ $unset: 'finishedAt' }];
    // Before the server stamps it: the answer may be long in coming.
    this.heldSince = clocks();
    try {
      const result = await this.#runs.updateOne(filter, [{ $set: set }, ...unset], { upsert });
      this.#known = await this.#idsOfRuns();
      if (result.matchedCount + result.upsertedCount === 0) throw tooLate();
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) throw tooLate();
      throw error;
    }
  }

  /**
   * A sign of life that the server has made durable, and with it everything that it acknowledged
   * before. One attempt. False when the lease was lost: somebody took this loader for dead.
   */
  async heartbeat(runId: string): Promise<boolean> {
    const update = this.#runs.updateOne(this.#mine(runId), [{ $set: { heartbeat: '$$NOW' } }]);
    const result = await this.#deadline.limit(update);
    return result.matchedCount === 1;
  }

  /**
   * Removes all other runs and says that everything that `--clean` is to remove has been removed.
   * Only runs that are there while this loader holds the database are removed: whoever takes over
   * begins another one.
   */
  async cleaned(runId: string, guard: Guard): Promise<void> {
    const found = await this.#trying(() => this.#runs.find({}, { projection: { _id: 1 } }).toArray());
    const others = found.map(({ _id }) => _id).filter((id) => id !== runId);
    const filter = { _id: { $in: others }, active: { $exists: false } } as Filter<RunDocument>;
    await this.#trying(() => guard((limit) => this.#runs.deleteMany(filter, limit)));
    await this.change(runId, { $unset: { cleaning: '' } }, guard);
  }

  /**
   * Lets go of the database and says how the run ended.
   * @throws SeedError where another loader has taken it over, so that it has not ended
   */
  async end(runId: string, state: 'complete' | 'interrupted' | 'failed'): Promise<void> {
    // An earlier attempt may have come through.
    const mine = { _id: runId, holder: this.holder, $or: [{ active: true as const }, { state }] };
    const update = [{ $set: { state, finishedAt: '$$NOW', heartbeat: '$$NOW' } }, { $unset: 'active' }];
    const ended = await this.#trying(() => this.#runs.updateOne(mine, update));
    if (ended.matchedCount === 0) throw await this.loss(runId);
  }

  /** Takes back a run that has just begun. */
  async withdraw(runId: string): Promise<void> {
    // As for `release`.
    await this.#trying(() => this.#runs.deleteOne({ _id: runId, holder: this.holder }));
  }

  #trying<T>(attempt: () => Promise<T>): Promise<T> {
    return withRetry(() => this.#deadline.limit(attempt()), this.retry);
  }
}

/**
 * In an update by pipeline a text that begins with a dollar would be an expression. `$$NOW` is
 * meant to be one.
 */
function literal(value: unknown): unknown {
  return value === '$$NOW' ? value : { $literal: value };
}

/**
 * Another loader that takes over leaves the run, or puts one of its own in its place.
 * @param stored the runs that are there now; undefined where that is not known
 */
export function lossOf(
  runId: string,
  stored: readonly { readonly _id: string }[] | undefined,
  known: ReadonlySet<string>,
): SeedError {
  const isGone = stored?.every(({ _id }) => _id !== runId && known.has(_id)) ?? false;
  return isGone ? runGone(runId) : lostHold();
}

export function tooLate(): DatabaseHeld {
  return new DatabaseHeld(
    'another loader has just started on this database',
    'wait for it, or use another --database',
  );
}
