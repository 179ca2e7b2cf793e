/**
 * Databases that somebody else made: what a kind of them is, and what their lists are written with.
 */
import type { Db, Document } from 'mongodb';
import type { Layout } from '../../src/config/settings.js';

/**
 * `loads`: exit 0, every record there. Otherwise the exit status of a refusal that has changed
 * nothing.
 */
export type Outcome = 'loads' | 4 | 5;

export interface TargetKind {
  readonly name: string;
  /** In both layouts, or by layout. */
  readonly outcome: Outcome | Readonly<Record<Layout, Outcome>>;
  readonly prepare: (db: Db) => Promise<unknown>;
  /** The first server that it can be made on; undefined: the oldest that there are. */
  readonly since?: '5.0' | '5.3' | '6.0';
  /** Flags of the load. */
  readonly flags?: readonly string[];
  /** A role of the user that loads, on its database; undefined: the administrator. */
  readonly role?: Document;
}

export const TIME_SERIES = { timeField: 'timestamp', metaField: 'meta', granularity: 'minutes' } as const;
export const KEEP = ['--skip-cleanup'];
export const flatOnly = (outcome: Outcome) => ({ flat: outcome, timeseries: 5 }) as const;
export const seriesOnly = (outcome: Outcome) => ({ flat: 5, timeseries: outcome }) as const;

export type Key = Readonly<Record<string, 1 | -1 | 'text' | '2d' | '2dsphere' | 'hashed'>>;

/** An empty `metrics`, or another collection, with one index. */
export function indexed(key: Key, options: Document = {}, collection = 'metrics'): TargetKind['prepare'] {
  return (db) => db.collection(collection).createIndex(key as Record<string, 1>, options);
}

export const created =
  (name: string, options: Document = {}): TargetKind['prepare'] =>
  (db) =>
    db.createCollection(name, options);
