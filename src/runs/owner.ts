/**
 * Who holds a database, or one part of a run: as it is read from the document that keeps the lease.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document } from 'mongodb';
import type { Part } from '../config/settings.js';
import { ExitStatus, SeedError } from '../errors.js';
import { hasEnded } from '../system/file-lock.js';
import type { PartStore } from './part-store.js';
import type { RunDocument } from './run-document.js';
import type { RunStore } from './run-store.js';

/** A run whose loader has not been heard of for so long is taken to be dead. */
export const LEASE_MS = 30_000;
export const HEARTBEAT_MS = 5_000;

/**
 * Who holds the database. Read from a stored document, so everything but `_id` may be missing or
 * nonsense.
 */
export interface Holder {
  /** Of the document that keeps the lease: the run's, or the part's. */
  readonly id: string;
  readonly runId: RunDocument['_id'];
  readonly host: string;
  readonly pid: number;
  readonly processSpace: string | undefined;
  readonly heartbeat: unknown;
  /**
   * Since the last sign of life, in milliseconds by the server's clock; negative where that clock
   * was set back. Not by a moment: see {@link ageOf}.
   */
  readonly ageMs: number;
  /** Set for a part of a run. */
  readonly part?: number;
  /**
   * Set for a run of several loaders: how many parts it has, those that are held, and how often one
   * has joined.
   */
  readonly shared?: { readonly count: number; readonly held: readonly Holder[]; readonly joined: number };
}

/**
 * A name for one loader at work on one target. It tells which part it loads, so that other parts
 * leave it alone.
 */
export function drawLoader(part?: Part): string {
  const name = randomBytes(8).toString('hex');
  return part ? `${name}-${part.number}of${part.of}` : name;
}

/** A holder as its document, with `ageMs`, describes it. */
export function holderOf(stored: Document): Holder {
  const { _id, host, pid, processSpace, heartbeat, ageMs, run, part, parts, held, joined } = stored;
  // A shared run with a holder of its own is held as a whole, as any other.
  const shared =
    parts && stored.holder === undefined
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
 * Infinite where there is no usable heartbeat. A command reads the clock before it reads documents,
 * so a heartbeat of the very moment may be younger than the command: no sign of a clock that was
 * set back.
 */
function ageOf(stored: number | null): number {
  if (stored === null) return Number.POSITIVE_INFINITY;
  return stored < 0 && stored > -HEARTBEAT_MS ? 0 : Number(stored);
}

/** Null where the document has no usable heartbeat. */
export const AGE = {
  $cond: [{ $eq: [{ $type: '$heartbeat' }, 'date'] }, { $subtract: ['$$NOW', '$heartbeat'] }, null],
};

// Makes sure that one loader at a time works on a database, or on each part of a run that is
// shared.

/** A living loader gives several signs of life in this time. */
const WATCH_MS = 2.5 * HEARTBEAT_MS;

type Notice = (message: string) => void;

/**
 * Resolves when no living loader holds the database; a dead one's hold is lifted, and `notice`
 * told. With `parts`, a run that so many loaders share may be held: another part is no obstacle.
 * @throws SeedError (target not ready) with the holder's host, pid and age.
 */
export async function refuseWhileHeld(store: RunStore, notice: Notice, parts?: number): Promise<void> {
  // Usually one at most; documents that no loader has written may be several.
  for (let holder = await store.currentHolder(); holder; holder = await store.currentHolder()) {
    if (holder.shared && holder.shared.count === parts) return;
    const living = await livingOf(holder, store, notice);
    if (living) throw inProgress(living);
    await store.expire(holder);
    notice(lifted(holder));
  }
}

/**
 * What {@link refuseWhileHeld} would say, without lifting anything; undefined where nobody who
 * lives holds the database.
 */
export async function heldByAnother(store: RunStore, notice: Notice): Promise<DatabaseHeld | undefined> {
  const holder = await store.currentHolder();
  const living = holder && (await livingOf(holder, store, notice));
  return living && inProgress(living);
}

/** Of a shared run, the first part that lives. */
async function livingOf(holder: Holder, store: RunStore, notice: Notice): Promise<Holder | undefined> {
  for (const one of holder.shared ? holder.shared.held : [holder]) {
    const again = async () => {
      const now = await store.currentHolder();
      return now?.shared ? now.shared.held.find(({ id }) => id === one.id) : now;
    };
    if (await isAlive(one, again, notice)) return one;
  }
  return undefined;
}

/** The same for one part of a run. */
export async function refuseWhilePartHeld(parts: PartStore, runId: string, notice: Notice): Promise<void> {
  const current = () => parts.currentHolder(runId);
  for (let holder = await current(); holder; holder = await current()) {
    if (await isAlive(holder, current, notice)) throw inProgress(holder);
    await parts.expire(holder);
    notice(lifted(holder));
  }
}

async function isAlive(
  holder: Holder,
  again: () => Promise<Holder | undefined>,
  notice: Notice,
): Promise<boolean> {
  if (hasEnded(holder.pid, holder.processSpace)) return false;
  if (holder.ageMs >= 0) return holder.ageMs < LEASE_MS;
  // The server's clock was set back, so ages say nothing. Signs of life that go on do.
  notice(`the server's clock was set back: watching ${nameOf(holder)} for signs of life`);
  await sleep(WATCH_MS);
  const later = await again();
  return later?.id === holder.id && Number(later.heartbeat) !== Number(holder.heartbeat);
}

function nameOf({ runId, part }: Holder): string {
  return part === undefined ? `run ${runId}` : `part ${part} of run ${runId}`;
}

function inProgress(holder: Holder): DatabaseHeld {
  return new DatabaseHeld(
    `${nameOf(holder)} is in progress on ${holder.host} (pid ${holder.pid}, last seen ${age(holder)})`,
    `wait for it, stop it, or use another --database; if it is dead its lease ends after ${LEASE_MS / 1000} s`,
  );
}

function lifted(holder: Holder): string {
  const { host, pid } = holder;
  const what = holder.part === undefined ? 'the database' : 'the part';
  return `${nameOf(holder)} of ${host} (pid ${pid}) died, last seen ${age(holder)}: its lease on ${what} has expired`;
}

function age({ ageMs }: Holder): string {
  if (ageMs < 0) return 'in the future';
  return Number.isFinite(ageMs) ? `${Math.round(ageMs / 1000)} s ago` : 'never';
}

// The database is another loader's, for now: no failure of this one's making, and it passes.

export class DatabaseHeld extends SeedError {
  constructor(message: string, remedy: string) {
    super(ExitStatus.targetNotReady, message, remedy);
  }
}

/** Something of an earlier loader could still reach the data. Nothing has been done to them. */
export class EarlierLoaderConnected extends DatabaseHeld {
  constructor() {
    super(
      'an earlier loader of this database is still connected to the server, and its last writes may yet arrive',
      'end that process, then try again',
    );
  }
}

/**
 * Said by a loader whose run's document is not there any more, though no other loader has been at
 * work.
 */
export function runGone(runId: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `run ${runId} is gone from seed_runs: somebody dropped it, or the whole database, while it was loaded`,
    'load again with --clean --yes, which also removes what this load may have written since',
  );
}

/** Said by a loader that has lost its own lease. */
export function lostHold(): DatabaseHeld {
  return new DatabaseHeld(
    'another loader took this run over, because no sign of life of this one reached the server in time',
    'let the other one finish',
  );
}
