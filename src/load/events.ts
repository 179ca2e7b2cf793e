/**
 * The collection of events, where a load is asked for one: what is true about the dataset besides
 * its records.
 */
import type { Db } from 'mongodb';
import type { Dataset } from '../dataset/dataset.js';
import { eventDocuments } from '../dataset/generate.js';
import type { Fleet } from '../fleet/types.js';
import { instantOf, minuteOf } from '../plan/plan.js';
import type { RunDocument } from '../runs/run-document.js';
import { EVENT_INDEXES, makeIndexes } from '../store/indexes.js';
import { EVENTS } from '../store/names.js';
import type { Guard } from '../store/schema.js';

/** Documents in one command. */
const AT_ONCE = 1_000;

/**
 * Replaces or inserts every event: doing it twice changes nothing, and one that goes on beyond the
 * end that a run had is made longer. @throws the driver's errors
 */
export async function writeEvents(db: Db, fleet: Fleet, dataset: Dataset, guard: Guard): Promise<void> {
  const events = db.collection(EVENTS);
  await guard(() => makeIndexes(events, EVENT_INDEXES));
  let operations: Parameters<typeof events.bulkWrite>[0][number][] = [];
  const flush = async () => {
    const some = operations;
    operations = [];
    if (some.length > 0) await guard((limit) => events.bulkWrite(some, { ordered: false, ...limit }));
  };
  for (const { _id, ...replacement } of eventDocuments(fleet, dataset)) {
    operations.push({ replaceOne: { filter: { _id }, replacement, upsert: true } });
    if (operations.length === AT_ONCE) await flush();
  }
  await flush();
}

/**
 * After a trim: an event that began before the new start begins there now, and others are over.
 */
export async function trimEvents(db: Db, fleet: Fleet, dataset: Dataset, guard: Guard): Promise<void> {
  await writeEvents(db, fleet, dataset, guard);
  const over = { start: { $lt: instantOf(dataset.window.start) } };
  await guard((limit) => db.collection(EVENTS).deleteMany(over, limit));
}

/**
 * The window whose events a run has to write: an extension's begins with the run that it extends,
 * so that an event over the end of that is one.
 */
export function eventWindow(
  runId: string,
  { window }: Dataset,
  runs: readonly RunDocument[],
): Dataset['window'] {
  const base = runs.find(({ _id }) => _id === runs.find((run) => run._id === runId)?.extends);
  return base ? { start: minuteOf(base.window.start), end: window.end } : window;
}
