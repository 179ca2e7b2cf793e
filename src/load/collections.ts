/** What a load does to the collections before its first record. */
import { instantOf, planChunks } from '../plan/index.js';
import { canHold } from '../store/obstacles.js';
import { dropDataset, ensureCollections, type SchemaOptions } from '../store/schema.js';
import { clusterShards, shardingCommands, shardMetrics } from '../store/sharding.js';
import { writeAssets } from './assets.js';
import { durably } from './durably.js';
import { awaitEarlierLoaders } from './earlier-loaders.js';
import type { Hold } from './hold.js';
import type { Job } from './job.js';
import type { Begun, HeldWork } from './work.js';

/** The collections as they are wanted, and as the server can make them. */
export function schemaOf(
  { settings, facts }: Pick<HeldWork, 'settings' | 'facts'>,
  { dataset }: Job,
): SchemaOptions {
  const { clustered, ttlDays } = settings.load;
  return { layout: dataset.layout, clustered: clustered && canHold(facts.server).clustered, ttlDays };
}

/** Cleans where that is asked for, makes collections and assets, and resolves with the ids of the shards that are done already. */
export async function prepareCollections(
  { target, settings, reporter, store, checkpoints, warn, loader, retry, facts }: HeldWork,
  job: Job,
  start: Begun,
  hold: Hold,
): Promise<Set<string>> {
  const { db } = target;
  const { guard } = hold;
  const cleaning = start.kind === 'fresh' ? start.clean : start.run.cleaning === true;
  const { part, shard } = settings.load;
  const { layout } = job.dataset;
  await awaitEarlierLoaders({ target, loader, layout, cleaning, part, retry, warn });

  if (cleaning) {
    let collections: string[] = [];
    await durably(db, hold, async () => {
      collections = [...new Set([...collections, ...(await dropDataset(db, guard))])];
    });
    await store.cleaned(job.runId, guard);
    if (collections.length > 0) reporter.on({ type: 'cleaned', collections });
  }
  const schema = schemaOf({ settings, facts }, job);
  await durably(db, hold, async () => {
    await ensureCollections(db, schema, warn, guard);
    await checkpoints.createIndex(guard);
    await writeAssets(db, job.fleet, instantOf(job.dataset.window.end), guard);
  });
  if (shard) {
    const chunks = planChunks(job.whole ?? job.plan, await clusterShards(db));
    // Once records are there the cluster's balancer knows better where they belong.
    const commands = shardingCommands(db.databaseName, layout, chunks);
    await guard(() => shardMetrics(db, commands, !job.resumed, warn));
  }
  if (!job.resumed || cleaning) return new Set();
  const done = await checkpoints.completedShards(job.runId, (job.whole ?? job.plan).shards);
  return new Set(job.plan.shards.map(({ id }) => id).filter((id) => done.has(id)));
}
