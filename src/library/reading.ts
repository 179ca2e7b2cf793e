/** A target that is opened, and closed again whatever happens; and what is read of one. */
import type { ConnectionSettings, Settings } from '../config/settings.js';
import { withLongReads } from '../connect/connect.js';
import { explainFailure } from '../connect/retry.js';
import { openTarget, type Target } from '../connect/target.js';
import { requestedDataset, requestedFleet } from '../dataset/dataset.js';
import { OWN_COLLECTIONS } from '../inspect/inspect.js';
import type { ServerInfo } from '../output/types.js';
import { drawPicture } from '../picture/draw.js';
import { readDatabase } from '../picture/from-database.js';
import { readModel } from '../picture/from-model.js';
import type { DatasetPicture } from '../picture/picture.js';
import { fleetOfNewestRun, type RunHistory, runHistory, type UnusableRun } from '../runs/run-history.js';
import { METRICS } from '../store/collections.js';
import { openReader } from '../store/reads.js';
import { existingLayout } from '../store/schema.js';
import {
  countAssetsByType,
  countRecordsByMetric,
  type DatabaseStatistics,
  databaseStatistics,
} from '../store/statistics.js';

/** Who is told of what happens on the way to a target, and what ends the wait for it. */
export interface Reading {
  readonly inform: (message: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a target, works with it, and closes it again.
 * @throws SeedError for every failure that a user can do something about
 */
export async function withTarget<T>(
  connection: ConnectionSettings,
  { inform, signal }: Reading,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const target = await openTarget(connection, inform, signal);
  try {
    return await work(target);
  } catch (error) {
    throw explainFailure(error, (cause) => target.explain(cause));
  } finally {
    await target.close();
  }
}

// What a database holds: server, sizes, runs, and counts.

export interface DatabaseStatus {
  readonly server: ServerInfo;
  readonly database: DatabaseStatistics;
  /** Newest first. */
  readonly runs: readonly (RunHistory | UnusableRun)[];
  /** Assets by their type. */
  readonly assets: Readonly<Record<string, number>>;
  /** Records by their metric. */
  readonly records: Readonly<Record<string, number>>;
}

/**
 * @param shown told of each part as soon as it is there: the last one reads every record
 * @throws SeedError where the server cannot be reached or refuses the user
 */
export async function databaseStatus(
  settings: Settings,
  reading: Reading,
  shown: (part: Partial<DatabaseStatus>) => void = () => undefined,
): Promise<DatabaseStatus> {
  return withTarget(withLongReads(settings.connection), reading, async ({ db, reader, books, server }) => {
    shown({ server });
    const database = await databaseStatistics(db, OWN_COLLECTIONS);
    shown({ database });
    const runs = await runHistory(books);
    shown({ runs });
    const assets = await countAssetsByType(reader);
    shown({ assets });
    const hasRecords = METRICS in database.collections;
    const layout = (await existingLayout(reader)) ?? 'flat';
    const records = hasRecords ? await countRecordsByMetric(reader, layout) : {};
    shown({ records });
    return { server, database, runs, assets, records };
  });
}

// Pictures of a dataset to come, and of what a database holds: plain data, for a terminal, a page,
// or whoever asks.

/** What a load with these settings would put into a database; connects to nothing. */
export async function previewDataset({ load }: Settings): Promise<DatasetPicture> {
  const { seed, window } = requestedDataset(load, new Date());
  return drawPicture(readModel(await requestedFleet(load.fleet), seed, window));
}

/** What a database holds. @throws SeedError where it holds nothing that could be shown */
export async function reportDatabase(settings: Settings, reading: Reading): Promise<DatasetPicture> {
  return withTarget(withLongReads(settings.connection), reading, async ({ reader: db, books, server }) => {
    const reader = await openReader(db);
    const fleet = await fleetOfNewestRun(books);
    const { window } = settings.load;
    const shown = `MongoDB ${server.version}`;
    return drawPicture(await readDatabase({ reader, books, fleet, window, server: shown }));
  });
}
