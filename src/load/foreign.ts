/**
 * What `--clean` would remove that is not this program's. Ours is what a run document of ours says is ours: everything else of our
 * collections' names is somebody's, and goes only if somebody says so. Pure.
 */
import type { Document } from 'mongodb';
import { LAYOUTS } from '../config/settings.js';
import type { TargetFacts } from '../store/inspect.js';
import { ASSETS, METRIC_BUCKETS, METRICS, PARTS, RUNS, SHARDS } from '../store/names.js';

/** The collections that `--clean` drops. */
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
