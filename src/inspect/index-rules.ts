/**
 * What indexes that somebody else made do to documents of ours: refuse them, let them expire, stand
 * in for one of ours. Pure.
 */
import type { Document, IndexDescription } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { PARTS, RUN_INDEXES, RUNS, SHARD_INDEXES, SHARDS } from '../runs/run-document.js';
import {
  ASSET_INDEXES,
  ASSETS,
  hasSameKey,
  indexName,
  METRIC_INDEXES,
  METRICS,
} from '../store/collections.js';
import type { IndexFacts, OwnCollection } from './inspect.js';

/** What is going to be written, as far as indexes matter. */
export interface WantedDocuments {
  readonly layout: Layout;
  /** True where what is there are documents of the very run that goes on. */
  readonly resuming: boolean;
  /** The first record's instant; undefined where there are no records. */
  readonly oldest: Date | undefined;
  /** `last_updated` of the assets. */
  readonly lastUpdated: Date;
  readonly now: Date;
  /** The documents of the assets. Asked for only where an index depends on what is in them. */
  readonly assets: () => readonly Document[];
}

/** `instead`: what would make the collection fit. */
export interface Problem {
  readonly what: string;
  readonly instead?: string;
}

/** The most indexes that a collection may have. */
const MOST_INDEXES = 64;

/**
 * Fields by which no two documents of ours are equal. `_id` is not among them: it keeps apart all
 * documents, whoever made them.
 */
const IDENTITY: Readonly<Record<OwnCollection, readonly string[]>> = {
  [ASSETS]: ['asset_id'],
  [METRICS]: ['asset_id', 'metric_name', 'timestamp'],
  [RUNS]: ['_id'],
  [SHARDS]: ['run', 'asset', 'from'],
  [PARTS]: ['run', 'part'],
};

const GEOMETRIC = new Set<unknown>(['2d', '2dsphere', 'geoHaystack']);
const KNOWN_KINDS = new Set<unknown>([...GEOMETRIC, 'text', 'hashed', 'columnstore']);

/** What is in the way among the indexes of a collection. */
export function indexProblem(
  name: OwnCollection,
  { empty, indexes }: { readonly empty: boolean; readonly indexes: readonly IndexFacts[] },
  wanted: WantedDocuments,
): Problem | undefined {
  const wantedHere = wantedIndexes(name, wanted.layout);
  for (const index of indexes) {
    if (isIdIndex(index)) continue;
    const has = (what: string): Problem => ({
      what: `has the index ${index.name}, which ${what}`,
      instead: `drop it (db.${name}.dropIndex(${JSON.stringify(index.name)}))`,
    });
    const harm = harmOf(name, index, empty, wanted);
    if (harm) return has(harm);
    const equal = wantedHere.find((one) => hasSameKey(index, one));
    const unlike = equal && unlikeness(index, equal);
    if (unlike) return has(`is ${unlike}`);
    if (!equal && wantedHere.some(({ key }) => indexName(key) === index.name)) {
      return has('has another key than its name says');
    }
  }
  const more = wantedHere.filter((one) => !indexes.some((index) => hasSameKey(index, one)));
  if (indexes.length + more.length > MOST_INDEXES) {
    return { what: `has ${indexes.length} indexes, and no room for ${more.length} more` };
  }
  return undefined;
}

/** That of `_id`, or the key by which a collection is clustered. */
function isIdIndex({ key, unique, collated }: IndexFacts): boolean {
  return key.length === 1 && key[0][0] === '_id' && (!unique || !collated) && key[0][1] === 1;
}

/** Why an index refuses or removes documents of ours. */
function harmOf(
  name: OwnCollection,
  index: IndexFacts,
  empty: boolean,
  wanted: WantedDocuments,
): string | undefined {
  const refusing = refusalByUniqueness(name, index, empty, wanted);
  if (refusing) return refusing;
  const expiry = expiryOf(name, index, wanted);
  if (expiry) return expiry;
  const unknown = index.key.find(([, kind]) => typeof kind === 'string' && !KNOWN_KINDS.has(kind));
  if (unknown) return `is of the unknown kind ${unknown[1]}, and may refuse documents`;
  if (isBookkeeping(name)) return refusalOfBookkeeping(index);
  const documents = name === ASSETS ? wanted.assets : () => [SAMPLE_RECORDS[wanted.layout]];
  return refusalByContents(index, documents);
}

function refusalByUniqueness(
  name: OwnCollection,
  index: IndexFacts,
  empty: boolean,
  { resuming }: WantedDocuments,
): string | undefined {
  if (!index.unique) return undefined;
  const refuses = 'is unique, and would refuse documents';
  const fields = index.key.map(([field]) => field);
  // By another collation different texts may be equal.
  if (index.collated) return refuses;
  if (fields.includes('_id')) return undefined;
  if (name === RUNS) {
    const lock = wantedIndexes(RUNS, 'flat').some(
      (one) => hasSameKey(index, one) && unlikeness(index, one) === undefined,
    );
    return lock ? undefined : refuses;
  }
  if (!IDENTITY[name].every((field) => fields.includes(field))) return refuses;
  if (empty || resuming || isBookkeeping(name)) return undefined;
  return 'is unique, and may refuse documents beside those that are there';
}

/** An index by which documents expire that are about to be written. */
function expiryOf(
  name: OwnCollection,
  { expireAfterSeconds, key: [[field]] }: IndexFacts,
  { oldest, lastUpdated, now }: WantedDocuments,
): string | undefined {
  if (expireAfterSeconds === undefined) return undefined;
  if (isBookkeeping(name)) return 'lets documents expire';
  const [dated, first] = name === METRICS ? ['timestamp', oldest] : ['last_updated', lastUpdated];
  if (field !== dated || first === undefined || first.getTime() + expireAfterSeconds * 1000 > now.getTime())
    return undefined;
  return `lets documents expire after ${expireAfterSeconds} s, and some would at once`;
}

/** Runs carry whole fleets, with whatever their files say. */
function refusalOfBookkeeping({ key }: IndexFacts): string | undefined {
  if (key.some(([, kind]) => typeof kind === 'string'))
    return 'is of a special kind, and may refuse documents';
  const open = key.filter(([field]) => ['sections', 'fleet'].includes(field.split('.')[0]));
  return open.length > 1 ? 'is over several lists, and may refuse documents' : undefined;
}

function refusalByContents(index: IndexFacts, documents: () => readonly Document[]): string | undefined {
  const fields = index.key.map(([field]) => field);
  const place = index.key.find(
    ([field, kind]) => GEOMETRIC.has(kind) && documents().some((document) => hasValueAt(document, field)),
  );
  if (place) return `takes ${place[0]} for a place, and would refuse documents`;
  const { languageField } = index;
  if (languageField !== undefined && documents().some((one) => hasFieldNamed(one, languageField))) {
    return `takes ${languageField} for a language, and would refuse documents`;
  }
  // Of a simple index a list is no matter.
  const special = index.key.some(([, kind]) => kind === 'hashed' || kind === 'text');
  if (!special && fields.length < 2) return undefined;
  for (const document of documents()) {
    const lists = new Set(fields.flatMap((field) => listAt(document, field) ?? []));
    const [list] = lists;
    if (lists.size > 1) return `is over several lists (${[...lists].join(', ')}), and would refuse documents`;
    if (special && list !== undefined) return `does not take lists (${list}), and would refuse documents`;
  }
  return undefined;
}

/** In what an index of a wanted key differs from what is wanted of it. */
function unlikeness(
  index: IndexFacts,
  {
    unique = false,
    partialFilterExpression: wantedFilter,
  }: { unique?: boolean; partialFilterExpression?: Document },
): string | undefined {
  const { partialFilter } = index;
  if (partialFilter && !wantedFilter) return 'partial, and cannot serve for reads';
  if (JSON.stringify(partialFilter) !== JSON.stringify(wantedFilter)) {
    return 'not the partial one that a load needs';
  }
  if (unique && !index.unique) return 'not the unique one that a load needs';
  if (index.sparse) return 'sparse, and cannot serve for reads';
  if (index.hidden) return 'hidden, and cannot serve for reads';
  if (index.collated) return 'of another collation, and cannot serve for reads';
  return undefined;
}

function isBookkeeping(name: OwnCollection): boolean {
  return name !== ASSETS && name !== METRICS;
}

// What documents of this program look like to an index: where they have values, lists, fields of a
// name. Pure.

/** A record of each layout. */
const SAMPLE_RECORDS: Readonly<Record<Layout, Document>> = {
  flat: {
    _id: '0123456789abcdef01234567',
    asset_id: 'vm-101',
    metric_name: 'cpu_usage',
    timestamp: new Date(0),
    value: 1,
    unit: 'percentage',
    tags: { environment: 'test', asset_type: 'vm' },
  },
  timeseries: { timestamp: new Date(0), meta: { asset_id: 'vm-101', metric_name: 'cpu_usage' }, value: 1 },
};

/**
 * Values at a dotted path, as an index finds them: a list on the way stands for each of its
 * members.
 */
function valuesAt(value: unknown, [name, ...rest]: readonly string[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((one) => valuesAt(one, [name, ...rest]));
  if (name === undefined) return [value];
  return isDocument(value) && name in value ? valuesAt(value[name], rest) : [];
}

function hasValueAt(document: Document, path: string): boolean {
  return valuesAt(document, path.split('.')).some((value) => value !== undefined && value !== null);
}

/** The path of the first list that a dotted path meets; undefined where it meets none. */
export function listAt(document: Document, path: string): string | undefined {
  const names = path.split('.');
  let value: unknown = document;
  for (let length = 0; length <= names.length; length++) {
    if (Array.isArray(value)) return names.slice(0, length).join('.');
    if (!isDocument(value)) return undefined;
    value = value[names[length]];
  }
  return undefined;
}

/** Whether a document, or one inside it, has a field of this name. */
function hasFieldNamed(value: unknown, name: string): boolean {
  if (Array.isArray(value)) return value.some((one) => hasFieldNamed(one, name));
  return isDocument(value) && (name in value || Object.values(value).some((one) => hasFieldNamed(one, name)));
}

function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** The indexes of each collection, in a layout. */
export function wantedIndexes(collection: OwnCollection, layout: Layout): readonly IndexDescription[] {
  switch (collection) {
    case ASSETS:
      return ASSET_INDEXES;
    case METRICS:
      return METRIC_INDEXES[layout];
    case RUNS:
      return RUN_INDEXES;
    case SHARDS:
      return SHARD_INDEXES;
    default:
      return [];
  }
}
