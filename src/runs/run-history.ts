/**
 * The runs of a database as `status` shows them. Reads only, and survives documents that no run can
 * be resumed from.
 */
import type { Db, Document } from 'mongodb';
import type { Books } from '../connect/bookkeeping.js';
import type { Fleet } from '../fleet/types.js';
import { fleetOf, PARTS, parseRun, RUNS, type RunDocument, runDocument, SHARDS } from './run-document.js';

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
    | 'cleaning'
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
  /**
   * Milliseconds since its loader's last sign of life, by the server's clock; undefined unless one
   * holds the run.
   */
  readonly silentMs: number | undefined;
  /** Of a run that several loaders share: how many parts it has, and those that were begun. */
  readonly parts: { readonly count: number; readonly begun: readonly PartHistory[] } | undefined;
}

/** One part of a shared run. */
export interface PartHistory {
  readonly part: number;
  readonly state: string;
  readonly host: string;
  readonly pid: number;
  /** As of a run. */
  readonly silentMs: number | undefined;
}

/** A document of `seed_runs` that cannot be used. */
export interface UnusableRun {
  readonly runId: string;
  readonly problem: string;
}

/** True where there are documents that no version of this program has written. */
export async function holdsForeignRuns(db: Db): Promise<boolean> {
  const runs = db.collection(RUNS, { readPreference: 'primary' });
  return (await runs.findOne({ format: { $not: { $type: 'number' } } }, { projection: { _id: 1 } })) !== null;
}

/** True where a run has written events: then the collection of them is this program's. */
export async function hasEventRuns(db: Db): Promise<boolean> {
  const runs = db.collection(RUNS, { readPreference: 'primary' });
  return (await runs.findOne({ events: true }, { projection: { _id: 1 } })) !== null;
}

/** The document of a run, as it is stored; of the newest one where none is named. */
export function storedRun(books: Books, runId?: string): Promise<Document | null> {
  const runs = books.collection<{ _id: string }>(RUNS);
  return runs.findOne(runId === undefined ? {} : { _id: runId }, { sort: { startedAt: -1 } });
}

/** All runs of this version's format. */
export async function usableRuns(books: Books): Promise<RunDocument[]> {
  const stored = await books.collection(RUNS).find().toArray();
  return stored
    .map((document) => runDocument.safeParse(document).data)
    .filter((run): run is RunDocument => run !== undefined);
}

/** The fleet of the newest run; the default one where no run can be used. */
export async function fleetOfNewestRun(books: Books): Promise<Fleet> {
  return fleetOf(runDocument.safeParse(await storedRun(books)).data ?? {});
}

/** All runs, newest first. */
export async function runHistory(books: Books): Promise<(RunHistory | UnusableRun)[]> {
  const isDate = { $eq: [{ $type: '$heartbeat' }, 'date'] };
  const ageMs = { $cond: [isDate, { $subtract: ['$$NOW', '$heartbeat'] }, null] };
  const [runs, parts, checkpoints] = await Promise.all([
    books
      .collection(RUNS)
      .aggregate([{ $sort: { startedAt: -1 } }, { $set: { ageMs } }])
      .toArray(),
    books
      .collection(PARTS)
      .aggregate([{ $sort: { part: 1 } }, { $set: { ageMs } }])
      .toArray(),
    books
      .collection(SHARDS)
      .aggregate<{ _id: string; shards: number; records: number }>([
        { $group: { _id: '$run', shards: { $sum: 1 }, records: { $sum: '$records' } } },
      ])
      .toArray(),
  ]);
  const done = new Map(checkpoints.map((one) => [one._id, one]));
  return runs.map((stored) => {
    const id = stored._id as unknown as string;
    return describe(stored, done.get(id), parts.filter(({ run }) => run === id).map(describePart));
  });
}

function describe(
  { ageMs, ...stored }: Document,
  done: { readonly shards: number; readonly records: number } | undefined,
  begun: readonly PartHistory[],
): RunHistory | UnusableRun {
  try {
    const run = parseRun(stored);
    return {
      runId: run._id,
      state: run.state,
      ...(run.cleaning ? { cleaning: run.cleaning } : {}),
      seed: run.seed,
      layout: run.layout,
      window: run.window,
      sections: run.sections,
      planned: run.planned,
      records: done?.records ?? 0,
      shards: { total: run.shards, done: done?.shards ?? 0 },
      startedAt: run.startedAt,
      // A run that goes on may still bear the end of its last session.
      finishedAt: run.active && run.state !== 'complete' ? undefined : run.finishedAt,
      // A shared run is held by its parts.
      silentMs: run.active && !run.parts ? Number(ageMs) : undefined,
      parts: run.parts && { count: run.parts.count, begun },
      host: run.host,
      pid: run.pid,
      version: run.version,
    };
  } catch (error) {
    return { runId: String(stored._id), problem: (error as Error).message };
  }
}

function describePart({ part, state, host, pid, active, ageMs }: Document): PartHistory {
  return {
    part: Number(part),
    state: String(state),
    host: String(host),
    pid: Number(pid),
    silentMs: active ? Number(ageMs) : undefined,
  };
}
