/** Settings of what is made; see `catalog.ts`. */
import { INTERVALS } from '../time.js';
import type { SettingEntry } from './catalog.js';
import { AVAILABILITY_SCALES, COMPRESSORS, LAYOUTS, WRITERS } from './settings.js';

export const DATASET_SETTINGS = {
  days: {
    flag: '--days',
    argument: '<n>',
    default: '14',
    group: 'Dataset:',
    description: 'days of data to generate',
  },
  seed: {
    flag: '--seed',
    argument: '<n>',
    group: 'Dataset:',
    description:
      'seed of the dataset: the same seed and period give the same data (default: drawn, and printed)',
  },
  start: {
    flag: '--start',
    argument: '<instant>',
    group: 'Dataset:',
    description: 'first minute, such as 2025-02-01 or 2025-02-01T08:00Z',
  },
  end: {
    flag: '--end',
    argument: '<instant>',
    group: 'Dataset:',
    description: 'first minute after the data (default: now; with --seed, 00:00 UTC of today)',
  },
  fleet: {
    flag: '--fleet',
    argument: '<file>',
    group: 'Dataset:',
    description: 'fleet to load, a YAML or JSON file (default: the one that "seed-database fleet" prints)',
  },
  scale: {
    flag: '--scale',
    argument: '<n>',
    default: '1',
    group: 'Dataset:',
    description: 'replicate the fleet as this many sites',
  },
  timezone: {
    flag: '--timezone',
    argument: '<zone>',
    group: 'Dataset:',
    description: "where office hours are meant, such as Europe/Rome (default: the fleet file's, or UTC)",
  },
  interval: {
    flag: '--interval',
    argument: '<time>',
    values: INTERVALS,
    group: 'Dataset:',
    description: "how far apart samples are (default: the fleet file's, or 1m)",
  },
  jitter: {
    flag: '--jitter',
    argument: '<ms>',
    group: 'Dataset:',
    description: 'each sample comes up to so many milliseconds after its time',
  },
  assetsOnly: { flag: '--assets-only', group: 'Dataset:', description: 'write the assets and no records' },
  metricsOnly: {
    flag: '--metrics-only',
    group: 'Dataset:',
    description: 'load the performance metrics; combines with --polling-only and --backup-only',
  },
  pollingOnly: { flag: '--polling-only', group: 'Dataset:', description: 'load the polling history' },
  backupOnly: { flag: '--backup-only', group: 'Dataset:', description: 'load the backup history' },
  events: {
    flag: '--events',
    group: 'Dataset:',
    description: 'write outages, failed backups and disturbances into a collection events',
  },
  environment: {
    flag: '--environment',
    argument: '<name>',
    variable: 'ENVIRONMENT',
    default: 'development',
    group: 'Dataset:',
    description: 'tag of every record; in "production" --clean asks first',
  },
  availabilityScale: {
    flag: '--availability-scale',
    argument: '<scale>',
    values: AVAILABILITY_SCALES,
    default: 'percent',
    group: 'Dataset:',
    description: 'availability_status as percent (100, 50, 0) or unit (1, 0.5, 0)',
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;

// Settings of how it is loaded; see `catalog.ts`.

export const LOAD_SETTINGS = {
  dryRun: {
    flag: '--dry-run',
    group: 'Dataset:',
    description: 'print the plan, its exact counts and the estimated size; connect to nothing',
  },
  clean: {
    flag: '--clean',
    group: 'Data that is already there:',
    description: "remove this program's collections first",
  },
  resume: {
    flag: '--resume',
    group: 'Data that is already there:',
    description: 'finish an interrupted run; period and seed come from that run',
  },
  skipCleanup: {
    flag: '--skip-cleanup',
    group: 'Data that is already there:',
    description: 'keep what is there and add to it',
  },
  yes: { flag: '--yes', group: 'Data that is already there:', description: 'answer yes to every question' },
  layout: {
    flag: '--layout',
    argument: '<layout>',
    values: LAYOUTS,
    default: 'flat',
    group: 'Storage:',
    description: 'flat: one document a record; timeseries: a time-series collection',
  },
  clustered: {
    flag: '--no-clustered',
    switchTo: 'false',
    default: 'true',
    group: 'Storage:',
    description: 'flat layout: keep an ordinary _id index instead of a clustered collection',
  },
  ttlDays: {
    flag: '--ttl-days',
    argument: '<n>',
    group: 'Storage:',
    description: 'time-series layout: the server removes records older than this',
  },
  writeConcern: {
    flag: '--write-concern',
    argument: '<w>',
    group: 'Storage:',
    description: '"majority" or a number of members (default: the server\'s)',
  },
  shard: {
    flag: '--shard',
    group: 'Storage:',
    description: 'sharded cluster: shard metrics and spread its chunks before loading',
  },
  parts: {
    flag: '--parts',
    argument: '<n>',
    group: 'Speed:',
    description: 'split one run among N loaders; needs --part and, unless it resumes, --seed',
  },
  part: {
    flag: '--part',
    argument: '<n>',
    group: 'Speed:',
    description: 'which of the parts this loader loads, from 1 to --parts',
  },
  batchSize: {
    flag: '--batch-size',
    argument: '<n>',
    default: '1000',
    group: 'Speed:',
    description: 'records in one insert command',
  },
  rate: {
    flag: '--rate',
    argument: '<n>',
    group: 'Speed:',
    description: 'records a second at most, sent evenly (default: as fast as it goes)',
  },
  workers: {
    flag: '--workers',
    argument: '<n>',
    group: 'Speed:',
    description:
      'worker threads (default: the cores available, half of them where the server runs on this machine)',
  },
  shardDays: {
    flag: '--shard-days',
    argument: '<n>',
    group: 'Speed:',
    description: 'days of one asset that are loaded and checkpointed as one piece',
  },
  writer: {
    flag: '--writer',
    argument: '<writer>',
    values: WRITERS,
    default: 'auto',
    group: 'Speed:',
    description:
      "auto: buckets where they can be had, else sequence; buckets: compressed ones (time-series); sequence: encoded documents; bulkwrite: the driver's own; none: generate only, to measure",
  },
  compressors: {
    flag: '--compressors',
    argument: '<list>',
    values: COMPRESSORS,
    group: 'Speed:',
    description: 'compression to offer the server, such as zlib',
  },
} as const satisfies Readonly<Record<string, SettingEntry>>;
