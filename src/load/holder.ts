/** Who holds a database, or one part of a run: as it is read from the document that keeps the hold. */
import { randomBytes } from 'node:crypto';
import type { Document } from 'mongodb';
import type { Part } from '../config/settings.js';
import type { RunDocument } from './run-document.js';

/** A run whose loader has not been heard of for so long is taken to be dead. */
export const LEASE_MS = 30_000;
export const HEARTBEAT_MS = 5_000;

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
