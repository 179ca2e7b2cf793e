/**
 * The parts of a run that several loaders share. Each part has a document in `seed_parts` with a
 * lease like that of a run of one loader. The run's own document stays `active` while a part may be
 * at work, which keeps everybody else away.
 *
 * Order makes it safe. A part takes its lease first and marks the run active second; whoever takes
 * that mark away reads the run's `joined` counter first and the leases second, and takes it only if
 * nobody has joined in between.
 */
import { hostname } from 'node:os';
import { type Collection, type Document, type Filter, MongoServerError, type UpdateFilter } from 'mongodb';
import type { Part } from '../config/settings.js';
import type { Books } from '../connect/bookkeeping.js';
import { Deadline, type RetryOptions, withRetry } from '../connect/retry.js';
import type { SeedError } from '../errors.js';
import type { PartState } from '../output/types.js';
import type { Guard } from '../store/schema.js';
import { PROCESS_SPACE } from '../system/file-lock.js';
import { clocks } from '../threads/counters.js';
import { AGE, type Holder, holderOf, LEASE_MS } from './owner.js';
import { PARTS, type PartDocument, RUNS, type RunDocument } from './run-document.js';
import { DUPLICATE_KEY, lossOf, type NewRun, tooLate } from './run-store.js';

/** A part as it was when it was taken. */
export interface TakenPart {
  readonly again: boolean;
  readonly writer: PartDocument['writer'];
}

export class PartStore {
  /** As of a {@link RunStore}. */
  heldSince = clocks();
  /** Runs that were there when this part joined. */
  #known: ReadonlySet<string> = new Set();
  readonly #runs: Collection<RunDocument>;
  readonly #parts: Collection<PartDocument>;
  readonly #deadline: Deadline;

  constructor(
    books: Books,
    /** This loader's name. */
    readonly holder: string,
    readonly retry: RetryOptions,
    readonly part: Part,
  ) {
    this.#runs = books.collection<RunDocument>(RUNS);
    this.#parts = books.collection<PartDocument>(PARTS);
    this.#deadline = new Deadline(books.client);
  }

  /** As {@link RunStore.limit}. */
  limit<T>(operation: Promise<T>): Promise<T> {
    return this.#deadline.limit(operation);
  }

  /** Who holds this part of a run now. */
  async currentHolder(runId: string): Promise<Holder | undefined> {
    const pipeline = [{ $match: { _id: this.#id(runId), active: true } }, { $set: { ageMs: AGE } }];
    const [stored] = await this.#trying(() => this.#parts.aggregate<Document>(pipeline).toArray());
    return stored && holderOf(stored);
  }

  /**
   * Lifts the lease of a loader of this part that is dead, unless it has given a sign of life since.
   */
  async expire({ id, heartbeat }: Holder): Promise<void> {
    await this.#trying(() =>
      this.#parts.updateOne(
        { _id: id, active: true, heartbeat: heartbeat as Date },
        { $unset: { active: '' }, $set: { state: 'interrupted' } },
      ),
    );
  }

  /**
   * Takes hold of this part, before anything else of it is done. `again`: it was held before, so
   * its records may be there, written by `writer`.
   * @throws SeedError when another loader was faster
   */
  async take(runId: string): Promise<TakenPart> {
    const held = {
      run: runId,
      part: this.part.number,
      state: 'loading',
      active: true,
      host: hostname(),
      pid: process.pid,
      holder: this.holder,
      processSpace: PROCESS_SPACE,
    };
    const merged = { $mergeObjects: ['$$ROOT', { $literal: held }] };
    const startedAt = { $ifNull: ['$startedAt', '$$NOW'] };
    const update = [
      { $replaceWith: merged },
      { $set: { heartbeat: '$$NOW', startedAt } },
      { $unset: 'finishedAt' },
    ];
    const free = { $or: [{ active: { $exists: false } }, { holder: this.holder }] };
    return this.#trying(async () => {
      try {
        const filter = { _id: this.#id(runId), ...free };
        this.heldSince = clocks();
        const before = await this.#parts.findOneAndUpdate(filter, update, { upsert: true });
        return { again: before !== null, writer: before?.writer };
      } catch (error) {
        if (isDuplicate(error)) throw tooLate();
        throw error;
      }
    });
  }

  /**
   * Changes the document of this part, which is held. It must bear repetition.
   * @throws SeedError where another loader has taken this part over
   */
  async change(runId: string, update: UpdateFilter<PartDocument>, guard: Guard): Promise<void> {
    const changed = await this.#trying(() =>
      guard((limit) => this.#parts.updateOne(this.#mine(runId), update, limit)),
    );
    if (changed.matchedCount === 0) throw await this.loss(runId);
  }

  /**
   * Writes the run where no part has, and marks it active. This part must have been taken before.
   * False where another run is active.
   */
  async join({ _id, ...fields }: NewRun): Promise<boolean> {
    const joining = { active: true, state: 'loading', host: hostname(), pid: process.pid };
    const update = [
      { $replaceWith: { $mergeObjects: [{ $literal: fields }, '$$ROOT', { $literal: joining }] } },
      {
        $set: {
          heartbeat: '$$NOW',
          startedAt: { $ifNull: ['$startedAt', '$$NOW'] },
          joined: { $add: [{ $ifNull: ['$joined', 0] }, 1] },
        },
      },
      { $unset: ['holder', 'processSpace', 'finishedAt'] },
    ];
    // With a holder of its own it is held as a whole: by `verify --repair`.
    const free = { $or: [{ active: { $exists: false } }, { holder: { $exists: false } }] } as Document;
    return this.#trying(async () => {
      try {
        await this.#runs.updateOne({ _id, ...free }, update, { upsert: true });
        const stored = await this.#runs.find({}, { projection: { _id: 1 } }).toArray();
        this.#known = new Set(stored.map((run) => run._id));
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    });
  }

  /** As {@link RunStore.loss}: of the run that the parts share. */
  async loss(runId: string): Promise<SeedError> {
    const stored = await this.#deadline
      .limit(this.#runs.find({}, { projection: { _id: 1 } }).toArray())
      .catch(() => undefined);
    return lossOf(runId, stored, this.#known);
  }

  /** As {@link RunStore.heartbeat}, of this part's lease. */
  async heartbeat(runId: string): Promise<boolean> {
    const update = this.#parts.updateOne(this.#mine(runId), [{ $set: { heartbeat: '$$NOW' } }]);
    const result = await this.#deadline.limit(update);
    return result.matchedCount === 1;
  }

  /** How every part of a run stands, in their order. */
  async states(runId: string): Promise<PartState[]> {
    const pipeline = [{ $match: { run: runId } }, { $set: { ageMs: AGE } }];
    const stored = await this.#trying(() => this.#parts.aggregate<Document>(pipeline).toArray());
    const byNumber = new Map(stored.map((one) => [Number(one.part), one]));
    return Array.from({ length: this.part.of }, (_, i) => ({
      part: i + 1,
      state: stateOf(byNumber.get(i + 1)),
    }));
  }

  /**
   * Says that every shard of this part is durable. True where no other part is left, so that the
   * run is to be finished.
   * @throws SeedError where another loader has taken this part over
   */
  async complete(runId: string, guard: Guard): Promise<boolean> {
    await this.change(runId, { $set: { state: 'complete' } }, guard);
    const done = () => this.#parts.countDocuments({ run: runId, state: 'complete' });
    return (await this.#trying(done)) >= this.part.of;
  }

  /**
   * Says that the whole run is complete, its last step included. This part must be held.
   * @throws SeedError where the run is not there any more, or somebody else's as a whole
   */
  async completeRun(runId: string, guard: Guard): Promise<void> {
    const shared = { _id: runId, active: true, holder: { $exists: false } } as Filter<RunDocument>;
    const update = [{ $set: { state: 'complete', finishedAt: '$$NOW', heartbeat: '$$NOW' } }];
    const changed = await this.#trying(() => guard((limit) => this.#runs.updateOne(shared, update, limit)));
    if (changed.matchedCount === 0) throw await this.loss(runId);
  }

  /**
   * Lets go of this part, and of the run where no other part is held.
   * @throws SeedError where another loader has taken this part over
   */
  async end(runId: string, state: 'complete' | 'interrupted' | 'failed'): Promise<void> {
    await this.#trying(async () => {
      const run = await this.#runs.findOne({ _id: runId }, { projection: { joined: 1, state: 1 } });
      const mine = {
        _id: this.#id(runId),
        holder: this.holder,
        $or: [{ active: true as const }, { state }],
      };
      const released = await this.#parts.updateOne(mine, [
        { $set: { state, finishedAt: '$$NOW', heartbeat: '$$NOW' } },
        { $unset: 'active' },
      ]);
      if (released.matchedCount === 0) throw await this.loss(runId);
      if (!run || (await this.#parts.countDocuments({ run: runId, active: true })) > 0) return;
      const ended = state === 'failed' ? 'failed' : 'interrupted';
      await this.#runs.updateOne({ _id: runId, joined: run.joined, holder: { $exists: false } } as Document, [
        { $set: { state: { $cond: [{ $eq: ['$state', 'complete'] }, '$state', ended] } } },
        { $set: { finishedAt: '$$NOW', heartbeat: '$$NOW' } },
        { $unset: 'active' },
      ]);
    });
  }

  /** Takes back a run that this loader alone has just written, and its part with it. */
  async withdraw(runId: string): Promise<void> {
    await this.#trying(async () => {
      await this.#runs.deleteOne({ _id: runId, joined: 1, holder: { $exists: false } } as Document);
      await this.#parts.deleteOne({ _id: this.#id(runId), holder: this.holder });
    });
  }

  /** This part while this loader holds it. */
  #mine(runId: string) {
    return { _id: this.#id(runId), active: true as const, holder: this.holder };
  }

  #id(runId: string): string {
    return `${runId}:${this.part.number}`;
  }

  #trying<T>(attempt: () => Promise<T>): Promise<T> {
    return withRetry(() => this.#deadline.limit(attempt()), this.retry);
  }
}

/** A part whose loader has died says of itself that it is loading. */
function stateOf(stored: Document | undefined): PartState['state'] {
  if (!stored) return 'not begun';
  const { state, active, ageMs } = stored;
  if (state === 'complete' || state === 'failed') return state;
  return active && ageMs !== null && ageMs < LEASE_MS ? 'loading' : 'interrupted';
}

function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}
