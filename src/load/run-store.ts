/** Runs and checkpoints in the target database: who loads what, and what is durably done. */
import { hostname } from 'node:os';
import { type Collection, type Db, MongoServerError } from 'mongodb';
import { ExitStatus, SeedError } from '../errors.js';
import type { Shard } from '../plan/index.js';
import { instantOf } from '../plan/index.js';
import { RUNS, SHARDS } from '../store/names.js';
import { parseRun, parseShard, type RunDocument, type ShardDocument } from './run-document.js';
import type { LoadedShard } from './run.js';

/** A run whose loader has not been heard of for so long is taken to be dead. */
export const LEASE_MS = 30_000;
export const HEARTBEAT_MS = 5_000;

/** Survives power loss, and on a replica set the loss of the primary. */
const DURABLE = { writeConcern: { w: 'majority', j: true } } as const;
const DUPLICATE_KEY = 11000;

/** Runs that this very process holds: one process may load into several databases. */
const heldHere = new Set<string>();

/** A run as its loader describes it; who holds it and since when is the store's to add. */
export type NewRun = Omit<RunDocument, 'heartbeat' | 'startedAt' | 'finishedAt' | 'active' | 'host' | 'pid' | 'state'>;

export class RunStore {
  readonly #runs: Collection<RunDocument>;
  readonly #shards: Collection<ShardDocument>;

  constructor(db: Db) {
    this.#runs = db.collection<RunDocument>(RUNS);
    this.#shards = db.collection<ShardDocument>(SHARDS);
  }

  /** All runs, newest first. */
  async list(): Promise<RunDocument[]> {
    const stored = await this.#runs.find().sort({ startedAt: -1 }).toArray();
    return stored.map(parseRun);
  }

  /** The run that a loader holds now, with the age of its last sign of life in milliseconds by the server's clock. */
  async holder(): Promise<{ run: RunDocument; ageMs: number } | undefined> {
    const [stored] = await this.#runs
      .aggregate([{ $match: { active: true } }, { $set: { ageMs: { $subtract: ['$$NOW', '$heartbeat'] } } }])
      .toArray();
    if (!stored) return undefined;
    const { ageMs, ...document } = stored;
    return { run: parseRun(document), ageMs: Number(ageMs) };
  }

  /**
   * Makes sure that no living loader holds the database; a dead one's hold is lifted, and `notice` told.
   * @throws SeedError (target not ready) with the holder's host, pid and age.
   */
  async refuseWhileHeld(notice: (message: string) => void): Promise<void> {
    const held = await this.holder();
    if (!held) return;
    const { run, ageMs } = held;
    const seconds = Math.round(ageMs / 1000);
    if (ageMs < LEASE_MS && !isDeadHere(run)) {
      throw new SeedError(
        ExitStatus.targetNotReady,
        `run ${run._id} is in progress on ${run.host} (pid ${run.pid}, last heard of ${seconds} s ago)`,
        `wait for it, stop it, or use another --database; if it is dead its hold ends after ${LEASE_MS / 1000} s`,
      );
    }
    await this.#runs.updateOne(
      { _id: run._id, heartbeat: run.heartbeat },
      { $unset: { active: '' }, $set: { state: 'interrupted' } },
    );
    notice(`run ${run._id} of ${run.host} (pid ${run.pid}) died ${seconds} s ago; its hold on the database is lifted`);
  }

  /** Writes a new run and takes hold of the database. @throws SeedError when another loader was faster. */
  async begin(run: NewRun): Promise<void> {
    await this.#runs.createIndex({ active: 1 }, { unique: true, partialFilterExpression: { active: true } });
    await this.#shards.createIndex({ run: 1 });
    const { _id, ...fields } = run;
    await this.#hold(_id, fields, { startedAt: '$$NOW' });
  }

  /** Takes hold of a stored run again, to go on with it. */
  async resume(runId: string): Promise<void> {
    await this.#hold(runId, {}, {});
  }

  /** `fields` are taken as they are; `expressions` are the server's to work out. */
  async #hold(runId: string, fields: object, expressions: Record<string, string>): Promise<void> {
    const constants = { ...fields, state: 'loading', active: true, host: hostname(), pid: process.pid };
    const literals = Object.entries(constants).map(([name, value]) => [name, { $literal: value }]);
    const set = { ...Object.fromEntries(literals), ...expressions, heartbeat: '$$NOW' };
    try {
      await this.#runs.updateOne({ _id: runId }, [{ $set: set }], { upsert: true, ...DURABLE });
      heldHere.add(runId);
    } catch (error) {
      if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) {
        throw new SeedError(
          ExitStatus.targetNotReady,
          'another loader has just started on this database',
          'wait for it, or use another --database',
        );
      }
      throw error;
    }
  }

  /**
   * A sign of life that the server has made durable, and with it everything that it acknowledged before.
   * False when the hold was lost: somebody took this loader for dead.
   */
  async heartbeat(runId: string): Promise<boolean> {
    const held = { _id: runId, active: true as const, host: hostname(), pid: process.pid };
    const result = await this.#runs.updateOne(held, [{ $set: { heartbeat: '$$NOW' } }], DURABLE);
    return result.matchedCount === 1;
  }

  /** Lets go of the database and says how the run ended. */
  async end(runId: string, state: 'complete' | 'interrupted' | 'failed'): Promise<void> {
    heldHere.delete(runId);
    await this.#runs.updateOne(
      { _id: runId, pid: process.pid, host: hostname() },
      [{ $set: { state, finishedAt: '$$NOW', heartbeat: '$$NOW' } }, { $unset: 'active' }],
      DURABLE,
    );
  }

  /** Writes the checkpoints of shards whose records are durable. Writing one twice is harmless. */
  async checkpoint(runId: string, done: readonly { shard: Shard; result: LoadedShard }[]): Promise<void> {
    if (done.length === 0) return;
    await this.#shards.bulkWrite(
      done.map(({ shard, result }) => ({
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
      })),
      { ordered: false, ...DURABLE },
    );
  }

  /** Ids of the shards of a run that are durably done. @throws SeedError for a checkpoint that does not fit the plan. */
  async completedShards(runId: string, planned: readonly Shard[]): Promise<Set<string>> {
    const byKey = new Map(planned.map((shard) => [shardKey(runId, shard.id), shard]));
    const done = new Set<string>();
    for await (const stored of this.#shards.find({ run: runId })) {
      const checkpoint = parseShard(stored);
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
}

function shardKey(runId: string, shardId: string): string {
  return `${runId}:${shardId}`;
}

/** True where the run's process was on this machine and is gone: no need to wait for the lease to end. */
function isDeadHere(run: RunDocument): boolean {
  if (run.host !== hostname()) return false;
  // Our own number in somebody else's run: a process that had it before us, as in a restarted container.
  if (run.pid === process.pid) return !heldHere.has(run._id);
  try {
    process.kill(run.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
