/** Reads as dashboards do, against a database that was loaded. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import type { Section, Settings } from '../config/settings.js';
import { withLongReads } from '../connect/connect.js';
import { didYouMean, ExitStatus, SeedError, usageError } from '../errors.js';
import type { Fleet } from '../fleet/types.js';
import { sampledSeries } from '../model/telemetry-model.js';
import { instantOf, loadedAssets } from '../plan/plan.js';
import { selectDataset } from '../verify/select.js';
import { DEFAULT_MIX, QUERY_NAMES, type QueryName, Questions } from '../workload/queries.js';
import { Truth } from '../workload/truth.js';
import {
  type ExplainedQuery,
  explainQueries,
  runWorkload,
  type WorkloadInput,
  type WorkloadReport,
} from '../workload/workload.js';
import { type Reading, withTarget } from './reading.js';
import { refreshRun } from './refresh.js';

export type { ExplainedQuery, QueryFigures, WorkloadReport } from '../workload/workload.js';

const SECONDS_PER_MINUTE = 60;

export interface Asking extends Reading {
  /** Undefined: the newest run. */
  readonly run: string | undefined;
  readonly clients: number;
  readonly requests: number | undefined;
  readonly durationMs: number | undefined;
  readonly rate: number | undefined;
  readonly mix: Mix;
  /** One answer in so many is compared with the model; 0: none. */
  readonly checkEvery: number;
  /** Records a second that are loaded beside it; undefined: none. */
  readonly insertsPerSecond: number | undefined;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
  readonly onPulse: WorkloadInput['onPulse'];
}

export type Mix = Readonly<Partial<Record<QueryName, number>>>;

/** What a workload has found, and what was loaded meanwhile. */
export interface Worked extends WorkloadReport {
  readonly database: string;
  readonly run: string | undefined;
  /** Records that were loaded beside it. */
  readonly inserted: number;
}

/**
 * Asks a database what its dashboards would ask, and compares the answers.
 * @throws SeedError where it holds no run that this version can recompute
 */
export async function workOn(settings: Settings, asking: Asking): Promise<Worked> {
  return withTarget(withLongReads(settings.connection), asking, async (target) => {
    const { fleet, dataset, run } = await selectDataset(target, settings, asking.run);
    if (run && run.state !== 'complete') {
      throw new SeedError(
        ExitStatus.targetNotReady,
        `run ${run._id} is not finished`,
        'finish it with --resume',
      );
    }
    const questions = new Questions(new Truth(fleet, dataset));
    const possible = Object.entries(asking.mix).filter(([name]) =>
      questions.possible.includes(name as QueryName),
    );
    if (possible.length === 0) {
      throw usageError('the dataset has no records for any query of the mix', 'choose another --mix');
    }
    const { clients, requests, durationMs, rate, checkEvery, signal, onPulse, insertsPerSecond } = asking;
    const connection = {
      ...settings.connection,
      uri: target.uri,
      origin: 'named',
      opening: undefined,
    } as const;
    const loaded = new AbortController();
    const inserting =
      insertsPerSecond === undefined
        ? undefined
        : loadBeside(settings, asking, insertsPerSecond, {
            end: dataset.window.end,
            perMinute: recordsAMinute(fleet, dataset.sections),
            signal: AbortSignal.any([signal, loaded.signal]),
          });
    // A failure is told when the reads are over.
    inserting?.catch(() => undefined);
    try {
      const report = await runWorkload({
        fleet,
        dataset,
        connection,
        clients,
        how: { mix: Object.fromEntries(possible), rate, requests, durationMs, checkEvery },
        interrupt: signal,
        onPulse,
      });
      return { ...report, database: target.db.databaseName, run: run?._id, inserted: (await inserting) ?? 0 };
    } finally {
      loaded.abort();
    }
  });
}

/** What is loaded beside the reads: minutes after those that the reads ask for. */
interface Beside {
  readonly end: number;
  /** Records. */
  readonly perMinute: number;
  readonly signal: AbortSignal;
}

/** Of all sampled series, on average. */
function recordsAMinute(fleet: Fleet, sections: readonly Section[]): number {
  return loadedAssets(fleet)
    .flatMap((asset) => sampledSeries(asset))
    .filter(({ section }) => sections.includes(section))
    .reduce((sum, { interval }) => sum + SECONDS_PER_MINUTE / interval, 0);
}

/** Extends the newest run, at a rate, for about as long as the reads take. */
async function loadBeside(
  settings: Settings,
  { durationMs = 0, inform, warn }: Asking,
  perSecond: number,
  { end, perMinute, signal }: Beside,
): Promise<number> {
  const minutes = Math.max(1, Math.floor((perSecond * durationMs) / 1000 / perMinute));
  const { load } = settings;
  const until = { ...load.window, end: instantOf(end + minutes) };
  const { summary } = await refreshRun(
    { ...settings, load: { ...load, rate: perSecond, window: until } },
    {
      keepDays: undefined,
      signal,
      inform,
      warn,
      tell: (_step, run) => run({ on: () => undefined }),
    },
  );
  return summary?.records.inserted ?? 0;
}

/** How the server would go about each query. @throws SeedError as {@link workOn} */
export async function explainWorkload(
  settings: Settings,
  run: string | undefined,
  reading: Reading,
): Promise<ExplainedQuery[]> {
  return withTarget(withLongReads(settings.connection), reading, async (target) => {
    const { fleet, dataset } = await selectDataset(target, settings, run);
    return explainQueries(target.reader, fleet, dataset);
  });
}

const share = z.number({ error: 'a number from 0' }).min(0, { error: 'a number from 0' });
const MIX = z
  .strictObject(Object.fromEntries(QUERY_NAMES.map((name) => [name, share])))
  .partial()
  .refine((mix) => Object.values(mix).some((part) => Number(part) > 0), {
    error: 'at least one query with a share above 0',
  });

/**
 * The mix of a file, YAML or JSON: how often each query is asked, as shares of their sum.
 * @throws SeedError (usage) where the file cannot be read, or is none
 */
export async function readMix(path: string | undefined): Promise<Mix> {
  if (path === undefined) return DEFAULT_MIX;
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw usageError(`--mix ${path}: ${(error as Error).message.split('\n')[0]}`);
  }
  const result = MIX.safeParse(value);
  if (result.success) return result.data as Mix;
  const [issue] = result.error.issues;
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    throw usageError(
      `--mix ${path}: ${key} is no query${didYouMean(key, QUERY_NAMES)}`,
      `they are ${QUERY_NAMES.join(', ')}`,
    );
  }
  throw usageError(`--mix ${path}: ${issue.path.join('.') || 'it'} must be ${issue.message}`);
}
