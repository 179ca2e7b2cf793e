/** One session of a soak: how it ended, and whether it may have ended so. */
import { MongoClient } from 'mongodb';
import { ExitStatus } from '../src/errors.js';
import type { Place } from '../test/support/dataset.js';
import type { RunningLoad } from '../test/support/running.js';
import type { Tally } from './tally.js';

/** Ends that faults are expected to lead to; a signal has none. */
const EXPECTED_ENDS: readonly (number | null)[] = [
  ExitStatus.done,
  ExitStatus.cannotConnect,
  ExitStatus.targetNotReady,
  ExitStatus.outOfSpace,
  ExitStatus.interrupted,
  null,
];

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
