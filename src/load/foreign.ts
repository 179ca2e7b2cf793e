/**
 * What `--clean` would remove that is not this program's. Ours is what a run document of ours says
 * is ours: everything else of our collections' names is somebody's, and goes only if somebody says
 * so.
 */
import type { Db, Document } from 'mongodb';
import { LAYOUTS, type LoadSettings } from '../config/settings.js';
import { withRetry } from '../connect/retry.js';
import type { Target } from '../connect/target.js';
import { ExitStatus, SeedError } from '../errors.js';
import { fleetFingerprint } from '../fleet/fingerprint.js';
import type { TargetFacts } from '../inspect/inspect.js';
import { MODEL_VERSION } from '../model/telemetry-model.js';
import { loadedAssets } from '../plan/plan.js';
import { seriesOf } from '../runs/beside.js';
import { fleetOf, PARTS, RUNS, runDocument, SHARDS } from '../runs/run-document.js';
import type { RunStore } from '../runs/run-store.js';
import { ASSETS, EVENTS, METRIC_BUCKETS, METRICS } from '../store/collections.js';

/** What `--clean` drops, in the order in which the question names it. */
const DROPPED = [METRICS, ASSETS, SHARDS, PARTS] as const;

/** A collection, as the question names it. */
export interface Foreign {
  readonly name: string;
  /** What a view shows; undefined for a collection. */
  readonly viewOf?: string;
  /** Where not all of it would go. */
  readonly documents?: number;
}

/** @param runs the documents of `seed_runs` as they are, whether they can be used or not */
export function foreignTo(
  { collections, strayBuckets, events, ownsEvents }: TargetFacts,
  runs: readonly Document[],
  writesEvents = false,
): Foreign[] {
  const found: Foreign[] = [];
  const own = runs.filter(vouches);
  const holds = (name: string) => own.length > 0 && !own.some(({ beside }) => includes(beside, name));
  const layouts = own.map(({ layout }) => layout);
  for (const name of DROPPED) {
    const facts = collections[name];
    if (facts.kind === 'absent') continue;
    if (facts.kind === 'view') {
      found.push({ name, viewOf: facts.of });
      continue;
    }
    const layout = facts.kind === 'timeseries' ? 'timeseries' : 'flat';
    const isOurs =
      name === METRICS ? holds(name) && layouts.includes(layout) : holds(name) && layout === 'flat';
    if (!isOurs) found.push({ name });
  }
  if (strayBuckets && !layouts.includes('timeseries')) found.push({ name: METRIC_BUCKETS });
  // Where no run of ours has written it, it stays unless this one is going to.
  if (writesEvents && !ownsEvents && events.kind !== 'absent') {
    found.push(events.kind === 'view' ? { name: EVENTS, viewOf: events.of } : { name: EVENTS });
  }
  const others = runs.filter((run) => !isRun(run)).length;
  if (others > 0) found.push({ name: RUNS, documents: others });
  return found;
}

/** A run that was stopped while it cleaned has put nothing there yet. */
function vouches(run: Document): boolean {
  return isRun(run) && run.cleaning !== true;
}

/** Of this or another version, also where it was changed by hand. */
function isRun({ _id, format, layout, seed, fleetFingerprint }: Document): boolean {
  return (
    typeof _id === 'string' &&
    typeof format === 'number' &&
    (LAYOUTS as readonly unknown[]).includes(layout) &&
    seed !== undefined &&
    fleetFingerprint !== undefined
  );
}

function includes(names: unknown, name: string): boolean {
  return Array.isArray(names) && names.includes(name);
}

/** `metrics (1,200 documents), assets (a view of hosts)`. */
function foreignText(foreign: readonly Foreign[], documents: ReadonlyMap<string, number>): string {
  return foreign
    .map(({ name, viewOf, documents: some }) => {
      if (viewOf !== undefined) return `${name} (a view of ${viewOf})`;
      const count = some ?? documents.get(name) ?? 0;
      return `${name} (${count.toLocaleString('en')} ${count === 1 ? 'document' : 'documents'})`;
    })
    .join(', ');
}

// Before `--clean` removes what is not this program's, somebody has to say so.

/** Asks whether to go on with what cannot be undone; false where nobody can be asked. */
export type Confirm = (what: string) => Promise<boolean>;

export interface AskInput {
  readonly target: Pick<Target, 'db'>;
  readonly store: RunStore;
  readonly facts: TargetFacts;
  readonly load: Pick<LoadSettings, 'confirmed' | 'events'>;
  readonly confirm: Confirm | undefined;
  readonly notice: (message: string) => void;
  /** A run that was stopped while it cleaned, and is to go on with that. */
  readonly resumed?: string;
}

/** @throws SeedError where nobody has said that it may go: nothing is changed then */
export async function askForForeign({
  target,
  store,
  facts,
  load,
  confirm,
  notice,
  resumed,
}: AskInput): Promise<void> {
  const { db } = target;
  const runs = await store.documents();
  const whole = foreignTo(facts, runs, load.events);
  const foreign = [
    ...whole,
    ...(await withRetry(() => foreignDocuments(db, runs, facts, whole), store.retry)),
  ];
  if (foreign.length === 0) return;
  const counted = foreign.filter(({ viewOf, documents }) => viewOf === undefined && documents === undefined);
  const counts = await Promise.all(
    counted.map(({ name }) => withRetry(() => db.collection(name).estimatedDocumentCount(), store.retry)),
  );
  const what = foreignText(foreign, new Map(counted.map(({ name }, i) => [name, counts[i]])));
  const flag = resumed === undefined ? '--clean' : '--resume';
  if (load.confirmed) {
    notice(`${flag} removes what no run of this program has made in database ${db.databaseName}: ${what}`);
    return;
  }
  if (
    await confirm?.(
      `This removes what no run of this program has made in database ${db.databaseName}: ${what}.`,
    )
  )
    return;
  throw new SeedError(
    ExitStatus.targetNotReady,
    resumed === undefined
      ? `--clean would remove what no run of this program has made in database ${db.databaseName}: ${what}`
      : `run ${resumed} was stopped while it removed the data of database ${db.databaseName}, and --resume would go on with ` +
          `what no run of this program has made: ${what}`,
    'add --yes if that is what you want, or use another --database',
  );
}

// Documents of others inside the collections that runs of ours have made: counted by what no run
// can have written. Reads only.

/** More ids than this make a query that a server hardly takes. */
const MOST_IDS = 100_000;

/**
 * Counts documents of an asset, or of a metric, that none of the stored runs has. Where the runs do
 * not say which they have (they cannot be used, their version makes other assets, there are too
 * many), nothing is counted.
 * @param runs the documents of `seed_runs` as they are
 * @param foreign what is named as a whole
 */
async function foreignDocuments(
  db: Db,
  runs: readonly Document[],
  { collections }: Pick<TargetFacts, 'collections'>,
  foreign: readonly Foreign[],
): Promise<Foreign[]> {
  const isOwn = (collection: typeof METRICS | typeof ASSETS) =>
    collections[collection].kind !== 'absent' && !foreign.some(({ name }) => name === collection);
  const known = namesIn(runs);
  if (!known) return [];
  const { assetIds, assetsWithRecords, metricNames } = known;
  const counts = new Map<string, Promise<number>>();
  if (isOwn(METRICS)) {
    const prefix = collections[METRICS].kind === 'timeseries' ? 'meta.' : '';
    const [asset, metric] = [`${prefix}asset_id`, `${prefix}metric_name`];
    // Each by an index: what is between the series that are known costs little to find.
    const others = [
      { [asset]: { $nin: assetsWithRecords } },
      { [asset]: { $in: assetsWithRecords }, [metric]: { $nin: metricNames } },
    ];
    counts.set(METRICS, db.collection(METRICS).countDocuments({ $or: others }));
  }
  if (isOwn(ASSETS)) {
    const assets = db.collection<{ _id: string }>(ASSETS);
    counts.set(ASSETS, assets.countDocuments({ _id: { $nin: assetIds } }));
  }
  const found: Foreign[] = [];
  for (const [name, counting] of counts) {
    const documents = await counting;
    if (documents > 0) found.push({ name, documents });
  }
  return found;
}

interface Names {
  readonly assetIds: string[];
  readonly assetsWithRecords: string[];
  readonly metricNames: string[];
}

/** Everything that the runs have made; undefined where that is not known. */
function namesIn(stored: readonly Document[]): Names | undefined {
  const runs = stored.map((document) => runDocument.safeParse(document).data);
  if (!runs.every((run) => run !== undefined)) return undefined;
  const assetIds = new Set<string>();
  const assetsWithRecords = new Set<string>();
  const metricNames = new Set<string>();
  for (const run of runs) {
    const fleet = fleetOf(run);
    if (run.modelVersion !== MODEL_VERSION || run.fleetFingerprint !== fleetFingerprint(fleet))
      return undefined;
    for (const { assetId } of fleet.jobs) assetIds.add(assetId);
    for (const asset of loadedAssets(fleet)) {
      assetIds.add(asset.assetId);
      assetsWithRecords.add(asset.assetId);
      for (const { metricName } of seriesOf(asset, run)) metricNames.add(metricName);
    }
    if (assetIds.size > MOST_IDS) return undefined;
  }
  return {
    assetIds: [...assetIds],
    assetsWithRecords: [...assetsWithRecords],
    metricNames: [...metricNames],
  };
}
