/**
 * Small datasets in databases of their own: loaded by the built program, verified by it, spoilt by
 * hand.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db, Document } from 'mongodb';
import type { Layout } from '../../src/config/settings.js';
import { METRIC_BUCKETS, METRICS } from '../../src/store/collections.js';
import { type CliOptions, type CliResult, runCli } from './cli.js';
import { DELETES_SERIES } from './features.js';

/** A folder for logs, gone with the test process. */
const SCRATCH = mkdtempSync(join(tmpdir(), 'seed-database-logs-'));
process.once('exit', () => rmSync(SCRATCH, { recursive: true, force: true }));

/** The end of every dataset of these tests, so that they are the same every day. */
export const END = '2025-02-09';

/** Where a dataset is. */
export interface Place {
  readonly uri: string;
  readonly database: string;
}

export function placeFlags({ uri, database }: Place): string[] {
  return ['--uri', uri, '--database', database];
}

/** Flags of a load that end at {@link END} and log out of the way. Later ones win. */
export function loadFlags(place: Place, ...flags: readonly string[]): string[] {
  const log = join(SCRATCH, 'load.log');
  return [
    'load',
    ...placeFlags(place),
    ...['--seed', '7'],
    ...(flags.includes('--start') ? [] : ['--days', '1']),
    ...['--end', END, '--log-file', log],
    ...flags,
  ];
}

/** Runs `load --json` to its end. */
export function load(
  place: Place,
  flags: readonly string[] = [],
  options: CliOptions = {},
): Promise<CliResult> {
  return runCli(loadFlags(place, '--json', ...flags), options);
}

/** The same, and fails unless it exits 0. */
export async function loadWell(place: Place, ...flags: readonly string[]): Promise<Document> {
  const result = await load(place, flags);
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout);
}

/** Runs `--resume --json` and fails unless it exits 0. */
export async function resumeWell(place: Place, ...flags: readonly string[]): Promise<Document> {
  const log = join(SCRATCH, 'resume.log');
  const args = ['load', ...placeFlags(place), '--resume', '--json', '--log-file', log, ...flags];
  const result = await runCli(args);
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout);
}

/** What `verify --json` prints, and its exit status. */
export interface Verified {
  readonly exit: number | null;
  readonly status: 'equal' | 'different';
  readonly fingerprint: string;
  readonly records: Readonly<Record<string, number>>;
  readonly series: readonly Document[];
  readonly examples: readonly Document[];
  readonly assets: Readonly<Record<string, unknown>>;
  readonly repaired: number;
}

/** By one worker unless said otherwise: the other core has another test file. */
export async function verify(place: Place, ...flags: readonly string[]): Promise<Verified> {
  const args = ['verify', ...placeFlags(place), '--json', '--workers', '1', ...flags];
  const { status, stdout, stderr } = await runCli(args);
  assert.notEqual(stdout, '', stderr);
  return { exit: status, ...JSON.parse(stdout) };
}

/** Fails unless the database holds exactly the newest run's dataset; says what is wrong with it. */
export async function assertEqualToPlan(place: Place): Promise<Verified> {
  const verified = await verify(place);
  const { status, records, examples, assets, exit } = verified;
  assert.equal(status, 'equal', JSON.stringify({ records, assets, examples: examples.slice(0, 5) }, null, 1));
  assert.equal(exit, 0);
  return verified;
}

const FIELDS = { flat: '', timeseries: 'meta.' } as const;

export function seriesFilter(layout: Layout, assetId: string, metricName: string): Document {
  return { [`${FIELDS[layout]}asset_id`]: assetId, [`${FIELDS[layout]}metric_name`]: metricName };
}

/**
 * Deletes by asset and metric. Where the server has no deletes from time-series collections, from
 * their buckets.
 */
export async function deleteSeries(db: Db, layout: Layout, filter: Document): Promise<void> {
  const throughBuckets = layout === 'timeseries' && !DELETES_SERIES;
  await db.collection(throughBuckets ? METRIC_BUCKETS : METRICS).deleteMany(filter);
}

/** Replaces a stored series by what `change` makes of it. Returns what it was. */
export async function rewriteSeries(
  db: Db,
  layout: Layout,
  [assetId, metricName]: readonly [string, string],
  change: (documents: Document[]) => Document[],
): Promise<Document[]> {
  const metrics = db.collection(METRICS);
  const filter = seriesFilter(layout, assetId, metricName);
  const projection = layout === 'timeseries' ? { _id: 0 } : {};
  const before = await metrics
    .find(filter, { projection, promoteValues: false })
    .sort({ timestamp: 1 })
    .toArray();
  await deleteSeries(db, layout, filter);
  const after = change(before.map((document) => ({ ...document })));
  if (after.length > 0) await metrics.insertMany(after, { forceServerObjectId: true });
  return before;
}
