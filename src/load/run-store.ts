/** Runs and checkpoints in the target database: what is being loaded, and what is durably done. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type Collection, type Db, type Document, MongoServerError } from 'mongodb';
import type { Part } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Shard } from '../plan/index.js';
import { instantOf } from '../plan/index.js';
import { PARTS, RUNS, SHARDS } from '../store/names.js';
import { Patience } from './patience.js';
import { PROCESS_SPACE } from './process-space.js';
import { type RetryOptions, withRetry } from './retry.js';
import type { LoadedShard } from './run.js';
import { parseRun, parseShard, type RunDocument, type ShardDocument } from './run-document.js';

/** A run whose loader has not been heard of for so long is taken to be dead. */
export const LEASE_MS = 30_000;
export const HEARTBEAT_MS = 5_000;

/** Survives power loss, and on a replica set the loss of the primary. */
export const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;
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

/** Who holds the database. Read from a stored document, so everything but `_id` may be missing or nonsense. */
export interface Holder {
  /** Of the document that keeps the hold: the run's, or the part's. */
  readonly id: string;
  readonly runId: RunDocument['_id'];
  readonly host: string;
  readonly pid: number;
  readonly processSpace: string | undefined;
  readonly heartbeat: unknown;
  /** Since the last sign of life, in milliseconds by the server's clock; negative where that clock was set back. Not by a moment: see {@link ageOf}. */
  readonly ageMs: number;
  /** Set for a part of a run. */
  readonly part?: number;
  /** Set for a run of several loaders: how many parts it has, those that are held, and how often one has joined. */
  readonly shared?: { readonly count: number; readonly held: readonly Holder[]; readonly joined: number };
}

/** A name for one loader at work on one target. It tells which part it loads, so that other parts leave it alone. */
export function drawLoader(part?: Part): string {
  const name = randomBytes(8).toString('hex');
  return part ? `${name}-${part.number}of${part.of}` : name;
}

export class RunStore {
  readonly #runs: Collection<RunDocument>;
  readonly #shards: Collection<ShardDocument>;
  readonly #parts: Collection<Document>;
  readonly #patience: Patience;

  constructor(
    db: Db,
    /** Names this loader as the holder of a run; see {@link drawLoader}. */
    readonly holder: string,
    readonly retry: RetryOptions,
  ) {
    this.#runs = db.collection<RunDocument>(RUNS);
    this.#shards = db.collection<ShardDocument>(SHARDS);
    this.#parts = db.collection(PARTS);
    this.#patience = new Patience(db.client);
  }

  /** All runs, newest first. @throws SeedError for one that cannot be used. */
  async list(): Promise<RunDocument[]> {
    const stored = await this.#trying(() => this.#runs.find().sort({ startedAt: -1 }).toArray());
    return stored.map(parseRun);
  }

  /** Ids of all runs, whether they can be used or not. */
  async ids(): Promise<string[]> {
    const stored = await this.#trying(() => this.#runs.find({}, { projection: { _id: 1 } }).toArray());
    return stored.map(({ _id }) => String(_id));
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

  /** Lifts the hold of a loader that is dead, unless it has given a sign of life since. */
  async lift({ runId, heartbeat, shared }: Holder): Promise<void> {
    if (shared) return this.#liftShared(runId, shared);
    await this.#trying(() =>
      this.#runs.updateOne(
        { _id: runId, active: true, heartbeat: heartbeat as Date },
        { $unset: { active: '' }, $set: { state: 'interrupted' } },
        DURABLE,
      ),
    );
  }

  /** Parts first, the run last, and only if none has joined since it was looked at. */
  async #liftShared(runId: string, { held, joined }: NonNullable<Holder['shared']>): Promise<void> {
    const dead = { $unset: { active: '' }, $set: { state: 'interrupted' } };
    for (const { id, heartbeat } of held) {
      const filter = { _id: id, active: true, heartbeat } as Document;
      await this.#trying(() => this.#parts.updateOne(filter, dead, DURABLE));
    }
    const filter = { _id: runId, active: true as const, joined };
    const interrupted = { $cond: [{ $eq: ['$state', 'complete'] }, '$state', 'interrupted'] };
    await this.#trying(() =>
      this.#runs.updateOne(filter, [{ $set: { state: interrupted } }, { $unset: 'active' }], DURABLE),
    );
  }

  /** What keeps two runs from being active at once. */
  async createIndexes(): Promise<void> {
    await this.#trying(() =>
      Promise.all([
        this.#runs.createIndex({ active: 1 }, { unique: true, partialFilterExpression: { active: true } }),
        this.#shards.createIndex({ run: 1 }),
      ]),
    );
  }

  /** Writes a new run and takes hold of the database. @throws SeedError when another loader was faster. */
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

  /** Takes hold of a stored run again, to go on with it. @throws SeedError when another loader was faster. */
  async resume(runId: string): Promise<void> {
    const free = { $or: [{ active: { $exists: false } }, { holder: this.holder }] };
    await this.#trying(() => this.#hold({ _id: runId, ...free }, {}, false));
  }

  /** Repeating it after a cut connection is harmless: the filter knows its own holder. */
  async #hold(filter: Document, fields: Document, upsert: boolean): Promise<void> {
    const constants = {
      ...fields,
      state: 'loading',
      active: true,
      host: hostname(),
      pid: process.pid,
      holder: this.holder,
      processSpace: PROCESS_SPACE,
    };
    const literals = Object.entries(constants).map(([name, value]) => [name, literal(value)]);
    const set = { ...Object.fromEntries(literals), heartbeat: '$$NOW' };
    try {
      const result = await this.#runs.updateOne(filter, [{ $set: set }], { upsert, ...DURABLE });
      if (result.matchedCount + result.upsertedCount === 0) throw tooLate();
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) throw tooLate();
      throw error;
    }
  }

  /**
   * A sign of life that the server has made durable, and with it everything that it acknowledged before. One attempt.
   * False when the hold was lost: somebody took this loader for dead.
   */
  async heartbeat(runId: string): Promise<boolean> {
    const held = { _id: runId, active: true as const, holder: this.holder };
    const update = this.#runs.updateOne(held, [{ $set: { heartbeat: '$$NOW' } }], DURABLE);
    const result = await this.#patience.limit(update);
    return result.matchedCount === 1;
  }

  /** Says that everything that `--clean` is to remove has been removed. */
  async cleaned(runId: string): Promise<void> {
    await this.#trying(async () => {
      await this.#runs.deleteMany({ _id: { $ne: runId } }, DURABLE);
      await this.#runs.updateOne({ _id: runId }, { $unset: { cleaning: '' } }, DURABLE);
    });
  }

  /** Lets go of the database and says how the run ended. */
  async end(runId: string, state: 'complete' | 'interrupted' | 'failed'): Promise<void> {
    await this.#trying(() =>
      this.#runs.updateOne(
        { _id: runId, holder: this.holder },
        [{ $set: { state, finishedAt: '$$NOW', heartbeat: '$$NOW' } }, { $unset: 'active' }],
        DURABLE,
      ),
    );
  }

  /** Takes back a run that has just begun. */
  async withdraw(runId: string): Promise<void> {
    await this.#trying(() => this.#runs.deleteOne({ _id: runId, holder: this.holder }, DURABLE));
  }

  /** Writes the checkpoints of shards whose records are durable. Writing one twice is harmless. */
  async checkpoint(runId: string, done: readonly { shard: Shard; result: LoadedShard }[]): Promise<void> {
    if (done.length === 0) return;
    const operations = done.map(({ shard, result }) => ({
      replaceOne: {
        filter: { _id: shardKey(runId, shard.id) },
        replacement: {
          run: runId,
          asset: shard.assetId,
          from: instantOf(shard.from),
          to: instantOf(shard.to),
          records: shard.records,
          worker: result.worker,
          ms: Math.round(result.ms),
        },
        upsert: true,
      },
    }));
    await this.#trying(() => this.#shards.bulkWrite(operations, { ordered: false, ...DURABLE }));
  }

  /** Ids of the shards of a run that are durably done. @throws SeedError for a checkpoint that does not fit the plan. */
  async completedShards(runId: string, planned: readonly Shard[]): Promise<Set<string>> {
    const stored = await this.#trying(() => this.#shards.find({ run: runId }).toArray());
    const byKey = new Map(planned.map((shard) => [shardKey(runId, shard.id), shard]));
    const done = new Set<string>();
    for (const checkpoint of stored.map(parseShard)) {
      const shard = byKey.get(checkpoint._id);
      if (!shard || shard.records !== checkpoint.records || +instantOf(shard.to) !== +checkpoint.to) {
        throw new SeedError(
          ExitStatus.failure,
          `checkpoint ${checkpoint._id} of seed_shards does not fit the plan of run ${runId}`,
          'the stored run was changed by hand or by another version; use --clean to start again',
        );
      }
      done.add(shard.id);
    }
    return done;
  }

  #trying<T>(attempt: () => Promise<T>): Promise<T> {
    return withRetry(() => this.#patience.limit(attempt()), this.retry);
  }
}

/** A holder as its document, with `ageMs`, describes it. */
export function holderOf(stored: Document): Holder {
  const { _id, host, pid, processSpace, heartbeat, ageMs, run, part, parts, held, joined } = stored;
  const shared = parts
    ? { count: Number(parts.count), held: (held as Document[]).map(holderOf), joined: joined as number }
    : undefined;
  return {
    id: _id,
    runId: run ?? _id,
    host: String(host),
    pid: Number(pid),
    processSpace: typeof processSpace === 'string' ? processSpace : undefined,
    heartbeat,
    ageMs: ageOf(ageMs),
    part,
    shared,
  };
}

/**
 * Infinite where there is no usable heartbeat. A command reads the clock before it reads documents, so a heartbeat of the very moment may
 * be younger than the command: no sign of a clock that was set back.
 */
function ageOf(stored: number | null): number {
  if (stored === null) return Number.POSITIVE_INFINITY;
  return stored < 0 && stored > -HEARTBEAT_MS ? 0 : Number(stored);
}

/** Null where the document has no usable heartbeat. */
export const AGE = {
  $cond: [{ $eq: [{ $type: '$heartbeat' }, 'date'] }, { $subtract: ['$$NOW', '$heartbeat'] }, null],
};

/** In an update by pipeline a text that begins with a dollar would be an expression. `$$NOW` is meant to be one. */
function literal(value: unknown): unknown {
  return value === '$$NOW' ? value : { $literal: value };
}

function shardKey(runId: string, shardId: string): string {
  return `${runId}:${shardId}`;
}

export function tooLate(): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    'another loader has just started on this database',
    'wait for it, or use another --database',
  );
}
