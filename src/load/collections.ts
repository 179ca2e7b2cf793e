/** What a load does to the collections before its first record. */
import type { Db, Document } from 'mongodb';
import { withRetry } from '../connect/retry.js';
import type { Dataset } from '../dataset/dataset.js';
import { eventDocuments } from '../dataset/generate.js';
import { assetDocument } from '../encode/document.js';
import type { Fleet } from '../fleet/types.js';
import { DROPPED } from '../inspect/obstacles.js';
import { canHold } from '../inspect/server.js';
import { planChunks } from '../plan/order.js';
import { instantOf, minuteOf } from '../plan/plan.js';
import { awaitEarlierLoaders, durably, type Lease } from '../runs/lease.js';
import type { RunDocument } from '../runs/run-document.js';
import { hasEventRuns } from '../runs/run-history.js';
import { ASSETS, EVENT_INDEXES, EVENTS, makeIndexes } from '../store/collections.js';
import {
  clusterShards,
  dropDataset,
  ensureCollections,
  type Guard,
  type SchemaOptions,
  shardingCommands,
  shardMetrics,
} from '../store/schema.js';
import type { Begun, HeldWork, Job } from './job.js';

/** The collections as they are wanted, and as the server can make them. */
export function schemaOf(
  { settings, facts }: Pick<HeldWork, 'settings' | 'facts'>,
  { dataset }: Job,
): SchemaOptions {
  const { clustered, ttlDays } = settings.load;
  return { layout: dataset.layout, clustered: clustered && canHold(facts.server).clustered, ttlDays };
}

/**
 * Cleans where that is asked for, makes collections and assets, and resolves with the ids of the
 * shards that are done already.
 */
export async function prepareCollections(
  { target, settings, reporter, store, checkpoints, warn, loader, retry, facts }: HeldWork,
  job: Job,
  start: Begun,
  lease: Lease,
): Promise<Set<string>> {
  const { db } = target;
  const { guard } = lease;
  const cleaning = start.kind === 'fresh' ? start.clean : start.run.cleaning === true;
  const { part, shard } = settings.load;
  const { layout } = job.dataset;
  await awaitEarlierLoaders({ target, loader, layout, cleaning, part, retry, warn });

  if (cleaning) {
    let collections: string[] = [];
    // Those of an earlier run, and others' where somebody has said so.
    const drops = job.events || (await withRetry(() => hasEventRuns(db), retry));
    const dropped = drops ? [...DROPPED, EVENTS] : DROPPED;
    await durably(db, lease, async () => {
      collections = [...new Set([...collections, ...(await dropDataset(db, dropped, guard))])];
    });
    await store.cleaned(job.runId, guard);
    if (collections.length > 0) reporter.on({ type: 'cleaned', collections });
  }
  const schema = schemaOf({ settings, facts }, job);
  await durably(db, lease, async () => {
    await ensureCollections(db, schema, warn, guard);
    await checkpoints.createIndex(guard);
    await writeAssets(db, job.fleet, instantOf(job.dataset.window.end), guard);
    if (job.events) {
      const window = eventWindow(job.runId, job.dataset, await store.list());
      await writeEvents(db, job.fleet, { ...job.dataset, window }, guard);
    }
  });
  if (shard) {
    const chunks = planChunks(job.whole ?? job.plan, await clusterShards(db));
    // Once records are there the cluster's balancer knows better where they belong.
    const commands = shardingCommands(db.databaseName, layout, chunks);
    await lease.guardLong(() => shardMetrics(db, commands, !job.resumed, warn));
  }
  if (!job.resumed || cleaning) return new Set();
  const done = await checkpoints.completedShards(job.runId, (job.whole ?? job.plan).shards);
  return new Set(job.plan.shards.map(({ id }) => id).filter((id) => done.has(id)));
}

// Writes the fleet's assets.

/** The documents of a fleet's assets. */
export function assetDocuments({ machines, services, jobs }: Fleet, lastUpdated: Date): Document[] {
  return [...machines, ...services, ...jobs].map((asset) => assetDocument(asset, lastUpdated));
}

/** Replaces or inserts every asset: doing it twice changes nothing. */
export async function writeAssets(db: Db, fleet: Fleet, lastUpdated: Date, guard: Guard): Promise<void> {
  const operations = assetDocuments(fleet, lastUpdated).map(({ _id, ...replacement }) => ({
    replaceOne: { filter: { _id }, replacement, upsert: true },
  }));
  await guard((limit) => db.collection(ASSETS).bulkWrite(operations, { ordered: false, ...limit }));
}

// The collection of events, where a load is asked for one: what is true about the dataset besides its
// records.

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
function eventWindow(runId: string, { window }: Dataset, runs: readonly RunDocument[]): Dataset['window'] {
  const base = runs.find(({ _id }) => _id === runs.find((run) => run._id === runId)?.extends);
  return base ? { start: minuteOf(base.window.start), end: window.end } : window;
}
