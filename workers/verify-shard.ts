/**
 * The piscina entry of `verify`: compares one shard with the database and, where it is told to,
 * puts right what differs.
 */
import { threadId } from 'node:worker_threads';
import type { ClientSession, Db, Document } from 'mongodb';
import type { ConnectionSettings } from '../src/config/settings.js';
import { makeClient } from '../src/connect/connect.js';
import { formatLoaderName } from '../src/connect/loader-connections.js';
import { explainFailure, withRetry } from '../src/connect/retry.js';
import { explainServerError } from '../src/connect/server-errors.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { ShardSource } from '../src/dataset/source.js';
import { ExitStatus, SeedError } from '../src/errors.js';
import { buildFleet } from '../src/fleet/build.js';
import type { FleetDefinition } from '../src/fleet/file.js';
import { TelemetryModel } from '../src/model/telemetry-model.js';
import type { Shard } from '../src/plan/plan.js';
import { METRICS } from '../src/store/names.js';
import { Counters, untilHeld } from '../src/threads/counters.js';
import { type Shared, unshare } from '../src/threads/pool.js';
import { compareShard } from '../src/verify/compare-shard.js';
import type { Findings } from '../src/verify/findings.js';

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

/** More than a shard's minutes: a batch is a whole series, as far as the server's limits allow. */
const WHOLE_SERIES = Number.MAX_SAFE_INTEGER;

let thread: { readonly db: Db; readonly session: ClientSession; readonly model: TelemetryModel } | undefined;

export default async function verifyShard({
  context: shared,
  shard,
  mending,
}: VerifyTask): Promise<VerifyResult> {
  const context = unshare(shared);
  const { connection, retryMs } = context;
  const counters = mending && new Counters(mending);
  try {
    const findings = await withRetry(
      async () => {
        thread ??= await prepareThread(context);
        const { db, session, model } = thread;
        const source = new ShardSource(model, context.dataset, shard, WHOLE_SERIES);
        const mend = counters && ((documents: readonly Document[]) => replace(db, documents, counters));
        return compareShard({ source, shard, db, session, mend });
      },
      { limitMs: retryMs, stopping: () => counters?.stopping === true },
    );
    return { state: 'compared', findings };
  } catch (error) {
    const explained = explainFailure(error, (cause) => explainServerError(cause, connection));
    if (explained instanceof SeedError) {
      const { exitStatus, message, remedy } = explained;
      return { state: 'failed', exitStatus, message, remedy };
    }
    const message = error instanceof Error ? error.message : String(error);
    return {
      state: 'failed',
      exitStatus: ExitStatus.failure,
      message: `shard ${shard.id}: ${message}`,
      remedy: '',
    };
  }
}

/** A client whose first attempt to connect fails is of no use afterwards, and is not kept. */
async function prepareThread({ connection, fleet, dataset, loader }: VerifyContext) {
  const { database } = connection;
  const name = loader !== undefined && { database, loader, thread: threadId, generation: 0 };
  const client = makeClient(connection, name ? { appName: formatLoaderName(name) } : {});
  try {
    await client.connect();
  } catch (error) {
    await client.close().catch(() => undefined);
    throw error;
  }
  return {
    db: client.db(connection.database),
    session: client.startSession({ causalConsistency: false }),
    model: new TelemetryModel(buildFleet(fleet), dataset.seed),
  };
}

/**
 * Writes while the database is held, and gives the write up before another loader can take it over.
 */
async function replace(db: Db, documents: readonly Document[], counters: Counters): Promise<void> {
  const operations = documents.map(({ _id, ...replacement }) => ({
    replaceOne: { filter: { _id }, replacement },
  }));
  const options = { ordered: false, writeConcern: { w: 'majority' } } as const;
  const held = untilHeld(counters);
  if (held) await held;
  await db.collection(METRICS).bulkWrite(operations, { ...options, timeoutMS: counters.heldMs });
}
