/**
 * What `--clean` would remove that is not this program's. Ours is what a run document of ours says
 * is ours: everything else of our collections' names is somebody's, and goes only if somebody says
 * so. Pure.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Db, Document } from 'mongodb';
import { LAYOUTS, type LoadSettings } from '../config/settings.js';
import { withRetry } from '../connect/retry.js';
import type { Target } from '../connect/target.js';
import { assetDocument } from '../encode/document.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import type { TargetFacts } from '../inspect/inspect.js';
import { instantOf, loadedAssets, type Window } from '../plan/plan.js';
import { type Candidate, periodOf, seriesOf } from '../runs/beside.js';
import { PARTS, RUNS, SHARDS } from '../runs/collections.js';
import { fleetOf, type RunDocument } from '../runs/run-document.js';
import type { RunStore } from '../runs/run-store.js';
import { ASSETS, METRIC_BUCKETS, METRICS } from '../store/names.js';
import { foreignDocuments } from './foreign-documents.js';

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
export function foreignTo({ collections, strayBuckets }: TargetFacts, runs: readonly Document[]): Foreign[] {
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
export function foreignText(foreign: readonly Foreign[], documents: ReadonlyMap<string, number>): string {
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
  readonly load: Pick<LoadSettings, 'confirmed'>;
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
  const whole = foreignTo(facts, runs);
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

// What a database holds that is in the way of a dataset, and that no stored run has put there.
// Reads only.

/** Ids in one query. */
const IDS_AT_ONCE = 1_000;
const ON_PRIMARY = { readPreference: 'primary', readConcern: { level: 'local' } } as const;

/** @throws SeedError for what is there and would be overwritten, or taken for this dataset's */
export async function refuseUnexplained(
  db: Db,
  wanted: Candidate,
  runs: readonly RunDocument[],
  holding: readonly string[],
): Promise<void> {
  if (holding.includes(ASSETS)) await refuseOtherAssets(db, wanted.fleet);
  if (holding.includes(METRICS)) await refuseOtherRecords(db, wanted, runs);
}

/**
 * In the time-series layout a record has nothing that tells whose it is, so one of these series and
 * minutes that no run explains cannot be kept beside them. In the flat layout ids tell, record by
 * record, while they are written.
 * @param runs all that are stored; none of them is in the way itself
 * @throws SeedError that names such a record
 */
async function refuseOtherRecords(db: Db, wanted: Candidate, runs: readonly RunDocument[]): Promise<void> {
  if (wanted.dataset.layout !== 'timeseries') return;
  for (const { metricNames, assetIds, gaps } of unexplainedSeries(wanted, runs)) {
    for (const { start, end } of gaps) {
      const timestamp = { $gte: instantOf(start), $lt: instantOf(end) };
      for (let at = 0; at < assetIds.length; at += IDS_AT_ONCE) {
        const filter = {
          'meta.asset_id': { $in: assetIds.slice(at, at + IDS_AT_ONCE) },
          'meta.metric_name': { $in: metricNames },
          timestamp,
        };
        const found = await db.collection(METRICS).findOne(filter, ON_PRIMARY);
        if (found) throw unexplained(found);
      }
    }
  }
}

interface UnexplainedSeries {
  readonly metricNames: readonly string[];
  readonly assetIds: string[];
  /** Parts of the window that no run covers. */
  readonly gaps: readonly Window[];
}

/** Assets alike are asked for together. */
function unexplainedSeries({ dataset, fleet }: Candidate, runs: readonly RunDocument[]): UnexplainedSeries[] {
  const sameLayout = runs.filter(({ layout }) => layout === dataset.layout);
  const covering = sameLayout.map((run) => ({
    run,
    assets: new Set(loadedAssets(fleetOf(run)).map(({ assetId }) => assetId)),
  }));
  const groups = new Map<string, UnexplainedSeries>();
  for (const asset of loadedAssets(fleet)) {
    for (const section of dataset.sections) {
      const metricNames = seriesOf(asset, { sections: [section] }).map(({ metricName }) => metricName);
      if (metricNames.length === 0) continue;
      const explaining = covering.map(
        ({ run, assets }) => run.sections.includes(section) && assets.has(asset.assetId),
      );
      const key = JSON.stringify([metricNames, explaining]);
      const group = groups.get(key);
      if (group) {
        group.assetIds.push(asset.assetId);
        continue;
      }
      const periods = sameLayout.filter((_, i) => explaining[i]).map(periodOf);
      groups.set(key, { metricNames, assetIds: [asset.assetId], gaps: gapsIn(dataset.window, periods) });
    }
  }
  return [...groups.values()];
}

/** What is left of a window without some periods. */
export function gapsIn(window: Window, periods: readonly Window[]): Window[] {
  const gaps: Window[] = [];
  let from = window.start;
  for (const { start, end } of [...periods].sort((a, b) => a.start - b.start)) {
    if (start > from) gaps.push({ start: from, end: Math.min(start, window.end) });
    from = Math.max(from, end);
    if (from >= window.end) break;
  }
  if (from < window.end) gaps.push({ start: from, end: window.end });
  return gaps.filter(({ start, end }) => start < end);
}

function unexplained({ timestamp, meta }: Document): SeedError {
  const when = timestamp instanceof Date ? timestamp.toISOString() : String(timestamp);
  return new SeedError(
    ExitStatus.targetNotReady,
    `${METRICS} holds a record of ${meta.asset_id} ${meta.metric_name} at ${when} that no stored run has put there`,
    'load another period (--start, --end), use another --database, or --clean --yes to replace what is there',
  );
}

/**
 * @throws SeedError for an asset of this fleet that is there with other properties: it would be
 * overwritten
 */
async function refuseOtherAssets(db: Db, fleet: Fleet): Promise<void> {
  const own = new Map(
    [...fleet.machines, ...fleet.services, ...fleet.jobs].map((asset) => [asset.assetId, asset]),
  );
  const ids = [...own.keys()];
  for (let at = 0; at < ids.length; at += IDS_AT_ONCE) {
    const filter = { _id: { $in: ids.slice(at, at + IDS_AT_ONCE) } };
    const stored = await db.collection<{ _id: string }>(ASSETS).find(filter, ON_PRIMARY).toArray();
    for (const { _id, ...found } of stored as Document[]) {
      const asset = own.get(_id);
      if (!asset) continue;
      const { _id: _, last_updated: __, ...planned } = assetDocument(asset, new Date(0));
      const { last_updated: ___, ...there } = found;
      const field = fieldsOf(planned, there).find((name) => !isDeepStrictEqual(planned[name], there[name]));
      if (field !== undefined) throw otherAsset(_id, field);
    }
  }
}

function fieldsOf(...documents: readonly Document[]): string[] {
  return [...new Set(documents.flatMap((document) => Object.keys(document)))];
}

function otherAsset(assetId: string, field: string): SeedError {
  return new SeedError(
    ExitStatus.targetNotReady,
    `${ASSETS} holds another ${assetId} than this fleet's, with another ${field}: it would be overwritten`,
    'use another --database, or --clean --yes to replace what is there',
  );
}
