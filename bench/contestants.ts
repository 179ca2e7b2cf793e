/** The programs that are compared, each with how it is prepared, started and timed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Layout } from '../src/config/settings.js';
import { SEED, WINDOW_END } from './dataset.js';
import { COMPILED, type Cost, loaderCommand, loaderOutput, programOf, ROOT, runMeasured } from './measure.js';
import type { BenchServer } from './server.js';

export interface Target {
  readonly server: BenchServer;
  readonly database: string;
  readonly layout: Layout;
  readonly days: number;
  /** A folder of the benchmark's own, for files of all contestants. */
  readonly scratch: string;
}

export interface Contestant {
  readonly id: string;
  readonly name: string;
  /** Where it makes sense; undefined: in both. */
  readonly layouts?: readonly Layout[];
  /** Whether it writes to a server at all. */
  readonly writes: boolean;
  /** Made by `bench/peers/build.sh`. */
  readonly needs: readonly string[];
  /** Several times as slow as the loader. */
  readonly slow?: true;
  /** What is done once a layout, before the first round. */
  readonly prepareOnce?: (target: Target) => Promise<void>;
  /** What is done before each run and not counted. Returns the command to run. */
  readonly command: (target: Target) => Promise<string[]>;
  /** Seconds of loading, without start-up, from what the program said of itself. */
  readonly seconds: (cost: Cost, records: number) => number;
  /** CPU seconds without start-up, where the program knows them. */
  readonly loadingCpuSeconds?: (cost: Cost) => number;
  /** The whole process's CPU would be the wrong figure. */
  readonly onlyLoadingCounts?: true;
  /** Peak memory says nothing of a program that keeps the whole dataset on purpose. */
  readonly memoryMeansNothing?: true;
}

const CACHE = join(ROOT, 'bench', '.cache');
const PYTHON = join(CACHE, 'venv', 'bin', 'python');
const MONGORESTORE = join(CACHE, 'bin', 'mongorestore');
const MONGODUMP = join(CACHE, 'bin', 'mongodump');
const MGODATAGEN = join(CACHE, 'bin', 'mgodatagen');
const DUMPED = 'bench_source';

const Timed = z.object({ records: z.number(), seconds: z.number(), cpuSeconds: z.number().optional() });

/** Of a program that prints `{records, seconds}` in its last line. */
function timed(cost: Cost): z.infer<typeof Timed> {
  return Timed.parse(JSON.parse(cost.stdout.trim().split('\n').at(-1) ?? ''));
}

function peer(script: string): string {
  return join(ROOT, 'bench', 'peers', script);
}

function pymongo(target: Target, ...more: string[]): string[] {
  const { server, database, layout, days } = target;
  const where = ['--uri', server.uri, '--database', database, '--layout', layout, '--days', `${days}`];
  return [PYTHON, peer('pymongo_insert_many.py'), ...where, ...more];
}

/** Peers cannot make a time-series collection themselves. */
async function makeTimeSeries(target: Target): Promise<void> {
  if (target.layout === 'timeseries') await runMeasured(pymongo(target, '--prepare-only'), target.scratch);
}

function load(target: Target, options: string[], program?: string): string[] {
  const where = ['--uri', target.server.uri, '--database', target.database, '--layout', target.layout];
  return loaderCommand(target.days, WINDOW_END, SEED, [...where, ...options], program);
}

function loader(id: string, name: string, ...options: string[]): Contestant {
  return {
    id,
    name,
    writes: !options.includes('none'),
    needs: [],
    command: async (target) => load(target, options),
    seconds: (cost, records) => records / loaderOutput(cost.stdout).recordsPerSecond,
    loadingCpuSeconds: (cost) => loaderOutput(cost.stdout).loader.cpuMs / 1000,
  };
}

const TIME_SERIES: readonly Layout[] = ['timeseries'];

/** The loader of another checkout, built, with its own defaults: an earlier commit. */
export function earlierLoader(checkout: string): Contestant {
  return {
    ...loader('earlier', 'the loader of an earlier commit, its default'),
    needs: [programOf(checkout)],
    command: async (target) => load(target, [], programOf(checkout)),
  };
}

function sequence(id: string, batchSize: number): Contestant {
  const batches = batchSize.toLocaleString('en');
  const options = ['--writer', 'sequence', '--batch-size', `${batchSize}`];
  return loader(id, `this loader, \`--writer sequence\`, batches of ${batches}`, ...options);
}

/** @param batchSize records, or what the loader sends as compressed buckets */
function ceiling(id: string, batchSize: number | 'buckets'): Contestant {
  const what =
    batchSize === 'buckets'
      ? 'the same buckets from memory'
      : `the same bytes from memory, batches of ${batchSize.toLocaleString('en')}`;
  return {
    id,
    name: `ceiling: ${what}`,
    ...(batchSize === 'buckets' ? { layouts: TIME_SERIES } : {}),
    writes: true,
    needs: [],
    command: async ({ server, database, layout, days }) => [
      process.execPath,
      '--max-old-space-size=8192',
      join(COMPILED, 'ceiling.js'),
      ...[server.uri, database, layout, `${days}`, `${batchSize}`, '2'],
    ],
    seconds: (cost) => timed(cost).seconds,
    loadingCpuSeconds: (cost) => timed(cost).cpuSeconds ?? cost.cpuSeconds,
    onlyLoadingCounts: true,
    memoryMeansNothing: true,
  };
}

function exportFolder(target: Target): string {
  return join(target.scratch, 'export');
}

/** Compressed buckets as files, made without a server. */
async function exportBuckets(target: Target): Promise<void> {
  const dataset = ['--days', `${target.days}`, '--seed', `${SEED}`, '--end', WINDOW_END];
  const how = ['--layout', target.layout, '--database', DUMPED, '--out', exportFolder(target)];
  await runMeasured([process.execPath, programOf(), 'export', ...dataset, ...how], target.scratch);
}

function restore({ server, database }: Target, folder: string, collection: string): string[] {
  const names = [`--nsInclude=${DUMPED}.${collection}`, `--nsFrom=${DUMPED}.*`, `--nsTo=${database}.*`];
  const how = ['--quiet', `--uri=${server.uri}`, '--numInsertionWorkersPerCollection=2'];
  return [MONGORESTORE, ...how, ...names, folder];
}

function dumpFolder(target: Target): string {
  return join(target.scratch, `dump-${target.layout}`);
}

/**
 * Loads the dataset once and dumps it: plain records in both layouts (see bench/peers/README.md).
 */
async function dump(target: Target): Promise<void> {
  const { server, layout, scratch } = target;
  const out = dumpFolder(target);
  mkdirSync(out, { recursive: true });
  await runMeasured(load({ ...target, database: DUMPED }, []), scratch);
  const from = ['--uri', server.uri, '--database', DUMPED, '--out', out];
  const command =
    layout === 'timeseries'
      ? [PYTHON, peer('dump_records.py'), ...from]
      : [
          MONGODUMP,
          '--quiet',
          `--uri=${server.uri}`,
          `--db=${DUMPED}`,
          '--collection=metrics',
          `--out=${out}`,
        ];
  await runMeasured(command, scratch);
  await server.drop(DUMPED);
}

export const CONTESTANTS: readonly Contestant[] = [
  {
    ...loader('buckets', 'this loader, compressed buckets (default)', '--writer', 'buckets'),
    layouts: TIME_SERIES,
  },
  sequence('sequence-1000', 1000),
  sequence('sequence-5000', 5000),
  loader(
    'bulkwrite-1000',
    'this loader, `--writer bulkwrite`',
    '--writer',
    'bulkwrite',
    '--batch-size',
    '1000',
  ),
  ceiling('ceiling-buckets', 'buckets'),
  ceiling('ceiling', 5000),
  ceiling('ceiling-1000', 1000),
  {
    id: 'insert-many',
    slow: true,
    name: '`insertMany` of objects, Node, one thread',
    writes: true,
    needs: [],
    command: async ({ server, database, layout, days }) => [
      process.execPath,
      join(COMPILED, 'insert-many.js'),
      ...[server.uri, database, layout, `${days}`],
    ],
    seconds: (cost) => timed(cost).seconds,
  },
  {
    id: 'pymongo',
    slow: true,
    name: 'pymongo `insert_many`, minute by minute',
    writes: true,
    needs: [PYTHON],
    command: async (target) => pymongo(target),
    seconds: (cost) => timed(cost).seconds,
  },
  {
    id: 'mongorestore',
    slow: true,
    name: 'mongorestore of a dump, two insertion workers',
    writes: true,
    needs: [MONGORESTORE, MONGODUMP, PYTHON],
    prepareOnce: dump,
    command: async (target) => {
      await makeTimeSeries(target);
      return restore(target, dumpFolder(target), 'metrics');
    },
    seconds: (cost) => cost.wallSeconds,
  },
  {
    id: 'mongorestore-buckets',
    name: 'mongorestore of compressed buckets, two insertion workers',
    layouts: TIME_SERIES,
    writes: true,
    needs: [MONGORESTORE],
    prepareOnce: exportBuckets,
    command: async (target) => restore(target, exportFolder(target), '*'),
    seconds: (cost) => cost.wallSeconds,
  },
  {
    id: 'mgodatagen',
    slow: true,
    name: 'mgodatagen',
    writes: true,
    needs: [MGODATAGEN, PYTHON],
    command: async (target) => {
      await makeTimeSeries(target);
      const { server, database, layout, days, scratch } = target;
      const what = ['--database', database, '--layout', layout, '--days', `${days}`];
      const config = join(scratch, 'mgodatagen.json');
      const { stdout } = await runMeasured([PYTHON, peer('mgodatagen_config.py'), ...what], scratch);
      writeFileSync(config, stdout);
      const append = layout === 'timeseries' ? ['--append'] : [];
      return [
        MGODATAGEN,
        `--uri=${server.uri}`,
        `--file=${config}`,
        '--batchsize=1000',
        '--quiet',
        ...append,
      ];
    },
    seconds: (cost) => cost.wallSeconds,
  },
  loader('none', 'this loader, generation only (`--writer none`)', '--writer', 'none'),
  loader('none-2', 'generation only, two workers', '--writer', 'none', '--workers', '2'),
];
