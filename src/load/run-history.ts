/** The runs of a database as `status` shows them. Reads only, and survives documents that no run can be resumed from. */
import type { Db, Document } from 'mongodb';
import { RUNS, SHARDS } from '../store/names.js';
import { parseRun, type RunDocument } from './run-document.js';

/** A stored run, and how much of it is durably loaded. */
export interface RunHistory
  extends Pick<
    RunDocument,
    | 'seed'
    | 'layout'
    | 'window'
    | 'sections'
    | 'planned'
    | 'state'
    | 'host'
    | 'pid'
    | 'startedAt'
    | 'finishedAt'
    | 'version'
  > {
  readonly runId: string;
  readonly shards: { readonly total: number; readonly done: number };
  /** Records of the shards that are done. */
  readonly records: number;
  /** Milliseconds since its loader's last sign of life, by the server's clock; undefined unless one holds the run. */
  readonly silentMs: number | undefined;
}

/** A document of `seed_runs` that cannot be used. */
export interface UnusableRun {
  readonly runId: string;
  readonly problem: string;
}

/** All runs, newest first. */
export async function runHistory(db: Db): Promise<(RunHistory | UnusableRun)[]> {
  const isDate = { $eq: [{ $type: '$heartbeat' }, 'date'] };
  const ageMs = { $cond: [isDate, { $subtract: ['$$NOW', '$heartbeat'] }, null] };
  const [runs, checkpoints] = await Promise.all([
    db
      .collection(RUNS)
      .aggregate([{ $sort: { startedAt: -1 } }, { $set: { ageMs } }])
      .toArray(),
    db
      .collection(SHARDS)
      .aggregate<{ _id: string; shards: number; records: number }>([
        { $group: { _id: '$run', shards: { $sum: 1 }, records: { $sum: '$records' } } },
      ])
      .toArray(),
  ]);
  const done = new Map(checkpoints.map((one) => [one._id, one]));
  return runs.map((stored) => describe(stored, done.get(stored._id as unknown as string)));
}

function describe(
  { ageMs, ...stored }: Document,
  done: { readonly shards: number; readonly records: number } | undefined,
): RunHistory | UnusableRun {
  try {
    const run = parseRun(stored);
    return {
      runId: run._id,
      state: run.state,
      seed: run.seed,
      layout: run.layout,
      window: run.window,
      sections: run.sections,
      planned: run.planned,
      records: done?.records ?? 0,
      shards: { total: run.shards, done: done?.shards ?? 0 },
      startedAt: run.startedAt,
      finishedAt: run.finishedAt,
      silentMs: run.active ? Number(ageMs) : undefined,
      host: run.host,
      pid: run.pid,
      version: run.version,
    };
  } catch (error) {
    return { runId: String(stored._id), problem: (error as Error).message };
  }
}
