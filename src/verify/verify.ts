/**
 * `verify`: recomputes a dataset and compares it with the database, in parallel over the plan's
 * shards.
 */
import type { Db } from 'mongodb';
import type { ConnectionSettings } from '../config/settings.js';
import { openConnection, withLongReads } from '../connect/connect.js';
import { explainFailure, withRetry } from '../connect/retry.js';
import { chooseMember, connectionTo, type Member, type Target } from '../connect/target.js';
import type { Dataset } from '../dataset/dataset.js';
import { type ExitStatus, SeedError } from '../errors.js';
import type { FleetDefinition } from '../fleet/file.js';
import type { Fleet } from '../fleet/types.js';
import { inspectTarget } from '../inspect/inspect.js';
import { expiredRecords, lifeOf } from '../load/expiry.js';
import { planLoad, type Shard, shardDaysFor } from '../plan/plan.js';
import { METRICS } from '../store/collections.js';
import { type Shared, share } from '../threads/counters.js';
import { WorkerPool } from '../threads/pool.js';
import {
  addFindings,
  type DefectCounts,
  defectCounts,
  type Findings,
  fingerprintText,
  noFindings,
  type SeriesFindings,
} from './findings.js';
import { type AssetFindings, compareAssets, compareEvents, compareOutside } from './unplanned.js';

/** A dataset that another run has put into the same database. */
export interface OtherDataset {
  readonly dataset: Dataset;
  readonly fleet: Fleet;
  /** Whether it has written the collection of events. */
  readonly events: boolean;
}

export interface VerifyInput {
  readonly target: Target;
  readonly connection: ConnectionSettings;
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  /**
   * Of the run that has loaded it, where that is known: buckets are what was planned only where
   * shards are cut as they were.
   */
  readonly shardDays: number | undefined;
  /** Datasets of other runs in the same database: their records are not foreign. */
  readonly others: readonly OtherDataset[];
  /** Whether the collection of events belongs to the dataset. */
  readonly events: boolean;
  readonly workers: number;
  /** How long to go on trying when the server goes away, in milliseconds. */
  readonly retryMs: number;
  /**
   * True where what is found is going to be put right: then the primary is read, whatever the
   * connection string says.
   */
  readonly repairing?: boolean;
  /** With `repairing`: see {@link runMarks}, of the runs that the dataset was selected from. */
  readonly marks?: string;
  /** Told after each shard how many records have been compared. */
  readonly onProgress: (compared: number, planned: number) => void;
}

export interface VerifyReport {
  readonly status: 'equal' | 'different';
  /** Of the records found in the planned series, whatever layout they are in. */
  readonly fingerprint: string;
  readonly records: {
    readonly expected: number;
    readonly found: number;
    /** Records that other runs have put beside these; not among those found. */
    readonly ofOtherRuns: number;
  } & Readonly<DefectCounts>;
  /**
   * Records that compressed buckets have shown to be there: several times as fast as reading them.
   */
  readonly inBuckets: number;
  /** Series with defects, by asset and metric. */
  readonly series: readonly SeriesFindings[];
  readonly examples: Findings['examples'];
  readonly assets: AssetFindings;
  /** Ids of events; undefined where the run has written none. */
  readonly events: AssetFindings | undefined;
  /** Shards of the comparison in which records are missing or different. */
  readonly repairable: readonly Shard[];
  /**
   * Planned records that are older than `metrics` keeps them: the server may have removed them
   * already.
   */
  readonly expired: number;
  readonly elapsedMs: number;
  readonly recordsPerSecond: number;
  /** Whose records and assets were compared. */
  readonly readFrom: Member;
}

/** The shards of a comparison. */
export function planOf({ fleet, dataset, shardDays }: Pick<VerifyInput, 'fleet' | 'dataset' | 'shardDays'>) {
  return planLoad(fleet, dataset.window, dataset.sections, shardDays ?? shardDaysFor(dataset.window, fleet));
}

/** @throws SeedError where the database cannot be read. */
export async function verifyDataset(input: VerifyInput): Promise<VerifyReport> {
  const { target } = input;
  const started = performance.now();
  const reading = await openReading(input);
  try {
    return await compareAll({ ...input, connection: reading.connection }, reading, started);
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await reading.close();
  }
}

/** Where records and assets are read. */
interface Reading {
  readonly member: Member;
  readonly db: Db;
  /** Complete, for threads that read the same. */
  readonly connection: ConnectionSettings;
  close(): Promise<void>;
}

/** One member for all of a comparison. */
async function openReading({ target, connection, repairing, retryMs }: VerifyInput): Promise<Reading> {
  const { db, reader } = target;
  const member = await withRetry(() => chooseMember(repairing ? db : reader), { limitMs: retryMs });
  const settings = connectionTo(member, reader, { ...connection, uri: target.uri, origin: 'named' });
  if (member.role !== 'secondary') {
    return {
      member,
      db: member.role === 'router' ? reader : db,
      connection: settings,
      close: async () => undefined,
    };
  }
  const opened = await openConnection(withLongReads(settings));
  return { member, db: opened.reader, connection: settings, close: opened.close };
}

async function compareAll(
  input: VerifyInput,
  { db, member }: Reading,
  started: number,
): Promise<VerifyReport> {
  const { retryMs } = input;
  const plan = planOf(input);
  const findings = noFindings();
  const repairable: Shard[] = [];
  await compareShards(input, plan.shards, undefined, (shard, found) => {
    const { missing, different } = defectCounts(found);
    if (missing + different > 0) repairable.push(shard);
    addFindings(findings, found);
    input.onProgress(findings.expected, plan.records);
  });
  // From the start again after a failure: what is outside must not be counted twice.
  const outside = await withRetry(() => compareOutside(db, input, findings.found), { limitMs: retryMs });
  addFindings(findings, outside.findings);
  const assets = await withRetry(() => compareAssets(db, input), { limitMs: retryMs });
  const events = input.events
    ? await withRetry(() => compareEvents(db, input), { limitMs: retryMs })
    : undefined;
  const report = reportOf(
    findings,
    outside.ofOtherRuns,
    { assets, events },
    repairable,
    performance.now() - started,
  );
  const facts = await withRetry(() => inspectTarget(input.target.db), { limitMs: retryMs });
  const expired = expiredRecords(input, lifeOf(facts.collections[METRICS]), new Date());
  return { ...report, expired, readFrom: member };
}

export interface VerifyContext {
  readonly dataset: Dataset;
  readonly fleet: FleetDefinition;
  readonly connection: ConnectionSettings;
  /** How long to go on trying one shard, in milliseconds. */
  readonly retryMs: number;
  /** Whose connections these are; undefined for one that only compares. */
  readonly loader: string | undefined;
}

export interface VerifyTask {
  readonly context: Shared<VerifyContext>;
  readonly shard: Shard;
  /**
   * Flat layout: replace records that are there with other content, while these say that the
   * database is held; see {@link Counters}. Undefined: only compare.
   */
  readonly mending: SharedArrayBuffer | undefined;
}

/** A failure crosses the thread boundary as data: an error object would lose its class. */
export type VerifyResult =
  | { readonly state: 'compared'; readonly findings: Findings }
  | {
      readonly state: 'failed';
      readonly exitStatus: ExitStatus;
      readonly message: string;
      readonly remedy: string;
    };

/** Who puts right what differs, and the counters that say whether it may. */
export interface Mending {
  readonly loader: string;
  readonly counters: SharedArrayBuffer;
}

/**
 * Compares shards in a pool of their own; with `mending` puts right what differs. @throws SeedError
 * of the first one that fails
 */
export async function compareShards(
  { connection, fleet, dataset, workers, retryMs }: VerifyInput,
  shards: readonly Shard[],
  mending: Mending | undefined,
  compared: (shard: Shard, findings: Findings) => void,
): Promise<void> {
  const context = share({
    dataset,
    fleet: fleet.definition,
    connection,
    retryMs,
    loader: mending?.loader,
  });
  const pool = new WorkerPool<VerifyTask, VerifyResult>('verify-shard', workers);
  const waiting = [...shards];
  const work = async () => {
    for (let shard = waiting.shift(); shard; shard = waiting.shift()) {
      const result = await pool.run({ context, shard, mending: mending?.counters });
      if (result.state === 'failed') throw new SeedError(result.exitStatus, result.message, result.remedy);
      compared(shard, result.findings);
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    await pool.destroy();
  }
}

function reportOf(
  findings: Findings,
  ofOtherRuns: number,
  { assets, events }: Pick<VerifyReport, 'assets' | 'events'>,
  repairable: readonly Shard[],
  elapsedMs: number,
): Omit<VerifyReport, 'readFrom' | 'expired'> {
  const defects = defectCounts(findings);
  const asPlanned =
    Object.values(defects).every((count) => count === 0) &&
    [assets, ...(events ? [events] : [])].every(
      ({ missing, different, foreign }) => missing.length + different.length + foreign.length === 0,
    );
  return {
    status: asPlanned ? 'equal' : 'different',
    fingerprint: fingerprintText(findings.fingerprint),
    records: { expected: findings.expected, found: findings.found, ofOtherRuns, ...defects },
    inBuckets: findings.inBuckets,
    series: [...findings.series.values()].sort(byName),
    examples: findings.examples,
    assets,
    events,
    repairable,
    elapsedMs: Math.round(elapsedMs),
    recordsPerSecond: Math.round((findings.expected / elapsedMs) * 1000),
  };
}

function byName(a: SeriesFindings, b: SeriesFindings): number {
  const [left, right] = [a, b].map(({ assetId, metricName }) => `${assetId} ${metricName}`);
  return left < right ? -1 : 1;
}
