/** One session of a soak: what is done to it, how it ended, and whether it may have ended so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { Layout } from '../src/config/settings.js';
import { ExitStatus } from '../src/errors.js';
import type { Place } from '../test/support/dataset.js';
import type { RunningLoad } from '../test/support/running.js';
import type { Fault, Scene } from './faults.js';
import type { Tally } from './tally.js';

/**
 * A session that takes longer hangs. No fault lasts longer than a few seconds, no load half a
 * minute.
 */
export const HANGS_AFTER_MS = 180_000;
/** More sessions than any number of faults should need. */
export const SESSIONS = 20;
/** Variables of a loader that does not wait long for its server. */
export const IMPATIENT = {
  MONGODB_SOCKET_TIMEOUT_MS: '3000',
  MONGODB_SERVER_SELECTION_TIMEOUT_MS: '3000',
} as const;

/** Ends that faults are expected to lead to; a signal has none. */
const EXPECTED_ENDS: readonly (number | null)[] = [
  ExitStatus.done,
  ExitStatus.cannotConnect,
  ExitStatus.targetNotReady,
  ExitStatus.outOfSpace,
  ExitStatus.interrupted,
  null,
];

export interface Disturbance {
  readonly kinds: Readonly<Record<string, Fault>>;
  /** Milliseconds before each, at least and at most. */
  readonly pause: readonly [number, number];
  readonly layout: Layout;
}

/** Does so many things to a session, as long as it runs. Resolves with how many are left. */
export async function disturb(
  scene: Scene,
  { kinds, pause: [shortest, longest], layout }: Disturbance,
  faults: number,
  tally: Tally,
): Promise<number> {
  const { running, chance } = scene;
  const known = Object.entries(kinds);
  let left = faults;
  while (left > 0 && !running.hasEnded) {
    await Promise.race([sleep(chance.between(shortest, longest)), running.ended]);
    if (running.hasEnded) break;
    const [kind, fault] = chance.one(known);
    left--;
    tally.addFault(kind, layout);
    await fault(scene);
  }
  return left;
}

/**
 * Waits for a session's end and counts what must not be; `also` are ends that are expected besides.
 */
export async function judge(
  running: RunningLoad,
  tally: Tally,
  also: readonly ExitStatus[] = [],
): Promise<ExitStatus | null> {
  const { status, stderr } = await running.ended;
  if (/^\s+at .+:\d+:\d+\)?$/m.test(stderr)) {
    tally.stackTraces++;
    console.error(stderr);
  }
  if (running.hung) {
    tally.hung++;
    console.error(`hung: ${stderr}`);
  }
  if (![...EXPECTED_ENDS, ...also].includes(status)) {
    const [, message = stderr.slice(-200)] = /❌ ([^\n]+)/.exec(stderr) ?? [];
    tally.addSurprise(message.replace(/\b[0-9a-f]{24}\b|\d+/g, '#'));
  }
  return status as ExitStatus | null;
}

/** Removes a database. */
export async function dropDatabase({ uri, database }: Place): Promise<void> {
  const client = new MongoClient(uri);
  try {
    await client.db(database).dropDatabase();
  } finally {
    await client.close();
  }
}
