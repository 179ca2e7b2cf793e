/** How a load writes: as compressed buckets where that can be had, else as documents, and why. */
import { BSON, type Db, type Document, MongoServerError } from 'mongodb';
import type { LoadSettings } from '../config/settings.js';
import type { Writer } from '../dataset/dataset.js';
import { SeriesMemory } from '../dataset/series.js';
import { ShardSource } from '../dataset/source.js';
import { BUCKET_RECORDS, BucketEncoder, encodeBuckets } from '../encode/bucket.js';
import { BatchBuffer, type Series } from '../encode/document.js';
import { ExitStatus, SeedError } from '../errors.js';
import type { TargetFacts } from '../inspect/inspect.js';
import { canHold } from '../inspect/server.js';
import { TelemetryModel } from '../model/telemetry-model.js';
import { METRIC_BUCKETS, METRICS } from '../store/collections.js';
import type { Guard } from '../store/schema.js';
import { hasBuckets } from '../store/statistics.js';
import { type Begun, type Job, mayHold } from './job.js';

const DUPLICATE_KEY = 11000;
const UNAUTHORIZED = 13;
/**
 * Later buckets are found by more than their `_id`, whose seconds have 31 bits: the server has to
 * be told of them.
 */
const LAST_MINUTE = Math.floor((2 ** 31 - 1) / 60);

/** Buckets were asked for, and cannot be had. */
export class WriterRefused extends SeedError {
  constructor(reason: string) {
    super(
      ExitStatus.usage,
      `--writer buckets cannot be had: ${reason}`,
      'omit it, or choose --writer sequence',
    );
  }
}

/** A writer, and whether it has to be shown that the server takes what it writes. */
export interface ChosenWriter extends Writer {
  readonly isProven: boolean;
}

/**
 * A run, or a part of one, is finished in the way in which it was begun: the same record as a
 * bucket and as a measurement would be there twice.
 * @throws SeedError (usage) where buckets are asked for and cannot be had
 */
export function chooseWriter(
  { writer, layout, extending, shard }: LoadSettings,
  job: Job,
  start: Begun,
  facts: TargetFacts,
): ChosenWriter {
  const run = 'run' in start ? start.run : undefined;
  const stored = run?.layout ?? layout;
  // Each part of a shared run has its own: their shards are disjoint.
  const begunBy = start.kind === 'join' ? start.writer : run?.writer;
  const isBegun = start.kind === 'join' ? start.again : run !== undefined;
  if (writer === 'none') return { kind: 'none', isProven: true };
  if (stored === 'timeseries' && begunBy === 'buckets') return { kind: 'buckets', isProven: true };
  if (writer === 'bulkwrite' || writer === 'sequence') return { kind: writer, isProven: true };
  const reason = whyNoBuckets();
  if (reason === undefined) return { kind: 'buckets', isProven: false };
  if (writer === 'buckets') throw new WriterRefused(reason);
  return { kind: 'sequence', isProven: true, ...(stored === 'flat' ? {} : { reason }) };

  function whyNoBuckets(): string | undefined {
    const { server, rights } = facts;
    if (stored === 'flat') return 'only the time-series layout has buckets';
    if (isBegun) return `the ${start.kind === 'join' ? 'part' : 'run'} was not begun with buckets`;
    if (extending !== undefined) return 'a refresh adds to what is there';
    if (mayHold(start) || run?.beside?.length) return 'there may be records already';
    if (shard || server.kind === 'router') return 'the collection may be sharded';
    if (!canHold(server).compresses) return `MongoDB ${server.version} keeps buckets in another form`;
    if (!rights.writesBuckets) return `user ${rights.user} may not write ${METRIC_BUCKETS}`;
    if (job.plan.window.end > LAST_MINUTE) return 'the period ends after January 2038';
    if (job.plan.records === 0) return 'there are no records to write';
    return undefined;
  }
}

/** One bucket of the run itself, and its records. */
interface Proof {
  readonly series: Series;
  /** Milliseconds since the epoch. */
  readonly instants: readonly number[];
  readonly values: readonly number[];
  readonly document: Document;
}

/**
 * Writes the first bucket of the plan and reads it back as measurements. It stays: it is a part of
 * the run. It bears repetition.
 * @returns why the server is given measurements instead; undefined where it took the bucket and
 *   reads what was written
 */
export async function proveBuckets(db: Db, job: Job, guard: Guard): Promise<string | undefined> {
  // A collection under this name that is no time-series collection's would be made by the insert
  // itself.
  if (!(await hasBuckets(db))) return `the server has no ${METRIC_BUCKETS}`;
  const proof = firstBucket(job);
  const { document } = proof;
  const buckets = db.collection(METRIC_BUCKETS);
  try {
    await guard((limit) => buckets.insertOne(document, limit));
  } catch (error) {
    if (!(error instanceof MongoServerError)) throw error;
    if (error.code === UNAUTHORIZED) return `the user may not write ${METRIC_BUCKETS}`;
    if (error.hasErrorLabel('RetryableWriteError')) throw error;
    if (error.code !== DUPLICATE_KEY) return `the server refuses a bucket: ${error.message}`;
  }
  if (await isReadBack(db, proof)) return undefined;
  const { deletedCount } = await guard((limit) => buckets.deleteOne({ _id: document._id }, limit));
  if (deletedCount === 1) return 'the server does not read a bucket as it was written';
  throw new SeedError(
    ExitStatus.targetNotReady,
    `the server does not read a bucket of ${METRICS} as it was written`,
    'load again with --clean --yes --writer sequence',
  );
}

function firstBucket({ fleet, dataset, plan }: Job): Proof {
  const shard = plan.shards.find(({ records }) => records > 0);
  if (!shard) throw new Error('a plan without records has no bucket');
  const model = new TelemetryModel(fleet, dataset.seed);
  const source = new ShardSource(model, dataset, shard, BUCKET_RECORDS, new SeriesMemory());
  const batch = source.nextBatch(new BatchBuffer(0));
  if (!batch) throw new Error('a shard with records has no batch');
  const { bytes, buckets } = encodeBuckets({ batches: [batch], buffer: batch.buffer }, new BucketEncoder());
  const [{ start, end, to }] = buckets;
  return {
    series: batch.series,
    // Those of the first bucket: a batch of backups has several.
    instants: Array.from({ length: to }, (_, i) => batch.msAt(i)),
    values: [...batch.values.subarray(0, to)],
    document: BSON.deserialize(bytes.subarray(start, end), { promoteValues: false }),
  };
}

/** Whether the bucket's records are there, and nothing else in their time. */
async function isReadBack(db: Db, { series, instants, values }: Proof): Promise<boolean> {
  const { assetId, metricName } = series;
  const cursor = db.collection(METRICS).find(
    {
      'meta.asset_id': assetId,
      'meta.metric_name': metricName,
      timestamp: { $gte: new Date(instants[0]), $lte: new Date(instants[instants.length - 1]) },
    },
    { projection: { _id: 0, timestamp: 1, value: 1 }, sort: { timestamp: 1 }, readPreference: 'primary' },
  );
  let read = 0;
  for await (const { timestamp, value } of cursor) {
    if (read === instants.length) return false;
    if (timestamp.getTime() !== instants[read] || value !== values[read]) return false;
    read++;
  }
  return read === instants.length;
}
