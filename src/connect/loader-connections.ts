/**
 * Writes that outlive their writer. When a connection breaks or a loader is killed, the server may
 * still be at work on the last insert, or have it waiting in the socket. In the flat layout that is
 * harmless: the same `_id` is refused the second time. A time-series collection would hold the
 * record twice, if it were sent again before the first one has arrived.
 *
 * A server closes a connection only after it has read and done all that came through it. So each
 * loading thread's connections bear a name of their own, and whoever is about to repeat its writes
 * waits until the server has none of that name.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, type Document, MongoServerError } from 'mongodb';
import type { Part } from '../config/settings.js';
import { type Deadline, isPassing } from './retry.js';

/** Whose connection it is. `generation` counts the clients that one thread has opened. */
export interface LoaderName {
  readonly database: string;
  /** Drawn for each loader process and target. */
  readonly loader: string;
  readonly thread: number;
  readonly generation: number;
}

/** At most 128 bytes are allowed, and a database's name may be longer than that. */
function databaseTag(database: string): string {
  return createHash('sha256').update(database).digest('hex').slice(0, 8);
}

/** The name as connections bear it, in `appName`. */
export function formatLoaderName({ database, loader, thread, generation }: LoaderName): string {
  return `seed-database load ${databaseTag(database)} ${loader}.${thread}.${generation}`;
}

/** A name without the database, which only has to be recognised. */
export type SeenName = Omit<LoaderName, 'database'>;

/** @returns undefined where the text is no name of a loader of this database. */
function parseLoaderName(text: unknown, database: string): SeenName | undefined {
  const match = /^seed-database load ([0-9a-f]{8}) ([0-9a-f]+(?:-\d+of\d+)?)\.(\d+)\.(\d+)$/.exec(
    String(text),
  );
  if (!match || match[1] !== databaseTag(database)) return undefined;
  return { loader: match[2], thread: Number(match[3]), generation: Number(match[4]) };
}

/**
 * True for a loader of another part of the same run: its records are not this part's, and it may go
 * on.
 */
export function isOtherPart(loader: string, part: Part | undefined): boolean {
  const match = /-(\d+)of(\d+)$/.exec(loader);
  return part !== undefined && Number(match?.[2]) === part.of && Number(match?.[1]) !== part.number;
}

/** Where a server shows nobody its connections, this is all that can be done. */
const BLIND_WAIT_MS = 5_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;
const UNAUTHORIZED = 13;
const GREETINGS = ['hello', 'isMaster', 'ismaster'];

export interface WaitOptions {
  /** True for names whose writes must have ended. */
  readonly isStraggler: (name: SeenName) => boolean;
  readonly limitMs: number;
  readonly stopping?: () => boolean;
  /** How long to wait for each of the server's answers. */
  readonly deadline?: Deadline;
  /** Told once where there is something to wait for. */
  readonly notice?: (message: string) => void;
}

/** True when all stragglers are gone, false when some are left after the limit, or on a stop. */
export async function waitForStragglers(db: Db, options: WaitOptions): Promise<boolean> {
  const { isStraggler, limitMs, stopping, notice, deadline } = options;
  const started = performance.now();
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const asked = loaderConnections(db);
    const seen = await (deadline?.limit(asked) ?? asked);
    if (seen === undefined) {
      notice?.(
        `the server does not show its connections: waiting ${BLIND_WAIT_MS / 1000} s for earlier writes`,
      );
      await sleep(BLIND_WAIT_MS);
      return true;
    }
    const left = seen.filter(isStraggler).length;
    if (left === 0) return true;
    if (pause === FIRST_PAUSE_MS) notice?.(`waiting for the last writes of ${left} earlier connections`);
    if (stopping?.() || performance.now() - started > limitMs) return false;
    await sleep(pause);
  }
}

/**
 * Connections of loaders of this database, idle ones included; undefined where the server does not
 * tell.
 */
export async function loaderConnections(db: Db): Promise<SeenName[] | undefined> {
  const operations = await currentOperations(db);
  return operations
    ?.map(({ appName, clientMetadata }) =>
      parseLoaderName(appName ?? clientMetadata?.application?.name, db.databaseName),
    )
    .filter((name) => name !== undefined);
}

async function currentOperations(db: Db): Promise<Document[] | undefined> {
  const admin = db.client.db('admin');
  const { msg } = await admin.command({ hello: 1 });
  // A router's own connections are those that count: it answers only after its shards have.
  const local = msg === 'isdbgrid' ? { localOps: true } : {};
  for (const allUsers of [true, false]) {
    const pipeline = [
      { $currentOp: { allUsers, idleConnections: true, ...local } },
      // A client's monitors say hello, by whatever name their server knows it, and write nothing.
      { $match: Object.fromEntries(GREETINGS.map((name) => [`command.${name}`, { $exists: false }])) },
      { $project: { appName: 1, clientMetadata: 1 } },
    ];
    try {
      return await admin.aggregate(pipeline, { readPreference: 'primary' }).toArray();
    } catch (error) {
      if (isPassing(error) || !(error instanceof MongoServerError)) throw error;
      // Without the right to see everybody's, a user still sees their own.
      if (error.code !== UNAUTHORIZED) return undefined;
    }
  }
  return undefined;
}
